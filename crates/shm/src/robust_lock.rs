//! The internal lock: a futex word that the kernel frees when its owner dies.
//!
//! | value of the word | meaning | set by |
//! |---|---|---|
//! | 0 | free | the owner, or zeroed memory |
//! | `tid` | held by that thread, nobody sleeps | the taker, from 0 |
//! | `tid \| WAITERS` | held, somebody may sleep | a waiter, or a taker that has slept |
//! | `OWNER_DIED [\| WAITERS]` | free, the last owner died with it | the kernel |
//!
//! The next owner learns of the death from [`RobustGuard::owner_died`]. There is no repair code in
//! the lock: what it protects commits with one store, or is rebuilt by whoever sees the flag. At
//! most one such lock per thread (see [`procession_sys::robust`]); no user code runs under it.
//!
//! A waiter that is woken and dies is replaced by the kernel (the word is 0 and pending in the dead
//! one's slot: it wakes another). An owner that dies between its unlocking store and its wake, while
//! a third thread takes the lock in between, leaves a sleeper for later; so sleepers look again
//! after [`PATIENCE`].

use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, Ordering, fence_after_rmw, spin_hint};
use procession_sys::futex;
use procession_sys::robust::{self, OWNER_DIED, TID_MASK, WAITERS};
#[cfg(not(loom))]
use std::time::Duration;

#[cfg(not(loom))]
const PATIENCE: Duration = Duration::from_millis(50);

/// How often a taker looks before it sleeps: about a critical section's length.
const SPINS: u32 = if cfg!(loom) { 0 } else { 60 };

/// A lock between processes that survives its owner's death.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct RobustLock {
    word: AtomicU32,
}

// SAFETY: one atomic word, `repr(transparent)`.
#[cfg(not(loom))]
unsafe impl crate::Shared for RobustLock {}

/// The lock, held. Dropping it gives it back. Not `Send`: the kernel knows the thread.
#[derive(Debug)]
pub struct RobustGuard<'a> {
    lock: &'a RobustLock,
    owner_died: bool,
    _not_send: std::marker::PhantomData<*const ()>,
}

impl RobustLock {
    /// A free lock.
    pub fn new() -> Self {
        Self { word: AtomicU32::new(0) }
    }

    /// Takes the lock, however long that is.
    #[inline]
    pub fn lock(&self) -> RobustGuard<'_> {
        let me = robust::hold(&self.word);
        let free = self.word.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed);
        let owner_died = if free.is_ok() { false } else { self.lock_slow(me) };
        RobustGuard { lock: self, owner_died, _not_send: std::marker::PhantomData }
    }

    /// The id of the thread that holds it, 0 if none.
    pub fn owner(&self) -> u32 {
        self.word.load(Ordering::Relaxed) & TID_MASK
    }

    #[cold]
    fn lock_slow(&self, me: u32) -> bool {
        let mut mark = 0;
        let mut spins = 0;
        loop {
            let seen = self.word.load(Ordering::Relaxed);
            if seen & TID_MASK == 0 {
                let mine = me | mark | (seen & WAITERS);
                if self
                    .word
                    .compare_exchange(seen, mine, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
                {
                    return seen & OWNER_DIED != 0;
                }
            } else if spins < SPINS {
                spins += 1;
                spin_hint();
            } else if seen & WAITERS != 0
                || self
                    .word
                    .compare_exchange(seen, seen | WAITERS, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            {
                futex::wait(&self.word, seen | WAITERS, patience());
                mark = WAITERS;
            }
        }
    }
}

fn patience() -> Deadline {
    #[cfg(not(loom))]
    return Deadline::after(PATIENCE);
    #[cfg(loom)]
    return Deadline::never();
}

impl RobustGuard<'_> {
    /// Whether the last owner died with the lock: what it protects may be half changed.
    pub fn owner_died(&self) -> bool {
        self.owner_died
    }
}

impl Drop for RobustGuard<'_> {
    /// Gives the lock back, and is a full barrier (see [`fence_after_rmw`]) for what follows.
    #[inline]
    fn drop(&mut self) {
        let was = self.lock.word.swap(0, Ordering::AcqRel);
        if was & WAITERS != 0 {
            futex::wake(&self.lock.word, 1);
        }
        robust::let_go();
        fence_after_rmw();
    }
}

#[cfg(loom)]
impl RobustLock {
    /// What the kernel does to the word when its owner dies.
    pub fn die(guard: RobustGuard<'_>) {
        let lock = guard.lock;
        std::mem::forget(guard);
        let was = lock.word.load(Ordering::Relaxed);
        let mut seen = was;
        loop {
            let next = (seen & WAITERS) | OWNER_DIED;
            match lock.word.compare_exchange(seen, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => seen = now,
            }
        }
        if seen & WAITERS != 0 {
            futex::wake(&lock.word, 1);
        }
    }
}
