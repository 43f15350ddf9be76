//! The word of the locks that users see: it names the member that took it.
//!
//! | bits of the word | meaning | set by | cleared by |
//! |---|---|---|---|
//! | 0..16 | 0: free; else the seat of the member that took it | the taker | whoever releases |
//! | 30 `OWNER_DIED` | the last owner died with it | who buries the owner (robust use only) | the next taker |
//! | 31 `WAITERS` | somebody may sleep | a waiter | whoever releases |
//!
//! Unlike the internal lock a user's lock is held for any time, many at once, and a plain `Lock` may
//! be released by another process than took it. So the kernel cannot watch over it; the ledger
//! does: whoever buries a member looks at the robust words it held. A plain `Lock` whose taker
//! was killed stays taken, as in Python.

use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, Ordering, spin_hint};
use procession_sys::futex::{self, Woken};

const SEAT: u32 = 0xffff;
const OWNER_DIED: u32 = 1 << 30;
const WAITERS: u32 = 1 << 31;
const SPINS: u32 = if cfg!(loom) { 0 } else { 60 };

/// The word of a lock, with the seat of whoever took it.
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

impl OwnedLock {
    /// A free lock.
    pub fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// Takes the lock for `seat` (1 to 65535) if it is free. Never waits.
    #[inline]
    pub fn try_lock(&self, seat: u32) -> Option<Taken> {
        if self.word.compare_exchange(0, seat, Ordering::Acquire, Ordering::Relaxed).is_ok() {
            return Some(Taken::Clean);
        }
        self.try_lock_marked(seat, 0)
    }

    /// Takes the lock for `seat`, waiting until the deadline. `interrupt` is asked after every
    /// signal; if it says so, the wait ends.
    #[inline]
    pub fn lock(
        &self,
        seat: u32,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<Taken, Woken> {
        match self.try_lock(seat) {
            Some(taken) => Ok(taken),
            None => self.lock_slow(seat, deadline, interrupt),
        }
    }

    /// Gives the lock back, whoever took it. `false` if it was free.
    #[inline]
    pub fn unlock(&self) -> bool {
        let was = self.word.swap(0, Ordering::Release);
        if was & WAITERS != 0 {
            futex::wake(&self.word, 1);
        }
        was & SEAT != 0
    }

    /// The seat of whoever took it; `None` if it is free.
    #[inline]
    pub fn owner(&self) -> Option<u32> {
        Some(self.word.load(Ordering::Relaxed) & SEAT).filter(|seat| *seat != 0)
    }

    /// Frees the lock if `seat` held it, and leaves word of that for the next owner.
    pub fn owner_died(&self, seat: u32) -> bool {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & SEAT == seat {
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

    fn try_lock_marked(&self, seat: u32, mark: u32) -> Option<Taken> {
        let mut seen = self.word.load(Ordering::Relaxed);
        while seen & SEAT == 0 {
            let mine = seat | mark | (seen & WAITERS);
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
        seat: u32,
        deadline: Deadline,
        mut interrupt: impl FnMut() -> bool,
    ) -> Result<Taken, Woken> {
        for _ in 0..SPINS {
            spin_hint();
            if let Some(taken) = self.try_lock_marked(seat, 0) {
                return Ok(taken);
            }
        }
        let mut mark = 0;
        loop {
            if let Some(taken) = self.try_lock_marked(seat, mark) {
                return Ok(taken);
            }
            let seen = self.word.fetch_or(WAITERS, Ordering::Relaxed) | WAITERS;
            if seen & SEAT == 0 {
                continue;
            }
            mark = WAITERS;
            match futex::wait(&self.word, seen, self.patience(deadline)) {
                Woken::TimedOut if deadline.expired() => return Err(Woken::TimedOut),
                Woken::Interrupted if interrupt() => return Err(Woken::Interrupted),
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
