//! A manager's lock in shared memory.

use crate::manager::Host;
use crate::wait::{deadline, raise};
use procession_ipc::{Error, Lock, Shareable};
use procession_sys::Deadline;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

/// A lock that a manager made in an arena which this process has joined, with the methods of
/// `threading.Lock`: anybody may release it.
#[pyclass(frozen, module = "procession._core")]
pub(super) struct HostedLock {
    lock: Lock,
    host: Host,
}

/// Until when a call waits that was given `blocking` and `timeout`.
///
/// # Errors
/// `ValueError` for what `threading.Lock` refuses.
fn until(blocking: bool, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Deadline> {
    let Some(timeout) = timeout else {
        return Ok(if blocking { Deadline::never() } else { Deadline::now() });
    };
    if timeout.eq(-1)? {
        return until(blocking, None);
    }
    if !blocking {
        let text = "can't specify a timeout for a non-blocking call";
        return Err(PyValueError::new_err(text));
    }
    if timeout.lt(0)? {
        return Err(PyValueError::new_err("timeout value must be a non-negative number"));
    }
    deadline(Some(timeout))
}

#[pymethods]
impl HostedLock {
    #[new]
    fn new(family: u64, server: u64, handle: u64) -> PyResult<Self> {
        let (host, handle) = Host::find(family, server, handle)?;
        let lock = Lock::attach(host.family(), handle).map_err(|error| raise(&error))?;
        Ok(Self { lock, host })
    }

    /// Takes the lock; `False` if that was not possible within `timeout` seconds, or at once with
    /// `blocking` false.
    #[pyo3(signature = (blocking = true, timeout = None))]
    fn acquire(
        &self,
        py: Python<'_>,
        blocking: bool,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        self.host.check()?;
        let deadline = until(blocking, timeout)?;
        if self.lock.try_acquire() {
            return Ok(true);
        }
        if deadline.expired() {
            return Ok(false);
        }
        let lock = &self.lock;
        let taken = self.host.wait(py, |interrupt| lock.acquire_until(deadline, interrupt))?;
        Ok(taken.is_some())
    }

    /// Frees the lock, whoever holds it.
    fn release(&self) -> PyResult<()> {
        self.host.check()?;
        self.lock.release().map_err(|error| match error {
            Error::ReleasedTooOften => PyRuntimeError::new_err("release unlocked lock"),
            error => raise(&error),
        })
    }

    /// Whether somebody holds it.
    fn locked(&self) -> PyResult<bool> {
        self.host.check()?;
        Ok(self.lock.is_locked())
    }
}
