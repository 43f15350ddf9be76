//! Locks, semaphores and events.

use crate::{SHORT, guard};
use procession_ipc::sync::Holder;
use procession_ipc::{BoundedSemaphore, Error, Event, Lock, RLock, Semaphore, Value};
use procession_sys::Deadline;
use procession_testkit::wait_until;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn a_lock_lets_one_in_at_a_time_and_loses_no_wake() {
    let _guard = guard();
    let (lock, number) = (Lock::new().unwrap(), Value::new(0_u32).unwrap());
    let work = || {
        for _ in 0..20_000 {
            let _guard = lock.lock();
            number.store(number.load() + 1);
        }
    };
    thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(work))));
    assert_eq!(number.load(), 80_000);
}

#[test]
fn a_lock_may_be_released_by_anybody_but_only_once() {
    let _guard = guard();
    let lock = Lock::new().unwrap();
    let guard = lock.lock();
    assert_eq!(lock.holder(), Some(Holder::Process(std::process::id())));
    thread::scope(|scope| scope.spawn(|| lock.release().unwrap()).join().unwrap());
    assert!(matches!(lock.release(), Err(Error::ReleasedTooOften)));
    drop(guard);
    assert!(lock.try_lock().is_some());
}

#[test]
fn a_wait_for_a_lock_ends_at_its_time_and_not_before() {
    let _guard = guard();
    let lock = Lock::new().unwrap();
    let _guard = lock.lock();
    let start = Instant::now();
    assert!(lock.lock_timeout(SHORT).unwrap_err().is_timeout());
    assert!(start.elapsed() >= SHORT);
    assert!(!lock.acquire_timeout(Duration::ZERO));
}

#[test]
fn a_recursive_lock_is_its_threads() {
    let _guard = guard();
    let lock = RLock::new().unwrap();
    let outer = lock.lock();
    lock.acquire();
    assert_eq!(lock.depth(), 2);
    thread::scope(|scope| {
        let other = scope.spawn(|| {
            assert!(lock.try_lock().is_none() && !lock.is_mine() && lock.depth() == 0);
            assert!(matches!(lock.release(), Err(Error::NotOwner { .. })));
            assert!(lock.lock_timeout(SHORT).unwrap_err().is_timeout());
        });
        other.join().unwrap();
    });
    lock.release().unwrap();
    drop(outer);
    thread::scope(|scope| assert!(scope.spawn(|| lock.try_acquire()).join().unwrap()));
}

#[test]
fn a_semaphore_lets_as_many_in_as_it_says() {
    let _guard = guard();
    let semaphore = Semaphore::new(2).unwrap();
    let (inside, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        for _ in 0..5_000 {
            let _permit = semaphore.permit();
            most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            inside.fetch_sub(1, Ordering::SeqCst);
        }
    };
    thread::scope(|scope| (0..5).for_each(|_| drop(scope.spawn(work))));
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    assert_eq!(semaphore.value(), 2);
}

#[test]
fn many_released_at_once_wake_as_many() {
    let _guard = guard();
    let (semaphore, through) = (Semaphore::new(0).unwrap(), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                semaphore.acquire();
                through.fetch_add(1, Ordering::SeqCst);
            });
        }
        semaphore.release_many(4).unwrap();
        wait_until("four are through", || through.load(Ordering::SeqCst) == 4);
        semaphore.release().unwrap();
        semaphore.release().unwrap();
    });
    assert!(!semaphore.acquire_timeout(SHORT));
}

#[test]
fn a_bounded_semaphore_is_released_no_more_often_than_taken() {
    let _guard = guard();
    let semaphore = BoundedSemaphore::new(2).unwrap();
    assert!(matches!(semaphore.release(), Err(Error::ReleasedTooOften)));
    semaphore.acquire();
    assert!(semaphore.release_many(2).is_err());
    assert_eq!(semaphore.value(), 1);
    semaphore.release().unwrap();
    let unbounded = Semaphore::new(i32::MAX as u32).unwrap();
    assert!(unbounded.release().is_err());
}

#[test]
fn an_event_wakes_all_and_stays_set_until_cleared() {
    let _guard = guard();
    let event = Event::new().unwrap();
    assert!(!event.wait_timeout(SHORT));
    thread::scope(|scope| {
        (0..4).for_each(|_| drop(scope.spawn(|| event.wait())));
        event.set();
    });
    event.set();
    assert!(event.wait_timeout(Duration::ZERO));
    event.clear();
    assert!(!event.is_set() && !event.wait_timeout(Duration::ZERO));
}

#[test]
fn an_interrupt_ends_a_wait_only_if_asked_after_a_signal() {
    let _guard = guard();
    let event = Event::new().unwrap();
    let deadline = Deadline::after(SHORT);
    assert!(event.wait_until(deadline, || panic!("no signal came")).unwrap_err().is_timeout());
}
