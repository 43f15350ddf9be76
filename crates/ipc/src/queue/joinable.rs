//! A queue that can be waited for until all its items are done.

use super::Queue;
use super::byte_queue::{Bounds, ByteQueue};
use crate::{Error, Waitable};
use procession_shm::Held;
use procession_sys::Deadline;
use serde::{Deserialize, Serialize};
use std::ops::Deref;
use std::time::Duration;

/// A [`Queue`] whose getters say when an item is done, and whose putters can wait for that.
///
/// The queue knows how many items each process has in hand. [`task_done`](Self::task_done) lets go of
/// one that the calling process has, whichever of its threads got it. If it has none, as where one
/// process gets and another declares done, the item counts as done and stays in the hand of whoever
/// got it.
///
/// # If a process dies
/// Items that it took and nobody declared done are lost. Who waits in [`join`](Self::join), or comes
/// next, is told how many these are, once; then they count as if they were done. It makes no
/// difference how the process ended: one that was killed and one that left its work undone are
/// missed alike. An item that it had not taken yet is still there.
///
/// The queue counts; which item is which it does not know. Where processes declare items done that
/// others have in hand, a loss may be told only when those others have ended too. A `Pool` knows each
/// task by its number.
///
/// # After fork
/// What the parent has in hand stays in the parent's.
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
        ByteQueue::joinable(Bounds::default()).map(|core| Self(Queue::over(core)))
    }

    /// A queue of at most `maxsize` items; 0 is no bound.
    ///
    /// # Errors
    /// As [`Queue::new`].
    pub fn with_maxsize(maxsize: usize) -> Result<Self, Error> {
        let bounds = Bounds { items: maxsize as u64, bytes: 0 };
        ByteQueue::joinable(bounds).map(|core| Self(Queue::over(core)))
    }

    /// Says that one item that was got is done.
    ///
    /// # Errors
    /// [`Error::TaskDoneTooOften`] if more items were declared done than were put, without those that a
    /// [`join`](Self::join) said are lost.
    pub fn task_done(&self) -> Result<(), Error> {
        self.0.core().task_done()
    }

    /// How many items were put and not declared done, without those that a [`join`](Self::join) said
    /// are lost.
    pub fn unfinished(&self) -> usize {
        self.0.core().unfinished() as usize
    }

    /// Waits until every item that was put is done.
    ///
    /// # Errors
    /// [`Error::ItemsLost`] as soon as processes are found dead that had items in hand. The other items
    /// are where they were: call this again to wait for them.
    ///
    /// # If a process dies
    /// A getter is missed at once if somebody buries it, and by this call itself within half a second.
    /// All who wait here then are told the same number. If the one that would be told is killed itself,
    /// and waits alone, nobody is told.
    ///
    /// # Examples
    /// ```no_run
    /// use procession_ipc::{Error, JoinableQueue};
    ///
    /// # let queue = JoinableQueue::<u32>::new()?;
    /// let mut missing = 0;
    /// while let Err(error) = queue.join() {
    ///     match error {
    ///         Error::ItemsLost { count } => missing += count,
    ///         other => return Err(other),
    ///     }
    /// }
    /// println!("all done but {missing}");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn join(&self) -> Result<(), Error> {
        self.0.core().join(Deadline::never())
    }

    /// As [`join`](Self::join), waiting so long at most.
    ///
    /// # Errors
    /// [`Error::TimedOut`] too.
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
