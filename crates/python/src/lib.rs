//! `procession._core`: the engine's objects as Python types.
//!
//! The binding is thin. What is logic lies on the floors below; what is Python's own way of doing
//! things (contexts, pickling, the cold methods of the stock classes) lies in `python/procession`.
//! Here are the hot methods and the slots, so that a call goes from the interpreter straight to the
//! engine.
//!
//! | room | holds |
//! |---|---|
//! | `family` | seats in a family for processes that CPython starts |
//! | `foreign` | processes that a Rust program started |
//! | `wait` | waiting without the interpreter, and what a signal does to it |
//! | `codec` | Python objects as bytes and back |
//! | `sync` | locks, semaphores, conditions, events, barriers |
//! | `queue` | queues |
//! | `connection` | messages over a descriptor |
//! | `shared` | the memory of values and arrays |
//! | `pool` | the pool |
//! | `manager` | managers: a client's connections, and the server |

#![expect(unsafe_code, reason = "this floor talks to the interpreter and lends it shared memory")]

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

mod codec;
mod connection;
mod family;
mod foreign;
mod manager;
mod pool;
mod queue;
mod shared;
mod sync;
mod wait;

#[pymodule(gil_used = true)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    refuse_subinterpreter()?;
    // Nobody forks now: this thread has the interpreter. Later one may, while another founds the family.
    procession_shm::call_around_forks();
    family::register(module)?;
    foreign::register(module)?;
    codec::register(module)?;
    sync::register(module)?;
    queue::register(module)?;
    connection::register(module)?;
    shared::register(module)?;
    pool::register(module)?;
    manager::register(module)
}

/// What is known here of the process (its seat, its forks, its threads) is known once a process, and
/// signals are the main interpreter's.
fn refuse_subinterpreter() -> PyResult<()> {
    // SAFETY: the interpreter's lock is held, so there is a current interpreter.
    let here = unsafe { pyo3::ffi::PyInterpreterState_Get() };
    // SAFETY: as above, and `here` is that interpreter.
    if unsafe { pyo3::ffi::PyInterpreterState_GetID(here) } == 0 {
        return Ok(());
    }
    Err(PyImportError::new_err(
        "procession works in the main interpreter, not in subinterpreters; use multiprocessing there",
    ))
}
