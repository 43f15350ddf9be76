//! The words of a semaphore.
//!
//! | word | meaning | written by |
//! |---|---|---|
//! | `value` | how many may enter now | who enters (down), who releases (up) |
//! | `bound` | how many may enter at most | the maker, once |
//!
//! Sleepers sleep at the object's event count. A release wakes one and takes the mark that says that
//! somebody sleeps; two releases in a row so wake one only. Therefore who was woken marks again before
//! it looks, and wakes the next if more may enter (E).
//!
//! **If a party dies** while it waits, nothing is left of it; if it was the one that a release woke,
//! the others look by themselves within [`RECHECK`](procession_shm::RECHECK). What it had taken stays
//! taken.

use procession_shm::EventCount;
use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, Ordering, fence_after_rmw};
use procession_sys::futex::Woken;

procession_shm::shared_struct! {
    #[derive(Debug, Default)]
    pub(in crate::sync) struct SemaphoreWords: 8 {
        value: AtomicU32,
        bound: AtomicU32,
    }
}

impl SemaphoreWords {
    /// Sets how many may enter now, and at most. For the maker.
    pub(in crate::sync) fn init(&self, value: u32, bound: u32) {
        self.value.store(value, Ordering::Relaxed);
        self.bound.store(bound, Ordering::Relaxed);
    }

    pub(in crate::sync) fn value(&self) -> u32 {
        self.value.load(Ordering::Relaxed)
    }

    #[inline]
    pub(in crate::sync) fn try_acquire(&self) -> bool {
        self.take().is_some()
    }

    pub(in crate::sync) fn acquire(
        &self,
        waits: &EventCount,
        deadline: Deadline,
        mut on_wake: impl FnMut(Woken) -> bool,
    ) -> Result<(), Woken> {
        if self.try_acquire() {
            return Ok(());
        }
        loop {
            let ticket = waits.announce();
            if let Some(left) = self.take() {
                if left > 0 {
                    // (E)
                    waits.notify_one();
                }
                return Ok(());
            }
            match waits.sleep(ticket, deadline) {
                Woken::TimedOut => return Err(Woken::TimedOut),
                woken if on_wake(woken) => return Err(woken),
                _ => {}
            }
        }
    }

    /// Lets `count` more enter; `false`, and nothing is done, if that is more than the bound.
    #[inline]
    pub(in crate::sync) fn release(&self, waits: &EventCount, count: u32) -> bool {
        let bound = self.bound.load(Ordering::Relaxed);
        let mut seen = self.value.load(Ordering::Relaxed);
        loop {
            let Some(next) = seen.checked_add(count).filter(|next| *next <= bound) else {
                return false;
            };
            match self.value.compare_exchange_weak(seen, next, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        fence_after_rmw();
        waits.notify(count);
        true
    }

    /// Enters if one may; how many more may then.
    #[inline]
    fn take(&self) -> Option<u32> {
        let mut seen = self.value.load(Ordering::Relaxed);
        while seen > 0 {
            match self.value.compare_exchange_weak(
                seen,
                seen - 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(seen - 1),
                Err(now) => seen = now,
            }
        }
        None
    }
}
