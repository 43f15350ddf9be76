//! Data under a lock that tells its next owner of a death.

use super::Condition;
use super::latch::{Holder, Latch};
use crate::shareable::shareable;
use crate::{Error, Plain};
use procession_shm::{Held, Kind, Region, Taken, family};
use procession_sys::Deadline;
use procession_sys::futex::Woken;
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// The data follow the head, in the same cache line if they fit there.
const DATA_AT: usize = 32;

/// Plain data under a lock, as `std::sync::Mutex`, between processes.
///
/// Taking the lock and giving it back costs as much as for std's when nobody else wants it. Taking it
/// twice in one thread waits for ever.
///
/// # If a process dies
/// The lock of an owner that was killed goes to the next, which gets [`OwnerDied`] with the guard
/// inside: the data may be half changed. It looks, repairs, and calls [`OwnerDied::recover`]; until
/// somebody has, every next owner is told. A panic does not count as a death: the guard is dropped.
///
/// # After fork
/// The child has the same mutex. What the parent held is held by the parent: the child's copy of a
/// guard must not be used, and dropping it does nothing.
///
/// # Examples
/// ```
/// let total = procession_ipc::Mutex::new([0_u64; 2])?;
/// {
///     let mut guard = total.lock()?;
///     guard[0] += 5;
///     assert!(total.try_lock().is_err());
/// }
/// assert_eq!(*total.lock()?, [5, 0]);
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Debug)]
pub struct Mutex<T> {
    held: Held,
    latch: Latch,
    data: Region,
    _type: PhantomData<fn(T) -> T>,
}

shareable!(Mutex<T> where T: Plain, held, Kind::Lock, Self::tag());

/// The data of a [`Mutex`], to oneself. Dropping it gives the lock back.
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct MutexGuard<'a, T: Plain> {
    mutex: &'a Mutex<T>,
    data: Region,
    /// An owner has died, and nobody has said yet that the data are good.
    news: bool,
    _lent: PhantomData<&'a mut T>,
}

/// The lock is held, and the last owner died with it.
#[must_use = "the data may be half changed: look at them and call recover()"]
pub struct OwnerDied<G> {
    guard: G,
}

/// Why a mutex was not taken, or not cleanly.
#[derive(Debug)]
pub enum MutexError<G> {
    /// It is held now, but its last owner died with it.
    OwnerDied(OwnerDied<G>),
    /// Somebody holds it.
    WouldBlock,
    /// Somebody held it all the time.
    TimedOut,
    /// A signal came, and its handler asked to end the wait.
    Interrupted,
}

impl<T: Plain> Mutex<T> {
    /// A free mutex with `value` in it.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new(value: T) -> Result<Self, Error> {
        let len = (DATA_AT + size_of::<T>()) as u64;
        let held = family()?.make(Kind::Lock, len, Self::tag(), |region| {
            region.write(DATA_AT, value.as_bytes());
            Ok(())
        })?;
        held.head().set_robust();
        Ok(Self::of(held))
    }

    fn tag() -> u32 {
        const { assert!(align_of::<T>() <= DATA_AT, "data of so large an alignment need an Array") };
        Held::tag::<T>(size_of::<T>(), align_of::<T>())
    }

    fn of(held: Held) -> Self {
        let data = held.region().part(DATA_AT, size_of::<T>());
        Self { latch: Latch::of(&held), held, data, _type: PhantomData }
    }

    /// Takes the mutex; waits as long as it must.
    ///
    /// # Errors
    /// [`OwnerDied`], with the guard in it.
    #[inline]
    pub fn lock(&self) -> Result<MutexGuard<'_, T>, OwnerDied<MutexGuard<'_, T>>> {
        self.taken(self.latch.take())
    }

    /// Takes the mutex if it is free.
    ///
    /// # Errors
    /// [`MutexError::WouldBlock`], [`MutexError::OwnerDied`].
    #[inline]
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, MutexError<MutexGuard<'_, T>>> {
        let taken = self.latch.try_take().ok_or(MutexError::WouldBlock)?;
        self.taken(taken).map_err(MutexError::OwnerDied)
    }

    /// Takes the mutex; waits at most for `timeout`.
    ///
    /// # Errors
    /// [`MutexError::TimedOut`], [`MutexError::OwnerDied`].
    pub fn lock_timeout(
        &self,
        timeout: Duration,
    ) -> Result<MutexGuard<'_, T>, MutexError<MutexGuard<'_, T>>> {
        self.lock_until(Deadline::after(timeout), || false)
    }

    /// Takes the mutex; waits until the deadline, or until `interrupt`, which is asked after every
    /// signal, says that it is enough.
    ///
    /// # Errors
    /// [`MutexError::TimedOut`], [`MutexError::Interrupted`], [`MutexError::OwnerDied`].
    pub fn lock_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<MutexGuard<'_, T>, MutexError<MutexGuard<'_, T>>> {
        let taken = self.latch.take_until(deadline, interrupt).map_err(|woken| match woken {
            Woken::TimedOut => MutexError::TimedOut,
            _ => MutexError::Interrupted,
        })?;
        self.taken(taken).map_err(MutexError::OwnerDied)
    }

    /// Who holds it.
    pub fn holder(&self) -> Option<Holder> {
        self.latch.holder()
    }

    #[inline]
    fn taken(&self, taken: Taken) -> Result<MutexGuard<'_, T>, OwnerDied<MutexGuard<'_, T>>> {
        let news = taken == Taken::OwnerDied;
        let guard = MutexGuard { mutex: self, data: self.data, news, _lent: PhantomData };
        if news { Err(OwnerDied { guard }) } else { Ok(guard) }
    }

    pub(super) fn give(&self, news: bool) {
        self.latch.give(news);
    }
}

