//! Settings of a pool.

use super::byte_pool::Plan;
use super::call::Once;
use super::crew::Typed;
use super::error::PoolError;
use super::pool::Pool;
use super::wire::Message;
use crate::{StartMethod, cpu_count};
use procession_sys::image::ship;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// A pool that is to be made: see [`Pool::builder`].
#[derive(Debug, Default)]
pub struct PoolBuilder {
    workers: Option<usize>,
    method: StartMethod,
    initializer: Option<Result<(u8, Vec<u8>), PoolError>>,
    most: Option<u64>,
    max_memory: Option<u64>,
    retries: u32,
    task_timeout: Option<Duration>,
}

impl PoolBuilder {
    /// How many workers; otherwise [`cpu_count`].
    #[must_use]
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// How workers are started.
    #[must_use]
    pub fn start_method(mut self, method: StartMethod) -> Self {
        self.method = method;
        self
    }

    /// Has every worker call `f` before its first task. If it panics, or three workers in a row end in
    /// it, the pool is at an end, with the message.
    ///
    /// The arguments must not contain shared objects; send those with the tasks.
    #[must_use]
    pub fn initializer<A>(mut self, f: fn(A), arguments: A) -> Self
    where
        A: Serialize + DeserializeOwned,
    {
        let send = || -> Result<(u8, Vec<u8>), String> {
            let function = ship::<Once, fn(A)>(f).map_err(|error| error.to_string())?;
            let message = Message::task(&function.to_bytes(), &arguments, Vec::new())
                .map_err(|error| error.to_string())?;
            if message.objects.is_empty() {
                Ok((message.format, message.bytes))
            } else {
                Err("shared objects cannot be arguments of an initializer".into())
            }
        };
        self.initializer = Some(send().map_err(PoolError::Initializer));
        self
    }

    /// A worker ends after so many tasks and is replaced: against memory that grows.
    #[must_use]
    pub fn maxtasksperchild(mut self, tasks: u64) -> Self {
        self.most = Some(tasks);
        self
    }

    /// A worker that has more than so many bytes in memory after a task ends and is replaced.
    #[must_use]
    pub fn max_memory_per_child(mut self, bytes: u64) -> Self {
        self.max_memory = Some(bytes);
        self
    }

    /// A task whose worker dies is tried again so many times before it fails.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }

    /// A task that runs longer is ended, with its worker, and with no other task. At least a
    /// millisecond.
    #[must_use]
    pub fn task_timeout(mut self, limit: Duration) -> Self {
        self.task_timeout = Some(limit.max(Duration::from_millis(1)));
        self
    }

    /// Makes the pool and starts its workers.
    ///
    /// # Errors
    /// [`PoolError::Start`] if there is no worker to be had or the number of workers is 0,
    /// [`PoolError::Initializer`] if the initializer cannot be sent.
    pub fn build(self) -> Result<Pool, PoolError> {
        let workers = self.workers.unwrap_or_else(cpu_count);
        if workers == 0 {
            return Err(PoolError::Start("a pool has at least one worker".into()));
        }
        let initializer = self.initializer.transpose()?;
        let has_initializer = initializer.is_some();
        let (method, most, max_memory) = (self.method, self.most, self.max_memory);
        Pool::build(Plan {
            workers,
            crew: Box::new(Typed { method, initializer, most, max_memory }),
            has_initializer,
            retries: self.retries,
            task_timeout: self.task_timeout,
        })
    }
}
