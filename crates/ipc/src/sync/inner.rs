//! The lock inside a value or an array, without the data.

use super::latch::{Latch, gave_up};
use crate::{Error, Shareable};
use procession_shm::{Held, Taken};
use procession_sys::Deadline;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// The lock inside a [`Value`](crate::Value) or an [`Array`](crate::Array), taken and given back
/// without a guard: for a front door that reaches the data in another way.
///
/// # If a process dies
/// The lock of one that was killed goes to the next who wants it, and [`owner_died`](Self::owner_died)
/// says so.
///
/// # After fork
/// The child has the same lock. What the parent held is held by the parent.
///
/// # Examples
/// ```
/// use procession_ipc::{Array, sync::InnerLock};
///
/// let numbers = Array::new(&[1, 2, 3])?;
/// let lock = InnerLock::of(&numbers);
/// assert!(lock.try_acquire());
/// assert!(numbers.try_lock().is_none());
/// lock.release()?;
/// assert!(numbers.try_lock().is_some());
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Debug)]
pub struct InnerLock {
    held: Held,
    latch: Latch,
    /// Whether this process got the lock from one who died; true of the holder only.
    died: AtomicBool,
}

impl InnerLock {
    /// The lock of that object.
    pub fn of(object: &impl Shareable) -> Self {
        Self::inside(object.held().clone())
    }

    /// The lock of the value or array that is held.
    pub fn inside(held: Held) -> Self {
        Self { latch: Latch::of(&held), held, died: AtomicBool::new(false) }
    }

    /// What keeps the object in being.
    pub fn held(&self) -> &Held {
        &self.held
    }

    /// Takes the lock if it is free; whether it did.
    #[inline]
    #[must_use = "whether the lock was taken"]
    pub fn try_acquire(&self) -> bool {
        self.latch.try_take().map(|taken| self.note(taken)).is_some()
    }

    /// Takes the lock; waits until the deadline, or until `interrupt`, which is asked after every
    /// signal, says that it is enough.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`].
    pub fn acquire_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        let taken = self.latch.take_until(deadline, interrupt);
        self.note(taken.map_err(|woken| gave_up(woken, "waiting for the lock of an object"))?);
        Ok(())
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// [`Error::NotOwner`] if this process does not hold it.
    #[inline]
    pub fn release(&self) -> Result<(), Error> {
        let given = self.latch.give(false).was_taken;
        if given { Ok(()) } else { Err(Error::NotOwner { attempted: "release an object's lock" }) }
    }

    /// Whether somebody holds it.
    pub fn is_locked(&self) -> bool {
        self.latch.is_taken()
    }

    /// Whether the holder before this one died with it. For the holder.
    pub fn owner_died(&self) -> bool {
        self.died.load(Relaxed)
    }

    #[inline]
    fn note(&self, taken: Taken) {
        self.died.store(taken == Taken::OwnerDied, Relaxed);
    }
}
