//! A lock that anybody may release.

use super::latch::{Holder, Latch, gave_up};
use super::news::News;
use crate::shareable::shareable;
use crate::{Doorbell, Error, bell};
use procession_shm::{Given, Held, Kind, family};
use procession_sys::Deadline;
use std::time::Duration;

const NEWS_AT: usize = 32;
const LEN: u64 = 36;

/// A lock between processes and threads, as Python's `multiprocessing.Lock`.
///
/// It is held by a process, not by a thread, and **anybody may release it**: it is also a signal with
/// one bit. For data that is to be safe use [`Mutex`](super::Mutex).
///
/// A clone, and what arrives at the other end of a queue, is the same lock.
///
/// # If a process dies
/// A lock whose holder was killed stays locked, as in Python, until somebody [releases](Lock::release)
/// it; [`holder`](Lock::holder) says so. One that was made [recovering](Lock::recovering) is freed for
/// the next who wants it. Whoever waits for it can be killed at any time.
///
/// # After fork
/// The child has the same lock. What the parent held is held by the parent: dropping the child's copy
/// of a guard does nothing.
///
/// # Examples
/// ```
/// let lock = procession_ipc::Lock::new()?;
/// {
///     let _guard = lock.lock();
///     assert!(lock.try_lock().is_none());
/// }
/// lock.acquire();
/// lock.release()?;
/// assert!(lock.release().is_err());
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Lock {
    held: Held,
    latch: Latch,
    news: &'static News,
}

shareable!(Lock, held, Kind::Lock, 0);

/// A [`Lock`], held. Dropping it gives the lock back, unless somebody has released it already.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct LockGuard<'a> {
    lock: &'a Lock,
}

impl Lock {
    /// A free lock.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new() -> Result<Self, Error> {
        Ok(Self::of(family()?.make(Kind::Lock, LEN, 0, |_| Ok(()))?))
    }

    /// A free lock that is freed when its holder dies; the next one is told by
    /// [`owner_died`](Lock::owner_died).
    ///
    /// # Errors
    /// As [`Lock::new`].
    pub fn recovering() -> Result<Self, Error> {
        let lock = Self::new()?;
        lock.held.head().set_robust();
        Ok(lock)
    }

    fn of(held: Held) -> Self {
        Self { latch: Latch::of(&held), news: held.words(NEWS_AT), held }
    }

    /// Takes the lock; waits as long as it must.
    #[inline]
    pub fn lock(&self) -> LockGuard<'_> {
        self.acquire();
        LockGuard { lock: self }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<LockGuard<'_>> {
        self.try_acquire().then_some(LockGuard { lock: self })
    }

    /// Takes the lock; waits at most for `timeout`.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn lock_timeout(&self, timeout: Duration) -> Result<LockGuard<'_>, Error> {
        self.acquire_until(Deadline::after(timeout), || false)?;
        Ok(LockGuard { lock: self })
    }

    /// Takes the lock without a guard; waits as long as it must.
    #[inline]
    pub fn acquire(&self) {
        self.news.note(self.latch.take());
    }

    /// Takes the lock without a guard if it is free; whether it did.
    #[inline]
    #[must_use = "whether the lock was taken"]
    pub fn try_acquire(&self) -> bool {
        self.latch.try_take().map(|taken| self.news.note(taken)).is_some()
    }

    /// Takes the lock without a guard; waits at most for `timeout`. Whether it did.
    #[must_use = "whether the lock was taken"]
    pub fn acquire_timeout(&self, timeout: Duration) -> bool {
        self.acquire_until(Deadline::after(timeout), || false).is_ok()
    }

    /// Takes the lock without a guard; waits until the deadline, or until `interrupt`, which is asked
    /// after every signal, says that it is enough.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`].
    pub fn acquire_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        let taken = self.latch.take_until(deadline, interrupt);
        self.news.note(taken.map_err(|woken| gave_up(woken, "waiting for a lock"))?);
        Ok(())
    }

    /// Frees the lock, whoever holds it.
    ///
    /// # Errors
    /// [`Error::ReleasedTooOften`] if it is free.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        if self.given(self.latch.give_any()) { Ok(()) } else { Err(Error::ReleasedTooOften) }
    }

    /// Whether somebody holds it.
    pub fn is_locked(&self) -> bool {
        self.latch.is_taken()
    }

    /// Whether this process holds it.
    pub fn is_mine(&self) -> bool {
        self.latch.is_mine()
    }

    /// Whether the holder before this one died with the lock. For the holder of a
    /// [recovering](Lock::recovering) lock; what it protects may be half changed then.
    pub fn owner_died(&self) -> bool {
        self.news.owner_died()
    }

    /// Who holds it.
    pub fn holder(&self) -> Option<Holder> {
        self.latch.holder()
    }

    /// Has the descriptor of `bell` show whether the lock is free. Somebody else may be quicker to take it.
    ///
    /// A lock that was freed by a death is shown only when this is called again.
    pub fn show_free(&self, bell: &Doorbell) {
        bell.show(
            || !self.is_locked(),
            |listen| {
                listen();
                self.latch.ask();
            },
        );
    }

    /// Gives the lock back if this process holds it; whether it did.
    #[inline]
    pub(super) fn give(&self) -> bool {
        self.given(self.latch.give(false))
    }

    /// Tells pollers, who asked the lock first and so left a mark there.
    #[inline]
    fn given(&self, given: Given) -> bool {
        if given.was_waited_for && bell::is_asked_for(&self.held) {
            bell::ring(&self.held);
        }
        given.was_taken
    }
}

impl Drop for LockGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.lock.give();
    }
}
