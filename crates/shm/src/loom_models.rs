//! What must hold in every interleaving: models of the algorithms in this crate, one property each.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p procession-shm --lib loom`

use crate::{Commit, EventCount, OwnedLock, Record, RobustLock, Seen, Taken};
use loom::sync::Arc;
use loom::thread;
use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, Ordering, fence};

/// A number that only who holds the lock may touch: relaxed, so that the lock alone orders it.
fn add_one(number: &AtomicU32) {
    number.store(number.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

fn value(number: &AtomicU32) -> u32 {
    number.load(Ordering::Relaxed)
}

#[test]
fn a_robust_lock_lets_one_in_at_a_time() {
    loom::model(|| {
        let shared = Arc::new((RobustLock::new(), AtomicU32::new(0)));
        let work = |shared: &(RobustLock, AtomicU32)| {
            let _guard = shared.0.lock();
            add_one(&shared.1);
        };
        let there = Arc::clone(&shared);
        let other = thread::spawn(move || work(&there));
        work(&shared);
        other.join().unwrap();
        assert_eq!(value(&shared.1), 2);
    });
}

#[test]
fn three_who_sleep_at_a_robust_lock_all_get_it() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let shared = Arc::new((RobustLock::new(), AtomicU32::new(0)));
        let others: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    let _guard = shared.0.lock();
                    add_one(&shared.1);
                })
            })
            .collect();
        {
            let _guard = shared.0.lock();
            add_one(&shared.1);
        }
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(value(&shared.1), 3);
    });
}

#[test]
fn who_sleeps_at_a_robust_lock_hears_of_its_owners_death() {
    loom::model(|| {
        let shared = Arc::new((RobustLock::new(), AtomicU32::new(0)));
        let guard = shared.0.lock();
        let there = Arc::clone(&shared);
        let next = thread::spawn(move || {
            let guard = there.0.lock();
            assert!(guard.owner_died());
            assert_eq!(value(&there.1), 1, "what the dead owner wrote is seen");
        });
        add_one(&shared.1);
        RobustLock::die(guard);
        next.join().unwrap();
        assert!(!shared.0.lock().owner_died(), "only the next owner is told");
    });
}

fn take(lock: &OwnedLock, stamp: u32) -> Taken {
    lock.lock(stamp, Deadline::never(), |_| false).expect("a wait without an end")
}

#[test]
fn an_owned_lock_lets_one_in_at_a_time() {
    loom::model(|| {
        let shared = Arc::new((OwnedLock::new(), AtomicU32::new(0)));
        let there = Arc::clone(&shared);
        let other = thread::spawn(move || {
            take(&there.0, 2);
            add_one(&there.1);
            assert!(there.0.unlock_as(2, false).was_taken);
        });
        take(&shared.0, 1);
        add_one(&shared.1);
        assert!(shared.0.unlock().was_taken);
        other.join().unwrap();
        assert_eq!(value(&shared.1), 2);
    });
}

#[test]
fn three_who_sleep_at_an_owned_lock_all_get_it() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let shared = Arc::new((OwnedLock::new(), AtomicU32::new(0)));
        let others: Vec<_> = (2..4)
            .map(|stamp| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    take(&shared.0, stamp);
                    add_one(&shared.1);
                    assert!(shared.0.unlock_as(stamp, false).was_taken);
                })
            })
            .collect();
        take(&shared.0, 1);
        add_one(&shared.1);
        assert!(shared.0.unlock_as(1, false).was_taken);
        others.into_iter().for_each(|other| other.join().unwrap());
        assert_eq!(value(&shared.1), 3);
    });
}

#[test]
fn an_owned_lock_goes_from_the_dead_to_a_sleeper_once_however_many_bury() {
    loom::model(|| {
        let shared = Arc::new((OwnedLock::new(), AtomicU32::new(0)));
        take(&shared.0, 1);
        add_one(&shared.1);
        let there = Arc::clone(&shared);
        let next = thread::spawn(move || {
            assert_eq!(take(&there.0, 2), Taken::OwnerDied);
            assert_eq!(value(&there.1), 1);
        });
        let there = Arc::clone(&shared);
        let burier = thread::spawn(move || there.0.owner_died(1));
        let mine = shared.0.owner_died(1);
        assert_ne!(mine, burier.join().unwrap());
        next.join().unwrap();
        assert_eq!(shared.0.owner(), Some(2), "a late burial takes nothing from the next owner");
    });
}

#[test]
fn news_of_a_death_passes_on_until_somebody_keeps_it() {
    loom::model(|| {
        let lock = Arc::new(OwnedLock::new());
        take(&lock, 1);
        assert!(lock.owner_died(1));
        let there = Arc::clone(&lock);
        let other = thread::spawn(move || {
            let taken = take(&there, 2);
            assert_eq!(taken, Taken::OwnerDied);
            there.unlock_as(2, true);
        });
        assert_eq!(take(&lock, 3), Taken::OwnerDied);
        lock.unlock_as(3, true);
        other.join().unwrap();
        assert_eq!(take(&lock, 4), Taken::OwnerDied);
    });
}

