//! Descriptors that a program polls by itself: what they show, and whom a ring reaches.

use procession_ipc::byte_queue::{Bounds, ByteQueue};
use procession_ipc::{Doorbell, Lock, Shareable};
use procession_shm::family;
use procession_sys::Deadline;
use procession_sys::ready::{self, Watch};
use std::os::fd::AsFd;
use std::thread;

/// The arena stays as long as the process runs.
fn guard() -> procession_testkit::guard::Guard {
    procession_testkit::guard_after(|| drop(family()))
}

fn is_readable(bell: &Doorbell) -> bool {
    ready::wait(&mut [Watch::readable(bell.as_fd())], Deadline::now()).unwrap() == 1
}

fn wait_for(bell: &Doorbell) {
    ready::wait(&mut [Watch::readable(bell.as_fd())], Deadline::never()).unwrap();
}

#[test]
fn a_lock_that_is_given_back_rings_for_who_asked() {
    let _guard = guard();
    let lock = Lock::new().unwrap();
    lock.acquire();
    let bell = Doorbell::hang(lock.held()).unwrap();
    lock.show_free(&bell);
    assert!(!is_readable(&bell));
    thread::scope(|scope| {
        scope.spawn(|| lock.release().unwrap());
        wait_for(&bell);
    });
    assert!(lock.try_acquire());
    lock.show_free(&bell);
    assert!(!is_readable(&bell), "a bell is silent while the lock is taken");
    lock.release().unwrap();
    assert!(is_readable(&bell), "it was asked again, so it rings again");
}

#[test]
fn a_guard_that_is_dropped_rings_too() {
    let _guard = guard();
    let lock = Lock::new().unwrap();
    let bell = Doorbell::hang(lock.held()).unwrap();
    let held = lock.lock();
    lock.show_free(&bell);
    drop(held);
    assert!(is_readable(&bell));
}

#[test]
fn when_all_is_done_joiners_are_told_and_getters_are_not() {
    let _guard = guard();
    let queue = ByteQueue::new(Bounds::default()).unwrap();
    let getter = Doorbell::hang(queue.held()).unwrap();
    let joiner = Doorbell::hang_for_joiner(queue.held()).unwrap();
    let mut bytes = Vec::new();
    queue.put_one(3, b"item", Deadline::now()).unwrap();
    queue.get(&mut bytes, None, Deadline::now()).unwrap();
    queue.show_items(&getter);
    queue.show_done(&joiner);
    assert!(!is_readable(&getter) && !is_readable(&joiner));
    queue.task_done().unwrap();
    assert!(is_readable(&joiner));
    assert!(!is_readable(&getter));
    queue.put_one(3, b"item", Deadline::now()).unwrap();
    queue.show_done(&joiner);
    assert!(is_readable(&getter));
    assert!(!is_readable(&joiner), "an item is not the end");
}
