//! Semaphores that a manager has.

use super::error::ManagerError;
use super::held::Held;
use super::lock::{acquire, acquired};
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use std::time::Duration;

/// One entry, taken by this thread. Dropping it gives it back.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once permits nothing"]
pub struct Permit<'a> {
    _held: Held<'a>,
}

macro_rules! semaphore {
    ($(#[$doc:meta])* $name:ident, $called:literal) => {
        $(#[$doc])*
        pub struct $name {
            proxy: Proxy,
        }

        typed!($name as $called with "acquire", "release");

        impl $name {
            /// Enters; waits as long as it must. The permit leaves when it is dropped.
            ///
            /// # Errors
            /// [`ManagerError::Lost`], [`ManagerError::Stale`].
            pub fn permit(&self) -> Result<Permit<'_>, ManagerError> {
                self.acquire()?;
                Ok(self.permitted())
            }

            /// Enters if it may.
            ///
            /// # Errors
            /// As [`permit`](Self::permit).
            pub fn try_permit(&self) -> Result<Option<Permit<'_>>, ManagerError> {
                Ok(self.try_acquire()?.then(|| self.permitted()))
            }

            /// Enters; waits at most for `timeout`.
            ///
            /// # Errors
            /// [`ManagerError::TimedOut`] too.
            pub fn permit_timeout(&self, timeout: Duration) -> Result<Permit<'_>, ManagerError> {
                acquired(&self.proxy, timeout, "waiting for a semaphore")?;
                Ok(self.permitted())
            }

            /// Takes one; waits as long as it must.
            ///
            /// # Errors
            /// As [`permit`](Self::permit).
            pub fn acquire(&self) -> Result<(), ManagerError> {
                acquire(&self.proxy, Waits::ForEver).map(drop)
            }

            /// Takes one if there is one; whether it did.
            ///
            /// # Errors
            /// As [`permit`](Self::permit).
            pub fn try_acquire(&self) -> Result<bool, ManagerError> {
                acquire(&self.proxy, Waits::Not)
            }

            /// Takes one; waits at most for `timeout`. Whether it did.
            ///
            /// # Errors
            /// As [`permit`](Self::permit).
            pub fn acquire_timeout(&self, timeout: Duration) -> Result<bool, ManagerError> {
                acquire(&self.proxy, Waits::At(timeout))
            }

            /// Gives one back, whoever took it.
            ///
            /// # Errors
            /// [`ManagerError::Raised`] (`ValueError`) if there would be more than in the beginning and it is bounded;
            /// [`ManagerError::Lost`].
            pub fn release(&self) -> Result<(), ManagerError> {
                self.proxy.ask("release", (), Waits::Not)
            }

            fn permitted(&self) -> Permit<'_> {
                Permit { _held: Held::of(&self.proxy) }
            }
        }
    };
}

semaphore! {
    /// A semaphore that a manager has: so many may enter.
    ///
    /// # If a process dies
    /// What it had taken stays taken.
    ///
    /// # After fork
    /// The child has the same semaphore. Dropping its copy of a permit does nothing.
    ///
    /// # Examples
    /// ```
    #[doc = include_str!("example.txt")]
    /// let semaphore = manager.semaphore(1)?;
    /// let permit = semaphore.permit()?;
    /// assert!(semaphore.try_permit()?.is_none());
    /// drop(permit);
    /// assert!(semaphore.try_permit()?.is_some());
    /// # Ok::<(), ManagerError>(())
    /// ```
    Semaphore, "semaphore"
}

semaphore! {
    /// A [`Semaphore`] that cannot have more than it was made with.
    ///
    /// # If a process dies
    /// What it had taken stays taken.
    ///
    /// # After fork
    /// As [`Semaphore`].
    ///
    /// # Examples
    /// ```
    #[doc = include_str!("example.txt")]
    /// let semaphore = manager.bounded_semaphore(1)?;
    /// assert!(semaphore.release().unwrap_err().is("builtins", "ValueError"));
    /// # Ok::<(), ManagerError>(())
    /// ```
    BoundedSemaphore, "bounded semaphore"
}
