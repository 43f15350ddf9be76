//! A lock that its owner may take again.

use super::latch::{Holder, Latch, gave_up};
use super::news::News;
use crate::Error;
use crate::shareable::shareable;
use procession_shm::{Held, Kind, Taken, family};
use procession_sys::atomic::{AtomicU32, Ordering::Relaxed};
use procession_sys::{Deadline, robust};
use std::marker::PhantomData;
use std::time::Duration;

procession_shm::shared_struct! {
    /// Who of the process that holds the lock, and how often.
    ///
    /// | word | meaning | written by |
    /// |---|---|---|
    /// | `thread` | the thread that holds it, 0 if it is free | the holder, before it gives the lock back |
    /// | `depth` | how often that thread has taken it | the holder |
    ///
    /// A thread that finds its own process in the lock's word and its own number here holds the lock:
    /// nobody else writes that number.
    #[derive(Debug)]
    struct Words: 8 {
        thread: AtomicU32,
        depth: AtomicU32,
    }
}

const WORDS_AT: usize = 32;
const NEWS_AT: usize = 40;
const LEN: u64 = 44;

/// A lock that the thread which holds it may take again, as Python's `multiprocessing.RLock`.
///
/// # If a process dies
/// A lock whose holder was killed stays locked, as in Python; nobody can release it.
/// [`holder`](RLock::holder) says so, and `lock_timeout` ends. One that was made
/// [recovering](RLock::recovering) is freed for the next who wants it.
///
/// # After fork
/// The child has the same lock. What the parent held is held by the parent.
///
/// # Examples
/// ```
/// let lock = procession_ipc::RLock::new()?;
/// let outer = lock.lock();
/// let inner = lock.lock();
/// assert_eq!(lock.depth(), 2);
/// drop((inner, outer));
/// assert!(!lock.is_locked());
/// assert!(lock.release().is_err());
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RLock {
    held: Held,
    latch: Latch,
    words: &'static Words,
    news: &'static News,
}

shareable!(RLock, held, Kind::RLock, 0);

/// An [`RLock`], held once more. Dropping it gives that back. Not `Send`: the thread is the owner.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct RLockGuard<'a> {
    lock: &'a RLock,
    _not_send: PhantomData<*const ()>,
}

impl RLock {
    /// A free lock.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new() -> Result<Self, Error> {
        Ok(Self::of(family()?.make(Kind::RLock, LEN, 0, |_| Ok(()))?))
    }

    /// A free lock that is freed when its holder dies; the next one is told by
    /// [`owner_died`](RLock::owner_died).
    ///
    /// # Errors
    /// As [`RLock::new`].
    pub fn recovering() -> Result<Self, Error> {
        let lock = Self::new()?;
        lock.held.head().set_robust();
        Ok(lock)
    }

    fn of(held: Held) -> Self {
        let (words, news) = (held.words(WORDS_AT), held.words(NEWS_AT));
        Self { latch: Latch::of(&held), words, news, held }
    }

    /// Takes the lock, once more if this thread holds it; waits as long as it must.
    #[inline]
    pub fn lock(&self) -> RLockGuard<'_> {
        self.acquire();
        self.guard()
    }

    /// Takes the lock if it is free or this thread's.
    #[inline]
    pub fn try_lock(&self) -> Option<RLockGuard<'_>> {
        self.try_acquire().then(|| self.guard())
    }

    /// Takes the lock; waits at most for `timeout`.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn lock_timeout(&self, timeout: Duration) -> Result<RLockGuard<'_>, Error> {
        self.acquire_until(Deadline::after(timeout), || false)?;
        Ok(self.guard())
    }

    /// Takes the lock without a guard; waits as long as it must.
    #[inline]
    pub fn acquire(&self) {
        if !self.deepen() {
            let taken = self.latch.take();
            self.note(taken, 1);
        }
    }

    /// Takes the lock without a guard if it is free or this thread's; whether it did.
    #[inline]
    #[must_use = "whether the lock was taken"]
    pub fn try_acquire(&self) -> bool {
        if self.deepen() {
            return true;
        }
        self.latch.try_take().map(|taken| self.note(taken, 1)).is_some()
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
        if !self.deepen() {
            let taken = self.latch.take_until(deadline, interrupt);
            let taken = taken.map_err(|woken| gave_up(woken, "waiting for a recursive lock"))?;
            self.note(taken, 1);
        }
        Ok(())
    }

    /// Gives the lock back once.
    ///
    /// # Errors
    /// [`Error::NotOwner`] if this thread does not hold it.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        if !self.is_mine() {
            return Err(Error::NotOwner { attempted: "release a recursive lock" });
        }
        let depth = self.words.depth.load(Relaxed);
        if depth > 1 {
            self.words.depth.store(depth - 1, Relaxed);
        } else {
            self.release_all();
        }
        Ok(())
    }

    /// Whether somebody holds it.
    pub fn is_locked(&self) -> bool {
        self.latch.is_taken()
    }

    /// Whether this thread holds it.
    #[inline]
    pub fn is_mine(&self) -> bool {
        self.latch.is_mine() && self.words.thread.load(Relaxed) == robust::thread_id()
    }

    /// How often this thread has taken it.
    pub fn depth(&self) -> u32 {
        if self.is_mine() { self.words.depth.load(Relaxed) } else { 0 }
    }

    /// Whether the holder before this one died with the lock. For the holder of a
    /// [recovering](RLock::recovering) lock; what it protects may be half changed then.
    pub fn owner_died(&self) -> bool {
        self.news.owner_died()
    }

    /// Who holds it.
    pub fn holder(&self) -> Option<Holder> {
        self.latch.holder()
    }

    /// Gives the lock back, however often this thread has taken it; how often that was.
    pub(super) fn release_all(&self) -> u32 {
        let depth = self.words.depth.load(Relaxed);
        self.words.depth.store(0, Relaxed);
        self.words.thread.store(0, Relaxed);
        self.latch.give(false);
        depth
    }

    /// Undoes [`release_all`](Self::release_all).
    pub(super) fn acquire_again(&self, depth: u32) {
        let taken = self.latch.take();
        self.note(taken, depth);
    }

    /// Takes the lock once more if this thread holds it.
    #[inline]
    fn deepen(&self) -> bool {
        let mine = self.is_mine();
        if mine {
            self.words.depth.store(self.words.depth.load(Relaxed) + 1, Relaxed);
        }
        mine
    }

    #[inline]
    fn note(&self, taken: Taken, depth: u32) {
        self.news.note(taken);
        self.words.thread.store(robust::thread_id(), Relaxed);
        self.words.depth.store(depth, Relaxed);
    }

    fn guard(&self) -> RLockGuard<'_> {
        RLockGuard { lock: self, _not_send: PhantomData }
    }
}

impl Drop for RLockGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // In the child of a fork the lock is not this thread's, and stays as it is.
        let _ = self.lock.release();
    }
}
