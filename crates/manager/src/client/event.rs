//! Events that a manager has.

use super::error::ManagerError;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use std::time::Duration;

/// An event that a manager has: it is set or not, and is waited for.
///
/// # If a process dies
/// The event stays as it is.
///
/// # After fork
/// Parent and child both use the event.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let event = manager.event()?;
/// let other = event.clone();
/// let waiter = std::thread::spawn(move || other.wait());
/// event.set()?;
/// waiter.join().unwrap()?;
/// assert!(event.is_set()?);
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Event {
    proxy: Proxy,
}

typed!(Event as "event" with "is_set", "set", "clear", "wait");

impl Event {
    /// Sets it, which wakes all who wait.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn set(&self) -> Result<(), ManagerError> {
        self.proxy.ask("set", (), Waits::Not)
    }

    /// Clears it.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn clear(&self) -> Result<(), ManagerError> {
        self.proxy.ask("clear", (), Waits::Not)
    }

    /// Whether it is set.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_set(&self) -> Result<bool, ManagerError> {
        self.proxy.ask("is_set", (), Waits::Not)
    }

    /// Waits until it is set.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn wait(&self) -> Result<(), ManagerError> {
        self.proxy.ask::<bool>("wait", (), Waits::ForEver).map(drop)
    }

    /// Waits until it is set, at most for `timeout`; whether it is.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, ManagerError> {
        self.proxy.ask("wait", (timeout.as_secs_f64(),), Waits::At(timeout))
    }
}
