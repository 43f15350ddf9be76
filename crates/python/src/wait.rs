//! Waiting without the interpreter, and what a signal does to it.

use procession_ipc::Error;
use procession_sys::Deadline;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError};
use pyo3::prelude::*;
use std::io;
use std::time::Duration;

/// Runs `work` without the interpreter's lock. `work` is given the function to ask at every signal:
/// it runs Python's signal handlers, and says whether one of them raised.
///
/// # Errors
/// What the handler raised, or what [`raise`] makes of the error of `work`; a wait that timed out is
/// `Ok(None)`.
pub(crate) fn wait<R: Send>(
    py: Python<'_>,
    work: impl Send + FnOnce(&mut (dyn FnMut() -> bool + Send)) -> Result<R, Error>,
) -> PyResult<Option<R>> {
    let mut raised = None;
    let result = py.detach(|| {
        work(&mut || {
            raised = Python::attach(|py| py.check_signals().err());
            raised.is_some()
        })
    });
    match (raised, result) {
        (Some(error), _) => Err(error),
        (None, Ok(value)) => Ok(Some(value)),
        (None, Err(error)) if error.is_timeout() => Ok(None),
        (None, Err(error)) => Err(raise(&error)),
    }
}

/// An error of the engine as the exception that stock would raise, or the nearest to it.
pub(crate) fn raise(error: &Error) -> PyErr {
    match error {
        Error::Shm(_) | Error::System { .. } => PyOSError::new_err(error.to_string()),
        _ => PyRuntimeError::new_err(error.to_string()),
    }
}

/// The exception that Python has for an error of the kernel's.
pub(crate) fn os_error(py: Python<'_>, error: &io::Error) -> PyErr {
    let number = error.raw_os_error().unwrap_or(libc::EIO);
    match py.import("os").and_then(|os| os.getattr("strerror")?.call1((number,))) {
        Ok(text) => PyOSError::new_err((number, text.unbind())),
        Err(error) => error,
    }
}

/// A timeout as Python gives it: `None` is for ever, a negative one is none.
///
/// # Errors
/// `TypeError` if it is no number.
pub(crate) fn deadline(timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Deadline> {
    let Some(timeout) = timeout else { return Ok(Deadline::never()) };
    let seconds: f64 = timeout.extract().map_err(|_| {
        let kind = timeout.get_type().name().map_or_else(|_| "?".into(), |name| name.to_string());
        PyTypeError::new_err(format!("must be real number, not {kind}"))
    })?;
    if seconds <= 0.0 {
        return Ok(Deadline::now());
    }
    Ok(Duration::try_from_secs_f64(seconds).map_or_else(|_| Deadline::never(), Deadline::after))
}