impl<'a, T: Plain> MutexGuard<'a, T> {
    /// Gives the mutex back, waits for a notice of `condition`, whose own lock plays no part, and takes
    /// the mutex again. It may return without a notice.
    ///
    /// # Errors
    /// [`OwnerDied`], with the guard in it.
    pub fn wait(self, condition: &Condition) -> Result<Self, OwnerDied<Self>> {
        self.wait_until(condition, Deadline::never())
            .map_err(|(died, _)| died)
            .map(|(guard, _)| guard)
    }

    /// As [`MutexGuard::wait`], at most for `timeout`; whether there was a notice.
    ///
    /// # Errors
    /// [`OwnerDied`], with the guard in it.
    pub fn wait_timeout(
        self,
        condition: &Condition,
        timeout: Duration,
    ) -> Result<(Self, bool), OwnerDied<Self>> {
        self.wait_until(condition, Deadline::after(timeout)).map_err(|(died, _)| died)
    }

    /// Notifies `count` waiters of `condition` that wait with this mutex.
    pub fn notify(&self, condition: &Condition, count: u32) {
        condition.notify_any(count);
    }

    fn wait_until(
        self,
        condition: &Condition,
        deadline: Deadline,
    ) -> Result<(Self, bool), (OwnerDied<Self>, bool)> {
        let (mutex, news) = (self.mutex, self.news);
        // The condition gives the lock back once the waiter has its place.
        std::mem::forget(self);
        let mut taken = Taken::Clean;
        let ended =
            condition.wait_under(deadline, || mutex.give(news), || taken = mutex.latch.take());
        let notified = ended != Err(Woken::TimedOut);
        match mutex.taken(taken) {
            Ok(guard) => Ok((guard, notified)),
            Err(died) => Err((died, notified)),
        }
    }
}

impl<G> OwnerDied<G> {
    /// The guard, with the news kept: until somebody recovers the mutex, its next owner is told too.
    pub fn into_inner(self) -> G {
        self.guard
    }
}

impl<'a, T: Plain> OwnerDied<MutexGuard<'a, T>> {
    /// The guard; the data are good again, and the next owner is told nothing.
    pub fn recover(self) -> MutexGuard<'a, T> {
        let mut guard = self.guard;
        guard.news = false;
        guard
    }
}

impl<T: Plain> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.data.lent(1)[0]
    }
}

impl<T: Plain> DerefMut for MutexGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.data.lent_mut(1)[0]
    }
}

impl<T: Plain> Drop for MutexGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.mutex.latch.give(self.news);
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for MutexGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}

impl<G> fmt::Debug for OwnerDied<G> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OwnerDied").finish_non_exhaustive()
    }
}

impl<G> fmt::Display for OwnerDied<G> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Error::OwnerDied.fmt(formatter)
    }
}

impl<G> std::error::Error for OwnerDied<G> {}

impl<G> From<OwnerDied<G>> for Error {
    fn from(_: OwnerDied<G>) -> Self {
        Self::OwnerDied
    }
}

impl<G> fmt::Display for MutexError<G> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OwnerDied(died) => died.fmt(formatter),
            Self::WouldBlock => formatter.write_str("the mutex is held by somebody"),
            Self::TimedOut => formatter.write_str("the mutex was held by somebody all the time"),
            Self::Interrupted => {
                formatter.write_str("waiting for a mutex: interrupted by a signal")
            }
        }
    }
}

impl<G: fmt::Debug> std::error::Error for MutexError<G> {}

impl<G> From<MutexError<G>> for Error {
    fn from(error: MutexError<G>) -> Self {
        match error {
            MutexError::OwnerDied(_) => Self::OwnerDied,
            MutexError::Interrupted => Self::Interrupted { what: "waiting for a mutex" },
            _ => Self::TimedOut { what: "waiting for a mutex" },
        }
    }
}

impl<T> Clone for Mutex<T> {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), latch: self.latch, data: self.data, _type: PhantomData }
    }
}
