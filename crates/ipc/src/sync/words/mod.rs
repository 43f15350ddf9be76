//! The algorithms of this floor's locks: they take references to their words and do not know where
//! the memory is. Loom checks them as they are.
//!
//! | room | state | sleeps on |
//! |---|---|---|
//! | [`semaphore`] | how many may still enter | an event count |
//! | [`event`] | set or not, how often cleared | its own word |
//! | [`condition`] | a slot for each waiter | the slot |
//! | [`barrier`] | a generation, a slot for each party | an event count |
//!
//! Every wait here ends with what it waited for, or with the [`Woken`] at which it ended: the deadline
//! has come, or `on_wake`, which is told about every other end of a sleep, said that it is enough.

pub(super) mod barrier;
pub(super) mod condition;
pub(super) mod event;
#[cfg(all(test, loom))]
mod loom_models;
pub(super) mod semaphore;

use procession_sys::Deadline;
use procession_sys::atomic::AtomicU32;
use procession_sys::futex::{self, Woken};

/// Sleeps on `word`, at most until it is time to look again by oneself. `TimedOut` is the deadline.
fn nap(word: &AtomicU32, expected: u32, deadline: Deadline) -> Woken {
    #[cfg(not(loom))]
    let until = deadline.within(procession_shm::RECHECK);
    #[cfg(loom)]
    let until = deadline;
    match futex::wait(word, expected, until) {
        Woken::TimedOut if !deadline.expired() => Woken::Maybe,
        woken => woken,
    }
}
