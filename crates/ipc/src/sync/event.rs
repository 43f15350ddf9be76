//! A flag that processes can wait for.

use super::latch::{gave_up, on_wake};
use super::words::event::EventWords;
use crate::Error;
use crate::shareable::shareable;
use procession_shm::{Held, Kind, family};
use procession_sys::Deadline;
use std::time::Duration;

const WORDS_AT: usize = 32;
const LEN: u64 = 36;

/// A flag that processes can wait for, as Python's `multiprocessing.Event`.
///
/// # If a process dies
/// The flag stays as it is. Setting it never waits for a waiter, alive or dead.
///
/// # After fork
/// The child has the same event.
///
/// # Examples
/// ```
/// let event = procession_ipc::Event::new()?;
/// let setter = event.clone();
/// let thread = std::thread::spawn(move || setter.set());
/// event.wait();
/// assert!(event.is_set());
/// # thread.join().unwrap();
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Event {
    held: Held,
    words: &'static EventWords,
}

shareable!(Event, held, Kind::Event, 0);

impl Event {
    /// An event that is not set.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new() -> Result<Self, Error> {
        Ok(Self::of(family()?.make(Kind::Event, LEN, 0, |_| Ok(()))?))
    }

    fn of(held: Held) -> Self {
        Self { words: held.words(WORDS_AT), held }
    }

    /// Sets the event and wakes all who wait for it. One store and at most one system call, without a
    /// lock or an allocation: a signal handler may call it.
    #[inline]
    pub fn set(&self) {
        self.words.set();
    }

    /// Makes the event unset. Who waited when it was set returns all the same.
    #[inline]
    pub fn clear(&self) {
        self.words.clear();
    }

    /// Whether the event is set.
    #[inline]
    pub fn is_set(&self) -> bool {
        self.words.is_set()
    }

    /// Waits until the event is set.
    pub fn wait(&self) {
        while self.wait_until(Deadline::never(), || false).is_err() {}
    }

    /// Waits until the event is set, at most for `timeout`; whether it was.
    #[must_use = "whether the event was set"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(Deadline::after(timeout), || false).is_ok()
    }

    /// Waits until the event is set, the deadline comes, or `interrupt`, which is asked after every
    /// signal, says that it is enough.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`].
    pub fn wait_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        self.words
            .wait(deadline, on_wake(self.held.family(), interrupt))
            .map_err(|woken| gave_up(woken, "waiting for an event"))
    }
}
