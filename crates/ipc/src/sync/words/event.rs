//! The word of an event.
//!
//! | bits of the word | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0 `SET` | the event is set | `set` | `clear` |
//! | 1 `WAITERS` | somebody may sleep; only while `SET` is 0 | a waiter | `set` |
//! | 2..32 | how often it was cleared, wrapping | | |
//!
//! A waiter returns when it finds the event set, or cleared since it began: then it was set in
//! between. Setting is one store and, if somebody may sleep, one wake: no lock, no allocation, so a
//! signal handler may do it.
//!
//! **If a party dies**: a waiter leaves at most the mark; one who sets and is killed before its wake
//! has set, and sleepers look by themselves within [`RECHECK`](procession_shm::RECHECK).

use super::nap;
use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, Ordering};
use procession_sys::futex::{self, Woken};

const SET: u32 = 1;
const WAITERS: u32 = 2;
const CLEARED: u32 = 4;

procession_shm::shared_struct! {
    #[derive(Debug, Default)]
    pub(in crate::sync) struct EventWords: 4 {
        word: AtomicU32,
    }
}

impl EventWords {
    #[inline]
    pub(in crate::sync) fn is_set(&self) -> bool {
        self.word.load(Ordering::Acquire) & SET != 0
    }

    pub(in crate::sync) fn set(&self) {
        let mut seen = self.word.load(Ordering::Relaxed);
        loop {
            // Stored even if it was set: who sees the event then sees what came before this call.
            let next = (seen | SET) & !WAITERS;
            match self.word.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if seen & WAITERS != 0 => {
                    futex::wake_all(&self.word);
                    return;
                }
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    pub(in crate::sync) fn clear(&self) {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & SET != 0 {
            let next = seen.wrapping_add(CLEARED) & !(SET | WAITERS);
            match self.word.compare_exchange_weak(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return,
                Err(now) => seen = now,
            }
        }
    }

    pub(in crate::sync) fn wait(
        &self,
        deadline: Deadline,
        mut on_wake: impl FnMut(Woken) -> bool,
    ) -> Result<(), Woken> {
        let mut seen = self.word.load(Ordering::Acquire);
        let began = seen / CLEARED;
        while seen & SET == 0 && seen / CLEARED == began {
            let marked = seen | WAITERS;
            let changed = seen != marked
                && self
                    .word
                    .compare_exchange(seen, marked, Ordering::Relaxed, Ordering::Relaxed)
                    .is_err();
            let woken = if changed { Woken::Maybe } else { nap(&self.word, marked, deadline) };
            seen = self.word.load(Ordering::Acquire);
            let ends = woken == Woken::TimedOut || (!changed && on_wake(woken));
            if ends && seen & SET == 0 && seen / CLEARED == began {
                return Err(woken);
            }
        }
        Ok(())
    }
}
