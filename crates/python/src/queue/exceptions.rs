//! What Python raises of queues.

use pyo3::exceptions::{PyBrokenPipeError, PyEOFError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

fn kind<'py>(
    py: Python<'py>,
    cell: &'static PyOnceLock<Py<PyType>>,
    module: &str,
    name: &str,
) -> PyResult<&'py Bound<'py, PyType>> {
    cell.import(py, module, name)
}

#[cold]
pub(super) fn empty(py: Python<'_>) -> PyErr {
    static KIND: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    kind(py, &KIND, "queue", "Empty")
        .map_or_else(|error| error, |kind| PyErr::from_type(kind.clone(), ()))
}

/// `count`: how many of several were put.
#[cold]
pub(super) fn full(py: Python<'_>, count: Option<usize>) -> PyErr {
    static KIND: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let made = |kind: &Bound<'_, PyType>| match count {
        None => PyErr::from_type(kind.clone(), ()),
        Some(count) => PyErr::from_type(kind.clone(), (count,)),
    };
    kind(py, &KIND, "queue", "Full").map_or_else(|error| error, made)
}

#[cold]
pub(super) fn shut_down(py: Python<'_>) -> PyErr {
    static KIND: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    kind(py, &KIND, "procession.queues", "ShutDown")
        .map_or_else(|error| error, |kind| PyErr::from_type(kind.clone(), ()))
}

/// Of a queue that this process has closed.
#[cold]
pub(super) fn closed(queue: &Bound<'_, PyAny>) -> PyErr {
    match queue.repr() {
        Ok(repr) => PyValueError::new_err(format!("Queue {repr} is closed")),
        Err(error) => error,
    }
}

/// Of an end of a pipe that this process has closed.
#[cold]
pub(super) fn handle_closed() -> PyErr {
    PyOSError::new_err("handle is closed")
}

/// Of a pipe that nobody writes to any more.
#[cold]
pub(super) fn end_of_file() -> PyErr {
    PyEOFError::new_err(())
}

/// Of a pipe that nobody reads from any more.
#[cold]
pub(super) fn broken_pipe() -> PyErr {
    PyBrokenPipeError::new_err((libc::EPIPE, "Broken pipe"))
}
