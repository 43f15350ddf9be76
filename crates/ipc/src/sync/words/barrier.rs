//! The words of a barrier.
//!
//! | bits of `state` | meaning |
//! |---|---|
//! | 0 `BROKEN` | the generation now open is broken |
//! | 1..32 | how the last 31 generations ended, the latest lowest: 0 all arrived, 1 broken |
//! | 32..64 | the generation now open; the first is 1 |
//!
//! | bits of a slot | meaning | set by |
//! |---|---|---|
//! | 32..64 | the generation for which somebody has arrived here | who arrives |
//! | 0..32 | its stamp | who arrives |
//!
//! A party takes the first slot that is of an older generation; who takes the last one ends the
//! generation with one store to `state`. That makes all slots older, so there is nothing to clear, and
//! nobody waits until the others have left. How a generation ended is read from the history, so a
//! slow waiter learns it when the next one is under way.
//!
//! **If a party dies** after it arrived, the others find its stamp in a slot: whoever waits looks when
//! it is woken by the burial, and the last to arrive looks before it ends the generation. They break
//! it. One who is killed between taking the last slot and ending the generation has arrived and is
//! gone: the same.

use procession_shm::EventCount;
use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU64, Ordering, fence};
use procession_sys::futex::Woken;

const BROKEN: u64 = 1;
const LAST_BROKEN: u64 = 2;
const HISTORY: u64 = 0xffff_fffe;
const GENERATION: u64 = 1 << 32;

procession_shm::shared_struct! {
    #[derive(Debug, Default)]
    pub(in crate::sync) struct BarrierWords: 8 {
        state: AtomicU64,
    }
}

/// A barrier: its state, a slot for each party, and where they sleep.
#[derive(Clone, Copy, Debug)]
pub(in crate::sync) struct Parties<'a> {
    pub(in crate::sync) words: &'a BarrierWords,
    pub(in crate::sync) slots: &'a [AtomicU64],
    pub(in crate::sync) waits: &'a EventCount,
}

/// Why a party did not get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sync) enum Failed {
    /// Somebody broke the barrier, or died at it.
    Broken,
    /// The party itself gave up, and broke it.
    GaveUp(Woken),
}

enum Claim {
    Index(usize),
    Full,
    Outdated,
}

impl BarrierWords {
    pub(in crate::sync) fn init(&self) {
        self.state.store(GENERATION, Ordering::Relaxed);
    }
}

