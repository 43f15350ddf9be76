//! What must hold in every interleaving of the algorithms here, one property a model.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --release -p procession-ipc --lib loom`

use super::barrier::{BarrierWords, Failed, Parties};
use super::condition::{Counts, Slot, Waiters};
use super::event::EventWords;
use super::semaphore::SemaphoreWords;
use loom::sync::Arc;
use loom::thread;
use procession_shm::{EventCount, OwnedLock};
use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, AtomicU64, Ordering};

/// Three threads have too many interleavings to try all; these are those with few preemptions.
fn model_of_three(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(model);
}

fn nobody(_: u32) -> bool {
    false
}

#[derive(Default)]
struct Counted {
    words: SemaphoreWords,
    waits: EventCount,
    inside: AtomicU32,
}

impl Counted {
    fn of(value: u32) -> Arc<Self> {
        let counted = Self::default();
        counted.words.init(value, 3);
        Arc::new(counted)
    }

    fn acquire(&self) {
        self.words.acquire(&self.waits, Deadline::never(), |_| false).unwrap();
    }
}

#[test]
fn a_semaphore_of_one_lets_one_in_at_a_time() {
    loom::model(|| {
        let shared = Counted::of(1);
        let pass = |shared: &Counted| {
            shared.acquire();
            shared.inside.store(shared.inside.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            assert!(shared.words.release(&shared.waits, 1));
        };
        let there = Arc::clone(&shared);
        let other = thread::spawn(move || pass(&there));
        pass(&shared);
        other.join().unwrap();
        assert_eq!(shared.inside.load(Ordering::Relaxed), 2);
        assert_eq!(shared.words.value(), 1);
    });
}

#[test]
fn two_releases_wake_two_sleepers() {
    model_of_three(|| {
        let shared = Counted::of(0);
        let sleepers: Vec<_> = (0..2)
            .map(|_| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.acquire())
            })
            .collect();
        assert!(shared.words.release(&shared.waits, 1));
        assert!(shared.words.release(&shared.waits, 1));
        sleepers.into_iter().for_each(|sleeper| sleeper.join().unwrap());
        assert_eq!(shared.words.value(), 0);
    });
}

#[test]
fn a_bounded_semaphore_is_never_above_its_bound() {
    loom::model(|| {
        let shared = Counted::of(2);
        let there = Arc::clone(&shared);
        let other = thread::spawn(move || there.words.release(&there.waits, 1));
        let mine = shared.words.release(&shared.waits, 1);
        assert_ne!(mine, other.join().unwrap(), "one of the two is one too many");
        assert_eq!(shared.words.value(), 3);
    });
}

#[test]
fn who_waits_for_an_event_wakes_and_sees_what_came_before() {
    loom::model(|| {
        let shared = Arc::new((EventWords::default(), AtomicU32::new(0)));
        let there = Arc::clone(&shared);
        let waiter = thread::spawn(move || {
            there.0.wait(Deadline::never(), |_| false).unwrap();
            assert_eq!(there.1.load(Ordering::Relaxed), 1);
        });
        shared.1.store(1, Ordering::Relaxed);
        shared.0.set();
        waiter.join().unwrap();
    });
}

#[test]
fn an_event_that_is_cleared_at_once_still_wakes_who_sleeps() {
    loom::model(|| {
        let shared = Arc::new((EventWords::default(), AtomicU32::new(0)));
        let there = Arc::clone(&shared);
        let waiter = thread::spawn(move || {
            there.1.store(1, Ordering::SeqCst);
            there.0.wait(Deadline::never(), |_| false).unwrap();
            there.1.store(2, Ordering::SeqCst);
        });
        // Set and cleared until it was done once with the waiter inside.
        while shared.1.load(Ordering::SeqCst) != 2 {
            shared.0.set();
            shared.0.clear();
            thread::yield_now();
        }
        waiter.join().unwrap();
    });
}

#[derive(Default)]
struct Told {
    lock: OwnedLock,
    counts: Counts,
    slots: [Slot; 2],
    crowd: EventCount,
    fact: AtomicU32,
}

