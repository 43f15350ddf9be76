//! The queue with the fewest verbs.

use super::Queue;
use crate::{Error, Waitable};
use procession_shm::Held;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A queue with `put`, `get` and `empty`, and nothing else. Unbounded: `put` never waits.
///
/// # If a process dies
/// As with [`Queue`].
///
/// # Examples
/// ```
/// use procession_ipc::SimpleQueue;
///
/// let queue = SimpleQueue::new()?;
/// queue.put(&7_i64)?;
/// assert_eq!(queue.get()?, 7);
/// assert!(queue.empty());
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Serialize, Deserialize)]
#[serde(transparent, bound = "")]
pub struct SimpleQueue<T>(Queue<T>);

impl<T> SimpleQueue<T> {
    /// An empty queue.
    ///
    /// # Errors
    /// As [`Queue::new`].
    pub fn new() -> Result<Self, Error> {
        Queue::new().map(Self)
    }

    /// Whether the queue is empty now.
    pub fn empty(&self) -> bool {
        self.0.empty()
    }
}

impl<T: Serialize + DeserializeOwned> SimpleQueue<T> {
    /// Puts a value.
    ///
    /// # Errors
    /// As [`Queue::put`].
    pub fn put(&self, value: &T) -> Result<(), Error> {
        self.0.put(value)
    }
}

impl<T: DeserializeOwned> SimpleQueue<T> {
    /// Takes the next item, waiting for one.
    ///
    /// # Errors
    /// As [`Queue::get`].
    pub fn get(&self) -> Result<T, Error> {
        self.0.get()
    }
}

impl<T> Clone for SimpleQueue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> std::fmt::Debug for SimpleQueue<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimpleQueue").finish_non_exhaustive()
    }
}

impl<T> Waitable for SimpleQueue<T> {
    fn is_ready(&self) -> bool {
        self.0.is_ready()
    }

    fn bells(&self) -> Option<&Held> {
        self.0.bells()
    }
}
