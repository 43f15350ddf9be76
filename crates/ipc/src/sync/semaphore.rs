//! Counting who may enter.

use super::latch::{gave_up, on_wake};
use super::words::semaphore::SemaphoreWords;
use crate::Error;
use crate::shareable::shareable;
use procession_shm::{EventCount, Held, Kind, MemberId, family};
use procession_sys::Deadline;
use std::ops::Deref;
use std::time::Duration;

/// What a semaphore without a bound can count to, as in Python.
const MOST: u32 = i32::MAX as u32;
const WORDS_AT: usize = 32;
const LEN: u64 = 40;

/// Counts who may enter, as Python's `multiprocessing.Semaphore`.
///
/// # If a process dies
/// What it had taken stays taken, as in Python. One that dies while it waits is as if it had never
/// come; if a release had just woken it, another wakes by itself within half a second.
///
/// # After fork
/// The child has the same semaphore. What the parent had taken is the parent's: dropping the child's
/// copy of a [`Permit`] does nothing.
///
/// # Examples
/// ```
/// let semaphore = procession_ipc::Semaphore::new(1)?;
/// let permit = semaphore.permit();
/// assert!(!semaphore.try_acquire());
/// drop(permit);
/// semaphore.release()?;
/// assert_eq!(semaphore.value(), 2);
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Semaphore {
    held: Held,
    words: &'static SemaphoreWords,
    waits: &'static EventCount,
}

shareable!(Semaphore, held, Kind::Semaphore, 0);

/// A [`Semaphore`] whose value never exceeds the first one, as Python's
/// `multiprocessing.BoundedSemaphore`. It has the methods of a [`Semaphore`]; releasing it once too
/// often is an error.
///
/// # If a process dies
/// As [`Semaphore`].
///
/// # After fork
/// As [`Semaphore`].
///
/// # Examples
/// ```
/// let semaphore = procession_ipc::BoundedSemaphore::new(1)?;
/// semaphore.acquire();
/// semaphore.release()?;
/// let error = semaphore.release().unwrap_err();
/// assert_eq!(error.to_string(), "semaphore or lock released too many times");
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BoundedSemaphore {
    inner: Semaphore,
}

/// The tag that tells the two apart.
const BOUNDED: u32 = 1;

shareable!(BoundedSemaphore, inner.held, Kind::Semaphore, BOUNDED);

/// One entry, taken. Dropping it gives it back.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once permits nothing"]
pub struct Permit<'a> {
    semaphore: &'a Semaphore,
    taker: MemberId,
}

impl Semaphore {
    /// A semaphore that lets `value` enter.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new(value: u32) -> Result<Self, Error> {
        Self::make(value, MOST.max(value), 0)
    }

    fn make(value: u32, bound: u32, tag: u32) -> Result<Self, Error> {
        let held = family()?.make(Kind::Semaphore, LEN, tag, |region| {
            region.object::<SemaphoreWords>(WORDS_AT).init(value, bound);
            Ok(())
        })?;
        Ok(Self::of(held))
    }

    fn of(held: Held) -> Self {
        Self { words: held.words(WORDS_AT), waits: &held.head().waits[0], held }
    }

    /// Enters; waits as long as it must. The permit leaves when it is dropped.
    #[inline]
    pub fn permit(&self) -> Permit<'_> {
        self.acquire();
        self.permitted()
    }

    /// Enters if it may.
    pub fn try_permit(&self) -> Option<Permit<'_>> {
        self.try_acquire().then(|| self.permitted())
    }

    /// Enters; waits at most for `timeout`.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn permit_timeout(&self, timeout: Duration) -> Result<Permit<'_>, Error> {
        self.acquire_until(Deadline::after(timeout), || false)?;
        Ok(self.permitted())
    }

    /// Takes one; waits as long as it must.
    #[inline]
    pub fn acquire(&self) {
        if !self.try_acquire() {
            while self.acquire_until(Deadline::never(), || false).is_err() {}
        }
    }

    /// Takes one if there is one; whether it did.
    #[inline]
    #[must_use = "whether one was taken"]
    pub fn try_acquire(&self) -> bool {
        self.words.try_acquire()
    }

    /// Takes one; waits at most for `timeout`. Whether it did.
    #[must_use = "whether one was taken"]
    pub fn acquire_timeout(&self, timeout: Duration) -> bool {
        self.acquire_until(Deadline::after(timeout), || false).is_ok()
    }

    /// Takes one; waits until the deadline, or until `interrupt`, which is asked after every signal,
    /// says that it is enough.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`].
    pub fn acquire_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        self.words
            .acquire(self.waits, deadline, on_wake(self.held.family(), interrupt))
            .map_err(|woken| gave_up(woken, "waiting for a semaphore"))
    }

    /// Gives one back, whoever took it.
    ///
    /// # Errors
    /// [`Error::ReleasedTooOften`] if the value would exceed its bound: the first value of a
    /// [`BoundedSemaphore`], else 2³¹ − 1.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        self.release_many(1)
    }

    /// Gives `count` back at once, and wakes as many.
    ///
    /// # Errors
    /// As [`Semaphore::release`]; none is given back then.
    #[inline]
    pub fn release_many(&self, count: u32) -> Result<(), Error> {
        if self.words.release(self.waits, count) { Ok(()) } else { Err(Error::ReleasedTooOften) }
    }

    /// How many could enter now.
    pub fn value(&self) -> u32 {
        self.words.value()
    }

    fn permitted(&self) -> Permit<'_> {
        Permit { semaphore: self, taker: self.held.family().me() }
    }
}

impl BoundedSemaphore {
    /// A semaphore that lets `value` enter, now and at most.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new(value: u32) -> Result<Self, Error> {
        Ok(Self { inner: Semaphore::make(value, value, BOUNDED)? })
    }

    fn of(held: Held) -> Self {
        Self { inner: Semaphore::of(held) }
    }
}

impl Deref for BoundedSemaphore {
    type Target = Semaphore;

    fn deref(&self) -> &Semaphore {
        &self.inner
    }
}

impl Drop for Permit<'_> {
    #[inline]
    fn drop(&mut self) {
        // In the child of a fork the permit is the parent's.
        if self.semaphore.held.family().me() == self.taker {
            let _ = self.semaphore.release();
        }
    }
}
