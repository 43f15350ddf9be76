//! Barriers that a manager has.

use super::error::ManagerError;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A barrier that a manager has: so many parties wait for each other.
///
/// # If a process dies
/// A party that dies while it waits breaks a barrier of ours, as soon as its connection ends; a stock one counts on with it.
///
/// # After fork
/// Parent and child both use the barrier.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let barrier = manager.barrier(2)?;
/// let other = barrier.clone();
/// let party = std::thread::spawn(move || other.wait());
/// let mut places = [barrier.wait()?, party.join().unwrap()?];
/// places.sort_unstable();
/// assert_eq!(places, [0, 1]);
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Barrier {
    proxy: Proxy,
}

typed!(Barrier as "barrier" with "wait", "abort", "reset", "__getattribute__");

impl Barrier {
    /// Waits until all parties wait; this one's place among them, from 0 on.
    ///
    /// # Errors
    /// [`ManagerError::BrokenBarrier`], [`ManagerError::Lost`].
    pub fn wait(&self) -> Result<usize, ManagerError> {
        broken(self.proxy.ask("wait", (), Waits::ForEver))
    }

    /// As [`wait`](Self::wait), at most for `timeout`: then the barrier breaks.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<usize, ManagerError> {
        let waits = Waits::At(timeout);
        broken(self.proxy.ask("wait", (timeout.as_secs_f64(),), waits))
    }

    /// Breaks the barrier.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn abort(&self) -> Result<(), ManagerError> {
        self.proxy.ask("abort", (), Waits::Not)
    }

    /// Opens the barrier again; who waits there is told that it broke.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn reset(&self) -> Result<(), ManagerError> {
        self.proxy.ask("reset", (), Waits::Not)
    }

    /// How many parties it is for.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn parties(&self) -> Result<usize, ManagerError> {
        self.attribute("parties")
    }

    /// How many wait now.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn n_waiting(&self) -> Result<usize, ManagerError> {
        self.attribute("n_waiting")
    }

    /// Whether it is broken.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn broken(&self) -> Result<bool, ManagerError> {
        self.attribute("broken")
    }

    fn attribute<R: DeserializeOwned>(&self, name: &str) -> Result<R, ManagerError> {
        self.proxy.ask("__getattribute__", (name,), Waits::Not)
    }
}

fn broken<R>(called: Result<R, ManagerError>) -> Result<R, ManagerError> {
    called.map_err(|error| match error.is("threading", "BrokenBarrierError") {
        true => ManagerError::BrokenBarrier,
        false => error,
    })
}
