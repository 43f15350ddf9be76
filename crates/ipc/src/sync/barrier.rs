//! Waiting for each other.

use super::latch::{gave_up, is_gone, on_wake};
use super::words::barrier::{BarrierWords, Failed, Parties};
use crate::Error;
use crate::shareable::shareable;
use procession_shm::{Held, Kind, family};
use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const STATE_AT: usize = 32;
const COUNT_AT: usize = 40;
const SLOTS_AT: usize = 48;

/// A point at which a number of parties wait for each other, as Python's `multiprocessing.Barrier`.
///
/// When the last has arrived all go on, and the barrier can be used again at once. It is *broken* when
/// somebody gives up, [aborts](Barrier::abort) it, or dies at it: all who wait fail, and all who come,
/// until it is [reset](Barrier::reset).
///
/// # If a process dies
/// A party that is killed while it waits breaks the barrier; the others learn it at once if somebody
/// reaps the dead one in the family, else within about a second. A process that dies before it arrives
/// is not missed: nobody knows that it was to come. Use a timeout where that can happen.
///
/// # After fork
/// The child has the same barrier.
///
/// # Examples
/// ```
/// let barrier = procession_ipc::Barrier::new(2)?;
/// let other = barrier.clone();
/// let thread = std::thread::spawn(move || other.wait().unwrap());
/// let mine = barrier.wait()?;
/// let theirs = thread.join().unwrap();
/// assert_eq!(mine + theirs, 1, "one was first, one was last");
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Barrier {
    held: Held,
    parties: Parties<'static>,
}

shareable!(Barrier, held, Kind::Barrier, 0);

impl Barrier {
    /// A barrier for so many parties; for 0 as for 1, nobody waits at it.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new(parties: usize) -> Result<Self, Error> {
        let parties = parties.max(1) as u64;
        let len = parties.saturating_mul(8).saturating_add(SLOTS_AT as u64);
        let held = family()?.make(Kind::Barrier, len, 0, |region| {
            region.object::<AtomicU64>(COUNT_AT).store(parties, Ordering::Relaxed);
            region.object::<BarrierWords>(STATE_AT).init();
            Ok(())
        })?;
        Ok(Self::of(held))
    }

    fn of(held: Held) -> Self {
        let room = (held.region().len() - SLOTS_AT) / 8;
        let count = held.words::<AtomicU64>(COUNT_AT).load(Ordering::Relaxed) as usize;
        let parties = Parties {
            words: held.words(STATE_AT),
            // The count is only as good as the memory it lies in.
            slots: held.region().objects(SLOTS_AT, count.clamp(1, room)),
            waits: &held.head().waits[0],
        };
        Self { held, parties }
    }

    /// Waits until all parties have arrived; how many had arrived before this one.
    ///
    /// # Errors
    /// [`Error::BrokenBarrier`].
    pub fn wait(&self) -> Result<usize, Error> {
        self.wait_until(Deadline::never(), || false)
    }

    /// Waits until all parties have arrived, at most for `timeout`.
    ///
    /// # Errors
    /// [`Error::BrokenBarrier`]; [`Error::TimedOut`], and then the barrier is broken for the others.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<usize, Error> {
        self.wait_until(Deadline::after(timeout), || false)
    }

    /// Waits until all parties have arrived, the deadline comes, or `interrupt`, which is asked after
    /// every signal, says that it is enough.
    ///
    /// # Errors
    /// [`Error::BrokenBarrier`]; [`Error::TimedOut`] or [`Error::Interrupted`], and then the barrier is
    /// broken for the others.
    pub fn wait_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<usize, Error> {
        self.wait_until_then(deadline, interrupt, || true)
    }

    /// As [`wait_until`](Self::wait_until); the party that arrives last calls `last` before it lets all
    /// go on, or breaks the barrier if that says `false`.
    ///
    /// # Errors
    /// As there.
    pub fn wait_until_then(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
        last: impl FnOnce() -> bool,
    ) -> Result<usize, Error> {
        let family = self.held.family();
        let stamp = family.me().stamp();
        let on_wake = on_wake(family, interrupt);
        self.parties.wait(stamp, deadline, is_gone(family), on_wake, last).map_err(|failed| {
            match failed {
                Failed::Broken => Error::BrokenBarrier,
                Failed::GaveUp(woken) => gave_up(woken, "waiting at a barrier"),
            }
        })
    }

    /// Breaks the barrier: all who wait fail, and all who come, until it is reset.
    pub fn abort(&self) {
        self.parties.abort();
    }

    /// Opens the barrier anew. All who wait fail.
    pub fn reset(&self) {
        self.parties.reset();
    }

    /// How many parties it needs.
    pub fn parties(&self) -> usize {
        self.parties.slots.len()
    }

    /// How many wait now.
    pub fn n_waiting(&self) -> usize {
        self.parties.len()
    }

    /// Whether it is broken.
    pub fn broken(&self) -> bool {
        self.parties.is_broken()
    }
}
