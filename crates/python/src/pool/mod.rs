//! The pool, on the engine's pool of bytes (`procession_process::byte_pool`).
//!
//! The engine keeps the books: which task is whose, results, deaths, retries, time limits. What is
//! added here is Python's: how objects become the bytes of a task, how CPython starts a worker, and
//! what a worker does with a task. The supervisor of the engine runs in a thread that Python started;
//! nobody who waits for a result waits for that thread, unless there is a callback.
//!
//! The cut is below the engine's types because a Python task is no shipped function and a Python
//! worker no process of ours, while deaths, claims, retries and time limits are the same. Of the
//! engine's locks two are held while Python code runs, the pump's and that for starting workers; the
//! one is only ever tried, the other waited for with the interpreter detached.
//!
//! Buffers from 64 KiB on go into a parcel with the task or the result, and the receiver gets views of it, which
//! keep it; see `codec::parcel`.
//!
//! A worker waits without the interpreter, and looks at least twice a second whether the pool's
//! process is there. If that process is killed, an idle worker ends then, and a busy one after its
//! task.
//!
//! | room | holds |
//! |---|---|
//! | `engine` | the pool, as `procession.pool` uses it |
//! | `crew` | workers that CPython's `Process` starts |
//! | `job` | what a caller waits for |
//! | `feed` | the tasks of a map, a bounded number ahead |
//! | `task` | tasks and results as bytes |
//! | `post`, `work` | a worker's place, and its loop |
//! | `failure` | why a task gave no result, as an exception |

mod crew;
mod engine;
mod failure;
mod feed;
mod job;
mod post;
mod task;
mod work;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<engine::Engine>()?;
    module.add_class::<feed::Feed>()?;
    module.add_class::<job::PoolJob>()?;
    module.add_class::<post::PoolPost>()
}
