//! Events.

use crate::family;
use crate::wait::{deadline, raise, wait};
use procession_ipc::Shareable;
use procession_shm::Handle;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::OnceLock;

/// The base of `Event`. Made empty, as [`SemLock`](super::SemLock) is.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct Event {
    object: OnceLock<procession_ipc::Event>,
}

impl Event {
    #[inline]
    fn object(&self) -> PyResult<&procession_ipc::Event> {
        self.object
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the event's __init__ was not called"))
    }

    fn fill(&self, object: Result<procession_ipc::Event, procession_ipc::Error>) -> PyResult<()> {
        self.object
            .set(object.map_err(|error| raise(&error))?)
            .map_err(|_| PyRuntimeError::new_err("the event's __init__ was called before"))
    }
}

#[pymethods]
impl Event {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { object: OnceLock::new() }
    }

    fn _make(&self) -> PyResult<()> {
        self.fill(procession_ipc::Event::new())
    }

    fn _attach(&self, family: u64, handle: u64) -> PyResult<()> {
        let family = family::find(family)?;
        let handle = Handle::from_bits(handle)
            .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
        self.fill(procession_ipc::Event::attach(family, handle))
    }

    #[getter]
    fn _family(&self) -> PyResult<u64> {
        Ok(self.object()?.held().family().arena().id())
    }

    #[getter]
    fn handle(&self) -> PyResult<u64> {
        Ok(self.object()?.handle().to_bits())
    }

    /// Whether it is set. Takes no lock.
    fn is_set(&self) -> PyResult<bool> {
        Ok(self.object()?.is_set())
    }

    /// Sets it and wakes all who wait; waits for nobody, alive or dead.
    fn set(&self) -> PyResult<()> {
        self.object()?.set();
        Ok(())
    }

    /// Makes it unset.
    fn clear(&self) -> PyResult<()> {
        self.object()?.clear();
        Ok(())
    }

    /// Waits until it is set, `timeout` seconds at most; whether it was.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let object = self.object()?;
        if object.is_set() {
            return Ok(true);
        }
        let deadline = deadline(timeout)?;
        Ok(wait(py, |interrupt| object.wait_until(deadline, interrupt))?.is_some())
    }
}
