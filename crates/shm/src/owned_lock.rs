//! The word of the locks that users see: it names the member that took it.
//!
//! | bits of the word | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0..30 | 0: free; else the [stamp](crate::MemberId::stamp) of who took it | the taker | whoever releases |
//! | 30 `OWNER_DIED` | free, and an owner died with it | who buries the owner (robust use only); an owner that passes the news on | the next taker |
//! | 31 `WAITERS` | somebody may sleep, or has asked to be told | a waiter | whoever releases |
//!
//! Unlike the internal lock a user's lock is held for any time, many at once, and a plain `Lock` may
//! be released by another process than took it. So the kernel cannot watch over it; the ledger
//! does: whoever buries a member looks at the robust words it held. A plain `Lock` whose taker
//! was killed stays taken, as in Python.
//!
//! The stamp has bits of the seat's generation, so that a burial that comes late, or for the second
//! time, never frees the lock of the member that has the seat by then.
//!
//! If a waiter that was woken is killed before it looks, the others are without a mark; so sleepers
//! look, and mark, anew every [`RECHECK`](crate::RECHECK).

use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, Ordering, spin_hint};
use procession_sys::futex::{self, Woken};

const OWNER: u32 = (1 << 30) - 1;
const OWNER_DIED: u32 = 1 << 30;
const WAITERS: u32 = 1 << 31;
const SPINS: u32 = if cfg!(loom) { 0 } else { 60 };

/// The word of a lock, with the stamp of whoever took it.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct OwnedLock {
    word: AtomicU32,
}

// SAFETY: one atomic word, `repr(transparent)`.
#[cfg(not(loom))]
unsafe impl crate::Shared for OwnedLock {}

/// How a lock was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// As it was left.
    Clean,
    /// The last owner died with it.
    OwnerDied,
}

/// What giving a lock back met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Given {
    /// Whether it was taken, by whoever gives it back.
    pub was_taken: bool,
    /// Whether somebody waited: one who slept was woken.
    pub was_waited_for: bool,
}

impl OwnedLock {
    /// A free lock.
    #[cfg(not(loom))]
    pub const fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// A free lock.
    #[cfg(loom)]
    pub fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// Takes the lock for `stamp` if it is free. Never waits.
    #[inline]
    pub fn try_lock(&self, stamp: u32) -> Option<Taken> {
        debug_assert!(stamp != 0 && stamp & !OWNER == 0, "{stamp:#x} is no stamp");
        if self.word.compare_exchange(0, stamp, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return Some(Taken::Clean);
        }
        self.try_lock_marked(stamp, 0)
    }

    /// Takes the lock for `stamp`, waiting until the deadline. After every sleep that did not end
    /// with the lock, `on_wake` is told how it ended, and ends the wait if it says `true`.
    ///
    /// # Errors
    /// [`Woken::TimedOut`] if the deadline came, or what `on_wake` ended the wait at.
    #[inline]
    pub fn lock(
        &self,
        stamp: u32,
        deadline: Deadline,
        on_wake: impl FnMut(Woken) -> bool,
    ) -> Result<Taken, Woken> {
        match self.try_lock(stamp) {
            Some(taken) => Ok(taken),
            None => self.lock_slow(stamp, deadline, on_wake),
        }
    }

    /// Gives the lock back, whoever took it.
    #[inline]
    pub fn unlock(&self) -> Given {
        // Acquire: pairs with `ask`.
        let was = self.word.swap(0, Ordering::AcqRel);
        self.wake_after(was)
    }

    /// Gives the lock back if `stamp` holds it. With `news`, the next owner is told what this one was
    /// told: that an owner died.
    #[inline]
    pub fn unlock_as(&self, stamp: u32, news: bool) -> Given {
        let free = if news { OWNER_DIED } else { 0 };
        if self.word.compare_exchange(stamp, free, Ordering::Release, Ordering::Relaxed).is_ok() {
            return Given { was_taken: true, was_waited_for: false };
        }
        self.unlock_waited(stamp, free)
    }

    /// Asks whoever gives the lock back to say that it was waited for, without sleeping here. `false`
    /// if it is free. What the caller wrote before is seen by the one who is told.
    pub fn ask(&self) -> bool {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & OWNER != 0 {
            let marked = seen | WAITERS;
            match self.word.compare_exchange(seen, marked, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => seen = now,
            }
        }
        false
    }

    /// The stamp of whoever took it; `None` if it is free.
    #[inline]
    pub fn owner(&self) -> Option<u32> {
        Some(self.word.load(Ordering::Relaxed) & OWNER).filter(|stamp| *stamp != 0)
    }

    /// Frees the lock if `stamp` held it, and leaves word of that for the next owner.
    pub fn owner_died(&self, stamp: u32) -> bool {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & OWNER == stamp {
            let next = (seen & WAITERS) | OWNER_DIED;
            match self.word.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => {
                    futex::wake(&self.word, 1);
                    return true;
                }
                Err(now) => seen = now,
            }
        }
        false
    }

    /// Wakes all who sleep here, to look again.
    pub fn disturb(&self) {
        if self.word.load(Ordering::Relaxed) & WAITERS != 0 {
            futex::wake_all(&self.word);
        }
    }

    #[cold]
    fn unlock_waited(&self, stamp: u32, free: u32) -> Given {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & OWNER == stamp {
            match self.word.compare_exchange(seen, free, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(was) => return self.wake_after(was),
                Err(now) => seen = now,
            }
        }
        Given { was_taken: false, was_waited_for: false }
    }

    #[inline]
    fn wake_after(&self, was: u32) -> Given {
        let was_waited_for = was & WAITERS != 0;
        if was_waited_for {
            futex::wake(&self.word, 1);
        }
        Given { was_taken: was & OWNER != 0, was_waited_for }
    }

    fn try_lock_marked(&self, stamp: u32, mark: u32) -> Option<Taken> {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & OWNER == 0 {
            let mine = stamp | mark | (seen & WAITERS);
            match self.word.compare_exchange(seen, mine, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if seen & OWNER_DIED != 0 => return Some(Taken::OwnerDied),
                Ok(_) => return Some(Taken::Clean),
                Err(now) => seen = now,
            }
        }
        None
    }

    #[cold]
    fn lock_slow(
        &self,
        stamp: u32,
        deadline: Deadline,
        mut on_wake: impl FnMut(Woken) -> bool,
    ) -> Result<Taken, Woken> {
        for _ in 0..SPINS {
            spin_hint();
            if let Some(taken) = self.try_lock_marked(stamp, 0) {
                return Ok(taken);
            }
        }
        let mut mark = 0;
        loop {
            if let Some(taken) = self.try_lock_marked(stamp, mark) {
                return Ok(taken);
            }
            let seen = self.word.fetch_or(WAITERS, Ordering::Relaxed) | WAITERS;
            if seen & OWNER == 0 {
                continue;
            }
            mark = WAITERS;
            match futex::wait(&self.word, seen, self.patience(deadline)) {
                Woken::TimedOut if deadline.expired() => return Err(Woken::TimedOut),
                woken if on_wake(woken) => return Err(woken),
                _ => {}
            }
        }
    }

    fn patience(&self, deadline: Deadline) -> Deadline {
        #[cfg(not(loom))]
        return deadline.within(crate::RECHECK);
        #[cfg(loom)]
        return deadline;
    }
}
