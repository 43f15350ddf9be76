//! Why a task gave no result, as an exception.

use procession_process::PoolError;
use pyo3::exceptions::{PyKeyboardInterrupt, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

/// The exception that says so.
pub(super) fn exception(py: Python<'_>, error: &PoolError) -> PyErr {
    made(py, error).unwrap_or_else(|failed| failed)
}

/// What a task raised, or what a signal's handler raises that has not run yet: a Ctrl-C ends the workers
/// as well, and their end is known first now and then.
pub(super) fn after_signals(py: Python<'_>, raised: Bound<'_, PyAny>) -> PyErr {
    py.check_signals().err().unwrap_or_else(|| PyErr::from_value(raised))
}

fn made(py: Python<'_>, error: &PoolError) -> PyResult<PyErr> {
    let instance = match error {
        PoolError::WorkerLost(lost) => {
            ours(py, "WorkerLost")?.call1((lost.pid, lost.exitcode, lost.task))?
        }
        PoolError::TaskTimeout(limit) => ours(py, "TaskTimeout")?.call1((limit.as_secs_f64(),))?,
        PoolError::Cancelled => {
            py.import("concurrent.futures")?.getattr("CancelledError")?.call0()?
        }
        PoolError::TimedOut => timeout(py)?.call0()?,
        PoolError::Closed => return Ok(PyValueError::new_err("Pool not running")),
        PoolError::Interrupted => return Ok(PyKeyboardInterrupt::new_err(())),
        other => ours(py, "PoolBroken")?.call1((other.to_string(),))?,
    };
    Ok(PyErr::from_value(instance))
}

fn ours<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    py.import("procession.lost")?.getattr(name)
}

/// `multiprocessing.TimeoutError`.
pub(super) fn timeout(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    static TIMEOUT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    TIMEOUT.import(py, "multiprocessing.context", "TimeoutError")
}
