//! A result that will be there later.

use super::byte_pool::BytePool;
use super::error::PoolError;
use super::job::Job;
use super::reply::{Outcome, Results};
use procession_sys::Deadline;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// The result of [`Pool::apply_async`](super::Pool::apply_async).
///
/// # If a process dies
/// If the worker dies with the task, [`get`](Self::get) says so.
#[derive(Debug)]
pub struct AsyncResult<R> {
    shared: Arc<BytePool>,
    job: Arc<Job>,
    _result: PhantomData<fn() -> R>,
}

impl<R> AsyncResult<R> {
    pub(super) fn job(&self) -> &Arc<Job> {
        &self.job
    }

    pub(super) fn new(shared: Arc<BytePool>, job: Arc<Job>) -> Self {
        Self { shared, job, _result: PhantomData }
    }

    /// Whether the task has ended, well or not.
    #[must_use]
    pub fn ready(&self) -> bool {
        // What the pool has not taken in yet counts as well; an error there is the wait's to tell.
        let _ = self.shared.take_in_now();
        self.job.state().is_over()
    }

    /// Waits until the task has ended.
    pub fn wait(&self) {
        let _ = self.wait_until(Deadline::never());
    }

    /// Waits so long at most until the task has ended; whether it has.
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(Deadline::after(timeout)).is_ok()
    }

    /// Takes the task back: it is not begun, or its worker is killed and replaced. `false` if it has
    /// ended already.
    pub fn cancel(&self) -> bool {
        self.shared.cancel(&self.job)
    }

    fn wait_until(&self, deadline: Deadline) -> Result<(), PoolError> {
        self.shared.wait(deadline, || self.job.state().is_over())
    }
}

impl<R: DeserializeOwned> AsyncResult<R> {
    /// The result, waiting for it.
    ///
    /// # Errors
    /// Whatever ended the task without a result: see [`PoolError`].
    pub fn get(&self) -> Result<R, PoolError> {
        self.get_until(Deadline::never())
    }

    /// As [`get`](Self::get), waiting so long at most.
    ///
    /// # Errors
    /// [`PoolError::TimedOut`] too; the task goes on.
    pub fn get_timeout(&self, timeout: Duration) -> Result<R, PoolError> {
        self.get_until(Deadline::after(timeout))
    }

    fn get_until(&self, deadline: Deadline) -> Result<R, PoolError> {
        self.wait_until(deadline)?;
        one(&self.job)
    }
}

/// The result of a job of one part.
pub(super) fn one<R: DeserializeOwned>(job: &Job) -> Result<R, PoolError> {
    match job.state().in_order().next() {
        Some(Ok(reply)) => reply.decode(),
        Some(Err(error)) => Err(PoolError::clone(error)),
        None => Err(PoolError::TimedOut),
    }
}

/// The results of [`Pool::map_async`](super::Pool::map_async).
#[derive(Debug)]
pub struct MapResult<R>(pub(super) AsyncResult<R>);

impl<R> MapResult<R> {
    /// Whether all tasks have ended.
    #[must_use]
    pub fn ready(&self) -> bool {
        self.0.ready()
    }

    /// Waits until all tasks have ended.
    pub fn wait(&self) {
        self.0.wait();
    }

    /// Waits so long at most until all tasks have ended; whether they have.
    #[must_use]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.0.wait_timeout(timeout)
    }
}

impl<R: DeserializeOwned> MapResult<R> {
    /// The results in the order of the arguments, waiting for all.
    ///
    /// # Errors
    /// The first error in the order of the arguments.
    pub fn get(&self) -> Result<Vec<R>, PoolError> {
        self.0.wait_until(Deadline::never())?;
        self.all()
    }

    /// As [`get`](Self::get), waiting so long at most.
    ///
    /// # Errors
    /// [`PoolError::TimedOut`] too.
    pub fn get_timeout(&self, timeout: Duration) -> Result<Vec<R>, PoolError> {
        self.0.wait_until(Deadline::after(timeout))?;
        self.all()
    }

    fn all(&self) -> Result<Vec<R>, PoolError> {
        let mut all = Vec::new();
        for outcome in self.0.job.state().in_order() {
            match part(outcome)? {
                Results::One(result) => all.push(result),
                Results::Many(results) => all.extend(results),
            }
        }
        Ok(all)
    }
}

/// The results of a part of a map.
pub(super) fn part<R: DeserializeOwned>(outcome: &Outcome) -> Result<Results<R>, PoolError> {
    match outcome {
        Ok(reply) => reply.decode(),
        Err(error) => Err(PoolError::clone(error)),
    }
}