impl Told {
    fn waiters(&self) -> Waiters<'_> {
        Waiters { counts: &self.counts, slots: &self.slots, crowd: &self.crowd }
    }

    fn lock(&self, stamp: u32) {
        self.lock.lock(stamp, Deadline::never(), |_| false).unwrap();
    }

    fn unlock(&self, stamp: u32) {
        assert!(self.lock.unlock_as(stamp, false).was_taken);
    }

    /// Waits, under the lock, until there is one to take, and takes it.
    fn take_one(&self, stamp: u32, gone: impl Fn(u32) -> bool + Copy) {
        self.lock(stamp);
        while self.fact.load(Ordering::Relaxed) == 0 {
            let place = self.waiters().enter(stamp, gone);
            self.unlock(stamp);
            self.waiters().wait(place, stamp, Deadline::never(), gone, |_| false).unwrap();
            self.lock(stamp);
        }
        self.fact.store(self.fact.load(Ordering::Relaxed) - 1, Ordering::Relaxed);
        self.unlock(stamp);
    }

    fn give_one(&self, stamp: u32, gone: impl Fn(u32) -> bool) {
        self.lock(stamp);
        self.fact.store(self.fact.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.waiters().notify(1, gone);
        self.unlock(stamp);
    }
}

#[test]
fn a_notice_reaches_who_waits_at_a_condition() {
    loom::model(|| {
        let shared = Arc::new(Told::default());
        let there = Arc::clone(&shared);
        let waiter = thread::spawn(move || there.take_one(2, nobody));
        shared.give_one(1, nobody);
        waiter.join().unwrap();
    });
}

#[test]
fn two_notices_reach_two_waiters() {
    model_of_three(|| {
        let shared = Arc::new(Told::default());
        let waiters: Vec<_> = (2..4)
            .map(|stamp| {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.take_one(stamp, nobody))
            })
            .collect();
        shared.give_one(1, nobody);
        shared.give_one(1, nobody);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
    });
}

#[test]
fn a_notice_passes_a_dead_waiter_by() {
    loom::model(|| {
        let shared = Arc::new(Told::default());
        let dead = |stamp| stamp == 9;
        // It waits, and is killed there.
        let _ = shared.waiters().enter(9, nobody);
        let there = Arc::clone(&shared);
        // The waiter itself knows of no death, so only the notifier can do right.
        let waiter = thread::spawn(move || there.take_one(2, nobody));
        shared.give_one(1, dead);
        waiter.join().unwrap();
    });
}

#[test]
fn a_notice_that_a_dead_waiter_had_goes_to_another() {
    loom::model(|| {
        let shared = Arc::new(Told::default());
        let dead = |stamp| stamp == 9;
        let _ = shared.waiters().enter(9, nobody);
        // Notified while it lived, and killed before it woke; then buried, and the others look.
        shared.waiters().notify(1, nobody);
        let there = Arc::clone(&shared);
        let place = there.waiters().enter(2, nobody);
        let waiter = thread::spawn(move || {
            there.waiters().wait(place, 2, Deadline::never(), dead, |_| false).unwrap();
            there.fact.store(1, Ordering::SeqCst);
        });
        // Time passes.
        while shared.fact.load(Ordering::SeqCst) == 0 {
            shared.waiters().look();
            thread::yield_now();
        }
        waiter.join().unwrap();
        assert_eq!(shared.waiters().len(nobody), 0);
    });
}

#[test]
fn more_waiters_than_slots_are_notified_too() {
    model_of_three(|| {
        let mut told = Told::default();
        told.slots = Default::default();
        let shared = Arc::new(told);
        let _ = shared.waiters().enter(8, nobody);
        let _ = shared.waiters().enter(9, nobody);
        let there = Arc::clone(&shared);
        let waiter = thread::spawn(move || there.take_one(2, nobody));
        shared.lock(1);
        shared.fact.store(1, Ordering::Relaxed);
        shared.waiters().notify(u32::MAX, nobody);
        shared.unlock(1);
        waiter.join().unwrap();
    });
}

