//! Locks that a manager has.

use super::error::ManagerError;
use super::held::Held;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use std::time::Duration;

/// Takes a lock or semaphore; whether it did.
pub(super) fn acquire(proxy: &Proxy, waits: Waits) -> Result<bool, ManagerError> {
    if let Some(near) = proxy.near_lock()? {
        return near.acquire(waits);
    }
    match waits {
        Waits::Not => proxy.ask("acquire", (false,), waits),
        Waits::At(timeout) => proxy.ask("acquire", (true, timeout.as_secs_f64()), waits),
        Waits::ForEver => proxy.ask("acquire", (), waits),
    }
}

/// Gives a lock or semaphore back.
pub(super) fn release(proxy: &Proxy) -> Result<(), ManagerError> {
    match proxy.near_lock()? {
        Some(near) => near.release(),
        None => proxy.ask("release", (), Waits::Not),
    }
}

/// Takes a lock or semaphore within the time.
pub(super) fn acquired(
    proxy: &Proxy,
    timeout: Duration,
    what: &'static str,
) -> Result<(), ManagerError> {
    if acquire(proxy, Waits::At(timeout))? { Ok(()) } else { Err(ManagerError::TimedOut { what }) }
}

macro_rules! lock {
    ($(#[$doc:meta])* $name:ident, $called:literal, $(#[$guard_doc:meta])* $guard:ident
        $(; $near:ident)?) => {
        $(#[$doc])*
        pub struct $name {
            proxy: Proxy,
        }

        typed!($name as $called with "acquire", "release" $(; $near)?);

        $(#[$guard_doc])*
        #[derive(Debug)]
        #[must_use = "a guard that is dropped at once guards nothing"]
        pub struct $guard<'a> {
            _held: Held<'a>,
        }

        impl $name {
            /// Takes the lock; waits as long as it must.
            ///
            /// # Errors
            /// [`ManagerError::Lost`], [`ManagerError::Stale`].
            pub fn lock(&self) -> Result<$guard<'_>, ManagerError> {
                self.acquire()?;
                Ok(self.guard())
            }

            /// Takes the lock if it may.
            ///
            /// # Errors
            /// As [`lock`](Self::lock).
            pub fn try_lock(&self) -> Result<Option<$guard<'_>>, ManagerError> {
                Ok(self.try_acquire()?.then(|| self.guard()))
            }

            /// Takes the lock; waits at most for `timeout`.
            ///
            /// # Errors
            /// [`ManagerError::TimedOut`] too.
            pub fn lock_timeout(&self, timeout: Duration) -> Result<$guard<'_>, ManagerError> {
                acquired(&self.proxy, timeout, "waiting for a lock")?;
                Ok(self.guard())
            }

            /// Takes the lock without a guard; waits as long as it must.
            ///
            /// # Errors
            /// As [`lock`](Self::lock).
            pub fn acquire(&self) -> Result<(), ManagerError> {
                acquire(&self.proxy, Waits::ForEver).map(drop)
            }

            /// Takes the lock without a guard if it may; whether it did.
            ///
            /// # Errors
            /// As [`lock`](Self::lock).
            pub fn try_acquire(&self) -> Result<bool, ManagerError> {
                acquire(&self.proxy, Waits::Not)
            }

            /// Takes the lock without a guard; waits at most for `timeout`. Whether it did.
            ///
            /// # Errors
            /// As [`lock`](Self::lock).
            pub fn acquire_timeout(&self, timeout: Duration) -> Result<bool, ManagerError> {
                acquire(&self.proxy, Waits::At(timeout))
            }

            /// Gives the lock back.
            ///
            /// # Errors
            /// [`ManagerError::Raised`] (`RuntimeError`) if it is not held; [`ManagerError::Lost`].
            pub fn release(&self) -> Result<(), ManagerError> {
                release(&self.proxy)
            }

            fn guard(&self) -> $guard<'_> {
                $guard { _held: Held::of(&self.proxy) }
            }
        }
    };
}

lock! {
    /// A lock that a manager has: Python's `Lock`. Anybody may release it.
    ///
    /// # If a process dies
    /// A manager of ours releases what it held, as soon as the connection ends; at a stock one it stays locked.
    ///
    /// # After fork
    /// The child has the same lock. What the parent held is held by the parent: dropping the child's copy of a guard does
    /// nothing.
    ///
    /// # Examples
    /// ```
    #[doc = include_str!("example.txt")]
    /// let lock = manager.lock()?;
    /// {
    ///     let _guard = lock.lock()?;
    ///     assert!(lock.try_lock()?.is_none());
    /// }
    /// assert!(lock.try_lock()?.is_some());
    /// # Ok::<(), ManagerError>(())
    /// ```
    Lock, "lock",
    /// A [`Lock`], held by this thread. Dropping it gives the lock back.
    LockGuard; come_near
}

lock! {
    /// A recursive lock that a manager has: Python's `RLock`. The thread that took it may take it again, and has to release
    /// it as often.
    ///
    /// # If a process dies
    /// A manager of ours releases what it held, as soon as the connection ends; at a stock one it stays locked.
    ///
    /// # After fork
    /// As [`Lock`].
    ///
    /// # Examples
    /// ```
    #[doc = include_str!("example.txt")]
    /// let lock = manager.rlock()?;
    /// let _outer = lock.lock()?;
    /// let _inner = lock.lock()?;
    /// # Ok::<(), ManagerError>(())
    /// ```
    RLock, "recursive lock",
    /// An [`RLock`], held by this thread. Dropping it gives it back once.
    RLockGuard
}
