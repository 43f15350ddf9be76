//! Sleeping until something has happened, with no lock held and no state left by a sleeper.
//!
//! | bits of the word | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0 | somebody may sleep | a waiter, before its last look | a notifier |
//! | 1..32 | how many notices were given, wrapping | a notifier that saw bit 0 | |
//!
//! A waiter announces itself, looks again at what it waits for, and sleeps only while the word has
//! the value of its announcement (A). A notifier makes the thing true, passes a full barrier, and
//! touches the word only if bit 0 is set (B): the two cannot miss each other. The idea is the event
//! count (D. Reed, R. Kanodia, CACM 22(2), 1979), as in folly's and rayon's sleep modules.
//!
//! **If a waiter is killed** nothing has to be acknowledged. A notice that wakes one may have woken
//! the dead one; so sleepers look again every [`RECHECK`], and whoever buries a member wakes all.

use procession_sys::atomic::{AtomicU32, Ordering, fence};
use procession_sys::futex::{self, Woken};
use procession_sys::{Deadline, crash_point};
use std::time::Duration;

const WAITERS: u32 = 1;
const NOTICE: u32 = 2;

/// How long a sleeper sleeps before it looks again by itself.
pub const RECHECK: Duration = Duration::from_millis(500);

/// The word that waiters sleep on.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct EventCount {
    word: AtomicU32,
}

// SAFETY: one atomic word, `repr(transparent)`.
#[cfg(not(loom))]
unsafe impl crate::Shared for EventCount {}

/// What [`EventCount::announce`] saw.
#[derive(Clone, Copy, Debug)]
pub struct Ticket(u32);

impl EventCount {
    /// A word nobody sleeps on.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// A word nobody sleeps on.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// Says that the caller is about to sleep. It must look once more at what it waits for after
    /// this, and then [`sleep`](Self::sleep) or go its way.
    pub fn announce(&self) -> Ticket {
        // (A) pairs with the barrier before `notify_*`.
        let seen = self.word.fetch_or(WAITERS, Ordering::SeqCst) | WAITERS;
        fence(Ordering::SeqCst);
        Ticket(seen)
    }

    /// Sleeps until a notice after `ticket`, the deadline, a signal, or [`RECHECK`].
    ///
    /// Leaves the word marked, for the others who may sleep there.
    pub fn sleep(&self, ticket: Ticket, deadline: Deadline) -> Woken {
        #[cfg(not(loom))]
        let until = deadline.within(RECHECK);
        #[cfg(loom)]
        let until = deadline;
        let woken = futex::wait(&self.word, ticket.0, until);
        // The notifier cleared the mark and may have woken only one of several. As in `announce`, so that
        // the caller may look and go its way without announcing itself again.
        self.word.fetch_or(WAITERS, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        match woken {
            Woken::TimedOut if !deadline.expired() => Woken::Maybe,
            other => other,
        }
    }

    /// Wakes at least one sleeper if there is any.
    ///
    /// The caller has made true what the sleepers wait for, and has passed a full barrier since
    /// (a `SeqCst` fence, or [`fence_after_rmw`](procession_sys::atomic::fence_after_rmw)).
    #[inline]
    pub fn notify_one(&self) {
        self.notify(1);
    }

    /// Wakes all sleepers; else as [`notify_one`](Self::notify_one).
    #[inline]
    pub fn notify_all(&self) {
        self.notify(i32::MAX as u32);
    }

    /// Wakes at least `count` sleepers if there are so many; else as
    /// [`notify_one`](Self::notify_one).
    #[inline]
    pub fn notify(&self, count: u32) {
        // (B) pairs with `announce`.
        if self.word.load(Ordering::Relaxed) & WAITERS != 0 {
            self.wake(count);
        }
    }

    /// Whether somebody may sleep here.
    pub fn has_waiters(&self) -> bool {
        self.word.load(Ordering::Relaxed) & WAITERS != 0
    }

    #[cold]
    fn wake(&self, count: u32) {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & WAITERS != 0 {
            let next = seen.wrapping_add(NOTICE) & !WAITERS;
            match self.word.compare_exchange_weak(seen, next, Ordering::SeqCst, Ordering::Relaxed) {
                Ok(_) => {
                    crash_point!("event_count.wake.before_futex");
                    futex::wake(&self.word, count);
                    return;
                }
                Err(now) => seen = now,
            }
        }
    }
}