impl Parties<'_> {
    /// Arrives and waits for the others. How many had arrived before. Who arrives last asks `last`
    /// whether all may go on.
    pub(in crate::sync) fn wait(
        &self,
        stamp: u32,
        deadline: Deadline,
        gone: impl Fn(u32) -> bool,
        mut on_wake: impl FnMut(Woken) -> bool,
        last: impl FnOnce() -> bool,
    ) -> Result<usize, Failed> {
        loop {
            let state = self.words.state.load(Ordering::Acquire);
            if state & BROKEN != 0 {
                return Err(Failed::Broken);
            }
            match self.claim(state, stamp) {
                Claim::Index(index) if index + 1 == self.slots.len() => {
                    if !last() {
                        self.break_open(state);
                        return Err(Failed::Broken);
                    }
                    return self.complete(state, &gone).then_some(index).ok_or(Failed::Broken);
                }
                Claim::Index(index) => {
                    let ended = self.sleep(state, deadline, &gone, &mut on_wake);
                    return ended.and_then(|whole| whole.then_some(index).ok_or(Failed::Broken));
                }
                // One party too many: it is of the next generation.
                Claim::Full => {
                    self.sleep(state, deadline, &gone, &mut on_wake)?;
                }
                Claim::Outdated => {}
            }
        }
    }

    /// Breaks the open generation; all who wait, or arrive before [`reset`](Self::reset), fail.
    pub(in crate::sync) fn abort(&self) {
        self.words.state.fetch_or(BROKEN, Ordering::AcqRel);
        self.notify();
    }

    /// Opens a new generation; who waits in the old one fails.
    pub(in crate::sync) fn reset(&self) {
        let mut seen = self.words.state.load(Ordering::Relaxed);
        while let Err(now) = self.advance(seen, LAST_BROKEN) {
            seen = now;
        }
    }

    pub(in crate::sync) fn is_broken(&self) -> bool {
        self.words.state.load(Ordering::Acquire) & BROKEN != 0
    }

    /// How many have arrived and wait.
    pub(in crate::sync) fn len(&self) -> usize {
        let state = self.words.state.load(Ordering::Acquire);
        if state & BROKEN != 0 { 0 } else { self.arrived(state).count() }
    }

    /// What is left of a party that arrived and was killed.
    #[cfg(loom)]
    pub(super) fn arrive_and_die(&self, stamp: u32) {
        self.claim(self.words.state.load(Ordering::Acquire), stamp);
    }

    fn claim(&self, state: u64, stamp: u32) -> Claim {
        let mine = state & !(GENERATION - 1) | u64::from(stamp);
        for (index, slot) in self.slots.iter().enumerate() {
            let mut seen = slot.load(Ordering::Acquire);
            loop {
                // The difference of generations; negative if the slot's is older.
                match ((seen >> 32) as i32).wrapping_sub((state >> 32) as i32) {
                    0 => break,
                    1.. => return Claim::Outdated,
                    _ => {}
                }
                match slot.compare_exchange(seen, mine, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return Claim::Index(index),
                    Err(now) => seen = now,
                }
            }
        }
        Claim::Full
    }

    /// Ends the generation, in which all slots are taken; `false` if it is broken.
    fn complete(&self, state: u64, gone: &impl Fn(u32) -> bool) -> bool {
        if self.lost_one(state, gone) {
            self.break_open(state);
            return false;
        }
        self.advance(state, 0).is_ok() || self.outcome(state) == Some(true)
    }

    /// Sleeps until the generation of `state` has ended; whether all arrived.
    fn sleep(
        &self,
        state: u64,
        deadline: Deadline,
        gone: &impl Fn(u32) -> bool,
        on_wake: &mut impl FnMut(Woken) -> bool,
    ) -> Result<bool, Failed> {
        loop {
            let ticket = self.waits.announce();
            if let Some(whole) = self.outcome(state) {
                return Ok(whole);
            }
            if self.lost_one(state, gone) {
                self.break_open(state);
                continue;
            }
            let woken = self.waits.sleep(ticket, deadline);
            let gives_up = woken == Woken::TimedOut || on_wake(woken);
            if gives_up && self.break_open(state) {
                return Err(Failed::GaveUp(woken));
            }
        }
    }

    /// How the generation of `state` ended, if it has.
    fn outcome(&self, state: u64) -> Option<bool> {
        let now = self.words.state.load(Ordering::Acquire);
        match (now >> 32).wrapping_sub(state >> 32) & 0xffff_ffff {
            0 if now & BROKEN != 0 => Some(false),
            0 => None,
            ago @ 1..=31 => Some(now >> ago & 1 == 0),
            _ => Some(false),
        }
    }

    fn lost_one(&self, state: u64, gone: &impl Fn(u32) -> bool) -> bool {
        self.arrived(state).any(gone)
    }

    /// The stamps of those who have arrived in the generation of `state`.
    fn arrived(&self, state: u64) -> impl Iterator<Item = u32> {
        self.slots
            .iter()
            .map(|slot| slot.load(Ordering::Acquire))
            .filter(move |slot| slot >> 32 == state >> 32)
            .map(|slot| slot as u32)
    }

    /// Breaks the generation of `state` if it is still open.
    fn break_open(&self, state: u64) -> bool {
        let open = self.words.state.compare_exchange(
            state,
            state | BROKEN,
            Ordering::AcqRel,
            Ordering::Relaxed,
        );
        if open.is_ok() {
            self.notify();
        }
        open.is_ok()
    }

    fn advance(&self, state: u64, ended: u64) -> Result<(), u64> {
        let generation = (state & !(GENERATION - 1)).wrapping_add(GENERATION);
        let next = generation | (state << 1 & HISTORY & !LAST_BROKEN) | ended;
        self.words.state.compare_exchange(state, next, Ordering::AcqRel, Ordering::Relaxed)?;
        self.notify();
        Ok(())
    }

    fn notify(&self) {
        fence(Ordering::SeqCst);
        self.waits.notify_all();
    }
}
