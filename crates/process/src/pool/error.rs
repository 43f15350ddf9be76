//! What can go wrong with a task.

use crate::{Panic, Signal};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A worker that ended while it ran a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkerLost {
    /// The worker's process.
    pub pid: i32,
    /// Its exit code: minus the signal if one killed it.
    pub exitcode: i32,
    /// The number of the task that it had taken, counted over the pool's life.
    pub task: u64,
}

impl std::fmt::Display for WorkerLost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { pid, exitcode, task } = self;
        match (*exitcode < 0).then(|| Signal::from_raw(-exitcode)) {
            Some(signal) => write!(f, "worker {pid} was killed by {signal} with task {task}"),
            None => write!(f, "worker {pid} exited with {exitcode} in task {task}"),
        }
    }
}

/// Why a task gave no result.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PoolError {
    /// The function panicked.
    #[error("the task {0}")]
    Panicked(Panic),
    /// The worker ended with it; the pool goes on with a new worker.
    #[error("{0}; the pool goes on with a new worker")]
    WorkerLost(WorkerLost),
    /// It ran longer than the pool allows; its worker was killed.
    #[error("the task ran longer than {0:?} and was killed")]
    TaskTimeout(Duration),
    /// It was cancelled.
    #[error("the task was cancelled")]
    Cancelled,
    /// The pool was terminated before it was done.
    #[error("the pool was terminated")]
    Terminated,
    /// The pool was closed before it was submitted.
    #[error("the pool is closed and takes no more tasks")]
    Closed,
    /// The initializer failed in a worker; the pool is at an end.
    #[error("the pool's initializer failed: {0}")]
    Initializer(String),
    /// Arguments or a result could not be sent.
    #[error("{0}")]
    Transfer(String),
    /// A pool could not be made, or a worker not started.
    #[error("{0}")]
    Start(String),
    /// A signal came while the call waited, and its handler asked to end the wait.
    #[error("interrupted by a signal")]
    Interrupted,
    /// The result was not there within the time.
    #[error("no result within the time given")]
    TimedOut,
}

impl PoolError {
    /// Whether the result was not there within the time; it may still come.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut)
    }

    /// Whether the worker ended with the task.
    #[must_use]
    pub fn is_peer_dead(&self) -> bool {
        matches!(self, Self::WorkerLost(_))
    }

    /// The panic, if the task panicked.
    #[must_use]
    pub fn panic(&self) -> Option<&Panic> {
        match self {
            Self::Panicked(panic) => Some(panic),
            _ => None,
        }
    }
}
