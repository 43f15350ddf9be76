//! Barriers.

use crate::family;
use crate::wait::{deadline, raise, wait};
use procession_ipc::{Error, Shareable};
use procession_shm::Handle;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::OnceLock;

/// The base of `Barrier`. Made empty, as [`SemLock`](super::SemLock) is.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct Barrier {
    object: OnceLock<procession_ipc::Barrier>,
}

impl Barrier {
    fn object(&self) -> PyResult<&procession_ipc::Barrier> {
        self.object
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the barrier's __init__ was not called"))
    }

    fn fill(&self, object: Result<procession_ipc::Barrier, Error>) -> PyResult<()> {
        self.object
            .set(object.map_err(|error| raise(&error))?)
            .map_err(|_| PyRuntimeError::new_err("the barrier's __init__ was called before"))
    }
}

#[pymethods]
impl Barrier {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { object: OnceLock::new() }
    }

    fn _make(&self, parties: usize) -> PyResult<()> {
        self.fill(procession_ipc::Barrier::new(parties))
    }

    fn _attach(&self, family: u64, handle: u64) -> PyResult<()> {
        let family = family::find(family)?;
        let handle = Handle::from_bits(handle)
            .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
        self.fill(procession_ipc::Barrier::attach(family, handle))
    }

    #[getter]
    fn _family(&self) -> PyResult<u64> {
        Ok(self.object()?.held().family().arena().id())
    }

    #[getter]
    fn handle(&self) -> PyResult<u64> {
        Ok(self.object()?.handle().to_bits())
    }

    /// Waits until all parties have arrived; how many had before this one. The last one to arrive calls
    /// `action` before all go on; if that raises, the barrier is broken.
    fn _wait(
        &self,
        py: Python<'_>,
        timeout: Option<&Bound<'_, PyAny>>,
        action: Option<Py<PyAny>>,
    ) -> PyResult<usize> {
        let object = self.object()?;
        let deadline = deadline(timeout)?;
        let mut failed = None;
        let arrived = wait(py, |interrupt| {
            let arrived = object.wait_until_then(deadline, interrupt, || {
                let done = action.map(|action| Python::attach(|py| action.call0(py)));
                failed = done.and_then(Result::err);
                failed.is_none()
            });
            match arrived {
                Err(Error::BrokenBarrier) => Ok(None),
                arrived => arrived.map(Some),
            }
        })?;
        match (failed, arrived.flatten()) {
            (Some(error), _) => Err(error),
            (None, Some(index)) => Ok(index),
            (None, None) => {
                let broken = py.import("threading")?.getattr("BrokenBarrierError")?;
                Err(PyErr::from_value(broken.call0()?))
            }
        }
    }

    /// Breaks the barrier: all who wait fail, and all who come, until it is reset.
    fn abort(&self) -> PyResult<()> {
        self.object()?.abort();
        Ok(())
    }

    /// Opens the barrier anew. All who wait fail.
    fn reset(&self) -> PyResult<()> {
        self.object()?.reset();
        Ok(())
    }

    /// How many wait now.
    #[getter]
    fn n_waiting(&self) -> PyResult<usize> {
        Ok(self.object()?.n_waiting())
    }

    /// Whether it is broken.
    #[getter]
    fn broken(&self) -> PyResult<bool> {
        Ok(self.object()?.broken())
    }
}
