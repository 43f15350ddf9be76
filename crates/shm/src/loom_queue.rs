//! The queue's hand-shake in every interleaving: putters commit and give notice, getters take and
//! pass the notice on. The words are those of a queue; items are numbers.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p procession-shm --lib loom`

use crate::{Commit, EventCount, Record, RobustLock};
use loom::sync::Arc;
use loom::thread;
use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, Ordering, fence};

#[derive(Default)]
struct Queue {
    put_lock: RobustLock,
    put: Commit,
    get_lock: RobustLock,
    get: Commit,
    items: [AtomicU32; 2],
    arrived: EventCount,
}

impl Queue {
    fn put(&self, item: u32) {
        let guard = self.put_lock.lock();
        let index = self.put.record().index;
        self.items[index as usize].store(item, Ordering::Relaxed);
        self.put.publish(Record { index: index + 1, ..Record::default() });
        drop(guard);
        fence(Ordering::SeqCst);
        self.arrived.notify_one();
    }

    /// A putter that is killed before its commit.
    fn die_in_put(&self, item: u32) {
        let guard = self.put_lock.lock();
        let index = self.put.record().index;
        self.items[index as usize].store(item, Ordering::Relaxed);
        RobustLock::die(guard);
    }

    fn try_get(&self) -> Option<u32> {
        let guard = self.get_lock.lock();
        let index = self.get.record().index;
        if self.put.index() == index {
            return None;
        }
        let item = self.items[index as usize].load(Ordering::Relaxed);
        self.get.publish(Record { index: index + 1, ..Record::default() });
        drop(guard);
        fence(Ordering::SeqCst);
        if self.arrived.has_waiters() && self.put.index() > index + 1 {
            self.arrived.notify_one();
        }
        Some(item)
    }

    fn get(&self) -> u32 {
        loop {
            if let Some(item) = self.try_get() {
                return item;
            }
            let ticket = self.arrived.announce();
            if self.put.index() == self.get.index() {
                self.arrived.sleep(ticket, Deadline::never());
            }
        }
    }
}

fn bounded(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

#[test]
fn what_is_put_wakes_a_getter_that_sleeps() {
    bounded(|| {
        let queue = Arc::new(Queue::default());
        let there = Arc::clone(&queue);
        let getter = thread::spawn(move || there.get());
        queue.put(7);
        assert_eq!(getter.join().unwrap(), 7);
    });
}

#[test]
fn two_items_reach_two_getters_each_once() {
    bounded(|| {
        let queue = Arc::new(Queue::default());
        let there = Arc::clone(&queue);
        let getter = thread::spawn(move || there.get());
        let putting = Arc::clone(&queue);
        let putter = thread::spawn(move || (1..=2).for_each(|item| putting.put(item)));
        let mine = queue.get();
        let theirs = getter.join().unwrap();
        putter.join().unwrap();
        assert_eq!(mine + theirs, 3, "{mine} and {theirs}");
    });
}

#[test]
fn a_putter_that_died_before_its_commit_has_put_nothing() {
    bounded(|| {
        let queue = Arc::new(Queue::default());
        let dying = Arc::clone(&queue);
        let dead = thread::spawn(move || dying.die_in_put(9));
        queue.put(7);
        assert_eq!(queue.get(), 7);
        assert_eq!(queue.try_get(), None);
        dead.join().unwrap();
    });
}
