//! Conditions that a manager has.

use super::error::ManagerError;
use super::held::Held;
use super::lock::{acquire, acquired};
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use procession_sys::Deadline;
use std::time::Duration;

/// A condition that a manager has, with a lock of its own.
///
/// # If a process dies
/// As a [`Lock`](super::Lock): a manager of ours releases what it held and takes it out of the line; at a stock one it stays
/// locked, and a notice may go to a waiter that is dead.
///
/// # After fork
/// The child has the same condition. Dropping its copy of a guard does nothing.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let (condition, ready) = (manager.condition()?, manager.value("b", false)?);
/// let (notice, fact) = (condition.clone(), ready.clone());
/// let other = std::thread::spawn(move || {
///     let guard = notice.lock()?;
///     fact.set(&true)?;
///     guard.notify_all()
/// });
/// let guard = condition.lock()?;
/// guard.wait_for(|| ready.get())?;
/// # drop(guard);
/// # other.join().unwrap()?;
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Condition {
    proxy: Proxy,
}

typed!(Condition as "condition" with "acquire", "release", "wait", "notify", "notify_all");

/// A [`Condition`]'s lock, held by this thread. Dropping it gives the lock back.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct ConditionGuard<'a> {
    held: Held<'a>,
}

impl Condition {
    /// Takes the condition's lock; waits as long as it must.
    ///
    /// # Errors
    /// [`ManagerError::Lost`], [`ManagerError::Stale`].
    pub fn lock(&self) -> Result<ConditionGuard<'_>, ManagerError> {
        acquire(&self.proxy, Waits::ForEver)?;
        Ok(self.guard())
    }

    /// Takes the condition's lock if it may.
    ///
    /// # Errors
    /// As [`lock`](Self::lock).
    pub fn try_lock(&self) -> Result<Option<ConditionGuard<'_>>, ManagerError> {
        Ok(acquire(&self.proxy, Waits::Not)?.then(|| self.guard()))
    }

    /// Takes the condition's lock; waits at most for `timeout`.
    ///
    /// # Errors
    /// [`ManagerError::TimedOut`] too.
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ConditionGuard<'_>, ManagerError> {
        acquired(&self.proxy, timeout, "waiting for a lock")?;
        Ok(self.guard())
    }

    fn guard(&self) -> ConditionGuard<'_> {
        ConditionGuard { held: Held::of(&self.proxy) }
    }
}

impl ConditionGuard<'_> {
    /// Waits for a notice.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn wait(&self) -> Result<(), ManagerError> {
        self.held.proxy().ask::<bool>("wait", (), Waits::ForEver).map(drop)
    }

    /// Waits for a notice, at most for `timeout`; whether there was one.
    ///
    /// # Errors
    /// [`ManagerError::Lost`]. A wait may end later than `timeout`: the lock is taken again first.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, ManagerError> {
        self.held.proxy().ask("wait", (timeout.as_secs_f64(),), Waits::ForEver)
    }

    /// Waits until a fact holds, which is looked at now and after each notice.
    ///
    /// # Errors
    /// Those of `fact`; [`ManagerError::Lost`].
    pub fn wait_for(
        &self,
        mut fact: impl FnMut() -> Result<bool, ManagerError>,
    ) -> Result<(), ManagerError> {
        while !fact()? {
            self.wait()?;
        }
        Ok(())
    }

    /// As [`wait_for`](Self::wait_for), at most for `timeout`; whether it holds.
    ///
    /// # Errors
    /// As [`wait_for`](Self::wait_for).
    pub fn wait_for_timeout(
        &self,
        timeout: Duration,
        mut fact: impl FnMut() -> Result<bool, ManagerError>,
    ) -> Result<bool, ManagerError> {
        let deadline = Deadline::after(timeout);
        loop {
            let holds = fact()?;
            let left = deadline.remaining().unwrap_or(timeout);
            if holds || left.is_zero() {
                return Ok(holds);
            }
            self.wait_timeout(left)?;
        }
    }

    /// Notifies `count` waiters.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn notify(&self, count: u32) -> Result<(), ManagerError> {
        self.held.proxy().ask("notify", (count,), Waits::Not)
    }

    /// Notifies all waiters.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn notify_all(&self) -> Result<(), ManagerError> {
        self.held.proxy().ask("notify_all", (), Waits::Not)
    }
}