/// Sleeps at `event` until `fact` is true.
fn await_fact(event: &EventCount, fact: &AtomicU32) {
    loop {
        let ticket = event.announce();
        if fact.load(Ordering::Relaxed) != 0 {
            return;
        }
        event.sleep(ticket, Deadline::never());
    }
}

#[test]
fn a_notice_is_not_lost_between_the_last_look_and_the_sleep() {
    loom::model(|| {
        let shared = Arc::new((EventCount::new(), AtomicU32::new(0)));
        let there = Arc::clone(&shared);
        let waiter = thread::spawn(move || await_fact(&there.0, &there.1));
        shared.1.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        shared.0.notify_one();
        waiter.join().unwrap();
    });
}

#[test]
fn a_notice_to_all_wakes_two() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let shared = Arc::new((EventCount::new(), AtomicU32::new(0)));
        let waiters: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || await_fact(&shared.0, &shared.1))
            })
            .collect();
        shared.1.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        shared.0.notify_all();
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn who_gives_up_after_a_notice_leaves_its_mark_for_the_others() {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(2);
    model.check(|| {
        let shared = Arc::new((EventCount::new(), AtomicU32::new(0)));
        let there = Arc::clone(&shared);
        let patient = thread::spawn(move || await_fact(&there.0, &there.1));
        let there = Arc::clone(&shared);
        let hasty = thread::spawn(move || {
            let (event, fact) = (&there.0, &there.1);
            let ticket = event.announce();
            if fact.load(Ordering::Relaxed) == 0 {
                event.sleep(ticket, Deadline::never());
            }
            if fact.load(Ordering::Relaxed) != 0 {
                // It was for both.
                event.notify_all();
            }
        });
        // A notice for nothing, which wakes one of the two.
        fence(Ordering::SeqCst);
        shared.0.notify_one();
        shared.1.store(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        shared.0.notify_one();
        patient.join().unwrap();
        // It may still sleep: a notice went to the other one.
        shared.0.notify_all();
        hasty.join().unwrap();
    });
}

#[test]
fn who_sees_a_commit_sees_what_was_written_before_it() {
    loom::model(|| {
        let shared = Arc::new((Commit::new(), AtomicU32::new(0)));
        let there = Arc::clone(&shared);
        // The reader is the spawned one: loom looks for conflicts with the last access to a word
        // only, and would not try a late reader after the writer's own look at the word.
        let reader = thread::spawn(move || {
            if there.0.index() == 1 {
                assert_eq!(value(&there.1), 7);
            }
        });
        shared.1.store(7, Ordering::Relaxed);
        shared.0.publish(Record { index: 1, position: 64, ..Record::default() });
        reader.join().unwrap();
        let record = shared.0.record();
        assert_eq!((record.index, record.position), (1, 64));
    });
}

#[test]
fn who_is_told_of_a_commit_by_another_thread_sees_what_was_written_before_it() {
    loom::model(|| {
        let shared = Arc::new((Commit::new(), Seen::new(), AtomicU32::new(0)));
        let there = Arc::clone(&shared);
        let told = thread::spawn(move || {
            // A commit that has nothing: what this thread knows it knows from the other one.
            if there.1.is_past(0, &Commit::new()) {
                assert_eq!(value(&there.2), 7);
            }
        });
        let there = Arc::clone(&shared);
        let looks = thread::spawn(move || there.1.is_past(0, &there.0));
        shared.2.store(7, Ordering::Relaxed);
        shared.0.publish(Record { index: 1, position: 64, ..Record::default() });
        told.join().unwrap();
        looks.join().unwrap();
    });
}

#[test]
fn a_commit_begun_by_one_who_died_has_not_happened() {
    loom::model(|| {
        let shared = Arc::new((RobustLock::new(), Commit::new()));
        let there = Arc::clone(&shared);
        let writer = thread::spawn(move || {
            let guard = there.0.lock();
            let first = Record { index: 1, position: 10, bytes: 10, recycle: 0 };
            there.1.publish(first);
            there.1.prepare(Record { index: 2, position: 20, bytes: 20, recycle: 1 });
            RobustLock::die(guard);
        });
        let guard = shared.0.lock();
        let seen = shared.1.record();
        assert!(matches!((seen.index, seen.position, seen.bytes), (0, 0, 0) | (1, 10, 10)));
        drop(guard);
        writer.join().unwrap();
        let _guard = shared.0.lock();
        assert_eq!(shared.1.record(), Record { index: 1, position: 10, bytes: 10, recycle: 0 });
    });
}
