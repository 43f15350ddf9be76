//! Queues that know when all is done.

use super::error::ManagerError;
use super::proxy::{Proxy, Typed};
use super::queue::Queue;
use super::shared::Waits;
use std::fmt;
use std::ops::Deref;

/// A [`Queue`] that counts what was taken and is not done yet.
///
/// At a manager every queue does; this type says that it is used.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let queue = manager.joinable_queue()?;
/// queue.put(&7)?;
/// let task = queue.get()?;
/// queue.task_done()?;
/// queue.join()?;
/// # Ok::<(), ManagerError>(())
/// ```
pub struct JoinableQueue<T>(Queue<T>);

impl<T> Typed for JoinableQueue<T> {
    const NAME: &'static str = "joinable queue";
    const METHODS: &'static [&'static str] = &["get", "put", "qsize", "join", "task_done"];

    fn over(proxy: Proxy) -> Self {
        Self(Queue::over(proxy))
    }

    fn proxy(&self) -> &Proxy {
        self.0.proxy()
    }
}

impl<T> Clone for JoinableQueue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> fmt::Debug for JoinableQueue<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("JoinableQueue").field(self.proxy()).finish()
    }
}

impl<T> JoinableQueue<T> {
    /// Says that an item that was taken is done.
    ///
    /// # Errors
    /// [`ManagerError::Raised`] (`ValueError`) if it is called more often than items were put; [`ManagerError::Lost`].
    pub fn task_done(&self) -> Result<(), ManagerError> {
        match self.proxy().near_queue()? {
            Some(near) => near.task_done(),
            None => self.0.call("task_done", (), Waits::Not),
        }
    }

    /// Waits until all items that were put are done.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn join(&self) -> Result<(), ManagerError> {
        match self.proxy().near_queue()? {
            Some(near) => near.join(),
            None => self.0.call("join", (), Waits::ForEver),
        }
    }
}

impl<T> Deref for JoinableQueue<T> {
    type Target = Queue<T>;

    fn deref(&self) -> &Queue<T> {
        &self.0
    }
}