#[derive(Default)]
struct Gate {
    words: BarrierWords,
    slots: [AtomicU64; 2],
    waits: EventCount,
    fact: [AtomicU32; 2],
}

impl Gate {
    fn open() -> Arc<Self> {
        let gate = Self::default();
        gate.words.init();
        Arc::new(gate)
    }

    fn parties(&self) -> Parties<'_> {
        Parties { words: &self.words, slots: &self.slots, waits: &self.waits }
    }

    fn wait(&self, stamp: u32, gone: impl Fn(u32) -> bool) -> Result<usize, Failed> {
        self.parties().wait(stamp, Deadline::never(), gone, |_| false, || true)
    }
}

#[test]
fn who_is_through_a_barrier_sees_what_the_others_did_before_it() {
    loom::model(|| {
        let gate = Gate::open();
        let there = Arc::clone(&gate);
        let other = thread::spawn(move || {
            there.fact[1].store(1, Ordering::Relaxed);
            let index = there.wait(2, nobody).unwrap();
            assert_eq!(there.fact[0].load(Ordering::Relaxed), 1);
            index
        });
        gate.fact[0].store(1, Ordering::Relaxed);
        let index = gate.wait(1, nobody).unwrap();
        assert_eq!(gate.fact[1].load(Ordering::Relaxed), 1);
        assert_eq!(index + other.join().unwrap(), 1);
    });
}

#[test]
fn a_barrier_can_be_used_again_at_once() {
    model_of_three(|| {
        let gate = Gate::open();
        let there = Arc::clone(&gate);
        let other = thread::spawn(move || {
            there.wait(2, nobody).unwrap();
            there.wait(2, nobody).unwrap();
        });
        gate.wait(1, nobody).unwrap();
        gate.wait(1, nobody).unwrap();
        other.join().unwrap();
        assert_eq!(gate.parties().len(), 0);
    });
}

#[test]
fn an_aborted_barrier_lets_all_through_or_none() {
    model_of_three(|| {
        let gate = Gate::open();
        let there = Arc::clone(&gate);
        let other = thread::spawn(move || there.wait(2, nobody));
        let aborter = Arc::clone(&gate);
        let abort = thread::spawn(move || aborter.parties().abort());
        let mine = gate.wait(1, nobody);
        let theirs = other.join().unwrap();
        abort.join().unwrap();
        assert_eq!(mine.is_ok(), theirs.is_ok());
        assert!(gate.parties().is_broken());
    });
}

#[test]
fn who_waits_when_a_barrier_is_reset_fails() {
    loom::model(|| {
        let gate = Gate::open();
        let there = Arc::clone(&gate);
        let other = thread::spawn(move || there.wait(2, nobody));
        while gate.parties().len() == 0 {
            thread::yield_now();
        }
        gate.parties().reset();
        assert_eq!(other.join().unwrap(), Err(Failed::Broken));
        assert!(!gate.parties().is_broken());
    });
}

#[test]
fn a_party_that_died_at_a_barrier_breaks_it_for_the_others() {
    loom::model(|| {
        let gate = Gate::open();
        let dead = AtomicU32::new(0);
        let shared = Arc::new((gate, dead));
        let there = Arc::clone(&shared);
        let other = thread::spawn(move || {
            let (gate, dead) = &*there;
            gate.wait(2, |stamp| stamp == 9 && dead.load(Ordering::SeqCst) != 0)
        });
        // It arrived, was killed, and is buried: all who sleep are woken.
        let (gate, dead) = &*shared;
        gate.parties().arrive_and_die(9);
        dead.store(1, Ordering::SeqCst);
        procession_sys::atomic::fence(Ordering::SeqCst);
        gate.waits.notify_all();
        let theirs = other.join().unwrap();
        assert!(theirs == Err(Failed::Broken) || theirs == Ok(0) || theirs == Ok(1));
        assert!(theirs.is_ok() != gate.parties().is_broken());
    });
}
