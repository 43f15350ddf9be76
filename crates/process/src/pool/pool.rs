//! The pool itself.

use super::builder::PoolBuilder;
use super::byte_pool::{BytePool, Plan, lock};
use super::call::Once;
use super::error::PoolError;
use super::imap::Imap;
use super::job::Job;
use super::map::MapBuilder;
use super::result::{AsyncResult, MapResult, one};
use super::wire::Message;
use procession_sys::Deadline;
use procession_sys::image::ship;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// A number of worker processes that run functions.
///
/// Workers take tasks from a shared queue by themselves. Functions are plain `fn` items or closures
/// that capture nothing; arguments and results are serde types, shared objects among them.
///
/// Dropping a pool terminates it: what has not ended is lost. [`close`](Self::close) and
/// [`join`](Self::join) let it finish.
///
/// # If a process dies
/// A worker that dies fails the task it had taken, with [`PoolError::WorkerLost`], and no other; a new
/// worker takes its place. If this process dies the workers end.
///
/// # After fork
/// The pool stays the parent's.
///
/// # Examples
/// ```
/// # procession_process::init();
/// use procession_process::Pool;
///
/// let pool = Pool::new(2)?;
/// assert_eq!(pool.apply(|(a, b): (u32, u32)| a + b, (1, 2))?, 3);
/// assert_eq!(pool.map(|n: u64| n * n, 0..5)?, [0, 1, 4, 9, 16]);
/// let lost = pool.apply(|_: ()| std::process::exit(7), ()).map(|never: ()| never);
/// assert!(lost.unwrap_err().is_peer_dead());
/// assert_eq!(pool.apply(|n: u64| n + 1, 1)?, 2);
/// # Ok::<(), procession_process::PoolError>(())
/// ```
#[derive(Debug)]
pub struct Pool {
    pub(super) shared: Arc<BytePool>,
    supervisor: Mutex<Option<JoinHandle<()>>>,
    pub(super) workers: usize,
    owner: u32,
}

impl Pool {
    /// A pool of so many workers.
    ///
    /// # Errors
    /// [`PoolError::Start`] if there is no worker to be had.
    pub fn new(workers: usize) -> Result<Self, PoolError> {
        Self::builder().workers(workers).build()
    }

