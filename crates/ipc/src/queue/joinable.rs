//! A queue that can be waited for until all its items are done.

use super::Queue;
use crate::{Error, Waitable};
use procession_shm::Held;
use procession_sys::Deadline;
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::time::Duration;

/// A [`Queue`] whose getters say when an item is done, and whose putters can wait for that.
///
/// # If a process dies
/// An item that it took and did not declare done stays undone: use
/// [`join_timeout`](Self::join_timeout) where getters may be killed, or a `Pool`, which knows what
/// died with whom.
///
/// # Examples
/// ```
/// use procession_ipc::JoinableQueue;
///
/// let queue = JoinableQueue::new()?;
/// queue.put(&1_u32)?;
/// assert_eq!(queue.get()?, 1);
/// assert_eq!(queue.unfinished(), 1);
/// queue.task_done()?;
/// queue.join()?;
/// assert!(queue.task_done().is_err());
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct JoinableQueue<T>(Queue<T>);

impl<T> JoinableQueue<T> {
    /// A queue without bounds.
    ///
    /// # Errors
    /// As [`Queue::new`].
    pub fn new() -> Result<Self, Error> {
        Queue::new().map(Self)
    }

    /// A queue of at most `maxsize` items; 0 is no bound.
    ///
    /// # Errors
    /// As [`Queue::new`].
    pub fn with_maxsize(maxsize: usize) -> Result<Self, Error> {
        Queue::with_maxsize(maxsize).map(Self)
    }

    /// Says that one item that was got is done.
    ///
    /// # Errors
    /// [`Error::TaskDoneTooOften`] if more items were declared done than were put.
    pub fn task_done(&self) -> Result<(), Error> {
        self.0.core().task_done()
    }

    /// How many items were put and not declared done.
    pub fn unfinished(&self) -> usize {
        self.0.core().unfinished() as usize
    }

    /// Waits until every item that was put is done.
    ///
    /// # Errors
    /// None at present.
    pub fn join(&self) -> Result<(), Error> {
        self.0.core().join(Deadline::never())
    }

    /// As [`join`](Self::join), waiting so long at most.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn join_timeout(&self, timeout: Duration) -> Result<(), Error> {
        self.0.core().join(Deadline::after(timeout))
    }
}

impl<T> Deref for JoinableQueue<T> {
    type Target = Queue<T>;

    fn deref(&self) -> &Queue<T> {
        &self.0
    }
}

impl<T> Clone for JoinableQueue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> std::fmt::Debug for JoinableQueue<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoinableQueue")
            .field("qsize", &self.0.qsize())
            .field("unfinished", &self.unfinished())
            .finish()
    }
}

impl<T> Waitable for JoinableQueue<T> {
    fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    fn bells(&self) -> Option<&Held> {
        self.0.bells()
    }
}