    /// A pool with settings.
    #[must_use]
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }

    pub(super) fn build(plan: Plan) -> Result<Self, PoolError> {
        let workers = plan.workers;
        let shared = BytePool::new(plan)?;
        let supervised = Arc::clone(&shared);
        let supervisor = std::thread::Builder::new()
            .name("procession-pool".into())
            .spawn(move || supervised.supervise())
            .map_err(|error| PoolError::Start(format!("cannot make a pool: {error}")))?;
        Ok(Self {
            shared,
            supervisor: Mutex::new(Some(supervisor)),
            workers,
            owner: std::process::id(),
        })
    }

    /// How many workers the pool has.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// The pids of the workers that run now.
    #[must_use]
    pub fn pids(&self) -> Vec<i32> {
        self.shared.pids()
    }

    /// Calls `f` in a worker and waits for the result.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub fn apply<A, R>(&self, f: fn(A) -> R, arguments: A) -> Result<R, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.apply_async(f, arguments)?.get()
    }

    /// Has `f` called in a worker.
    ///
    /// # Errors
    /// [`PoolError::Closed`], [`PoolError::Transfer`] if the arguments cannot be sent.
    pub fn apply_async<A, R>(
        &self,
        f: fn(A) -> R,
        arguments: A,
    ) -> Result<AsyncResult<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.submit(f, &arguments)
    }

    /// Has `f` called in a worker, and `callback` or `error_callback` called with what becomes of it, in
    /// the pool's own thread. A callback must not wait for results of the pool.
    ///
    /// # Errors
    /// As [`apply_async`](Self::apply_async).
    pub fn apply_async_with<A, R>(
        &self,
        f: fn(A) -> R,
        arguments: A,
        callback: impl FnOnce(R) + Send + 'static,
        error_callback: impl FnOnce(PoolError) + Send + 'static,
    ) -> Result<AsyncResult<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let result = self.submit(f, &arguments)?;
        let tell = move |job: &Job| match one(job) {
            Ok(value) => callback(value),
            Err(error) => error_callback(error),
        };
        self.shared.when_over(result.job(), Box::new(tell));
        Ok(result)
    }

    fn submit<A, R>(&self, f: fn(A) -> R, arguments: &A) -> Result<AsyncResult<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let function =
            ship::<Once, fn(A) -> R>(f).map_err(|error| PoolError::Start(error.to_string()))?;
        let message = Message::task(&function.to_bytes(), arguments, Vec::new())
            .map_err(|error| PoolError::Transfer(error.to_string()))?;
        let job = Arc::new(Job::single());
        self.shared.submit(&job, 1, message)?;
        Ok(AsyncResult::new(Arc::clone(&self.shared), job))
    }

    /// Calls `f` with each of `items` and waits for all results, in order.
    ///
    /// Calls are sent in chunks whose size follows from how long they take;
    /// [`with`](Self::with)`().chunksize(n)` sets it. Arguments are taken from the iterator a bounded
    /// number ahead.
    ///
    /// # Errors
    /// The first error in the order of the items; see [`PoolError`]. A chunk of which one call panics
    /// fails as a whole.
    pub fn map<A, R>(
        &self,
        f: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<Vec<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.with().map(f, items)
    }

    /// As [`map`](Self::map), for a function of two arguments and an iterator of pairs. A function of
    /// more is called by a closure that takes a tuple apart: `pool.map(|(a, b, c)| f(a, b, c), items)`.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn starmap<A, B, R>(
        &self,
        f: fn(A, B) -> R,
        items: impl IntoIterator<Item = (A, B)>,
    ) -> Result<Vec<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        B: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.with().starmap(f, items)
    }

    /// As [`map`](Self::map), without waiting: all items are sent at once.
    ///
    /// # Errors
    /// As [`apply_async`](Self::apply_async).
    pub fn map_async<A, R>(
        &self,
        f: fn(A) -> R,
        items: impl IntoIterator<Item = A>,
    ) -> Result<MapResult<R>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        self.with().map_async(f, items)
    }

    /// The results of calling `f` with each of `items`, in order, as they are wanted.
    ///
    /// # Errors
    /// [`PoolError::Start`] if the function cannot be sent.
    pub fn imap<A, R, I>(
        &self,
        f: fn(A) -> R,
        items: I,
    ) -> Result<Imap<'_, A, R, I::IntoIter>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.with().chunksize(1).imap(f, items)
    }

    /// As [`imap`](Self::imap), in the order in which the calls end.
    ///
    /// # Errors
    /// As [`imap`](Self::imap).
    pub fn imap_unordered<A, R, I>(
        &self,
        f: fn(A) -> R,
        items: I,
    ) -> Result<Imap<'_, A, R, I::IntoIter>, PoolError>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
        I: IntoIterator<Item = A>,
    {
        self.with().chunksize(1).imap_unordered(f, items)
    }

    /// A map with a chunk size, or with its progress told.
    #[must_use]
    pub fn with(&self) -> MapBuilder<'_> {
        MapBuilder::new(self)
    }

    /// Takes no more tasks; those that it has are run.
    pub fn close(&self) {
        self.shared.close();
    }

    /// Waits until all tasks have ended and the workers are gone.
    ///
    /// # Panics
    /// If the pool was not closed or terminated before.
    pub fn join(&self) {
        let _ = self.join_until(Deadline::never());
    }

    /// As [`join`](Self::join), waiting so long at most; whether it is done.
    ///
    /// # Panics
    /// As [`join`](Self::join).
    #[must_use]
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        self.join_until(Deadline::after(timeout))
    }

    fn join_until(&self, deadline: Deadline) -> bool {
        assert!(!self.shared.is_open(), "join a pool after close() or terminate()");
        match self.shared.drain(deadline, &mut || false) {
            Ok(()) => {}
            Err(error) if error.is_timeout() => return false,
            Err(error) => self.shared.end(error),
        }
        if let Some(supervisor) = lock(&self.supervisor).take() {
            self.shared.bench.kick();
            let _ = supervisor.join();
        }
        true
    }

    /// Ends the pool now: workers are killed, and tasks that have not ended say so.
    pub fn terminate(&self) {
        self.shared.end(PoolError::Terminated);
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if self.owner != std::process::id() {
            return;
        }
        if lock(&self.supervisor).is_some() {
            self.terminate();
            self.join();
        }
    }
}
