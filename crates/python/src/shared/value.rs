//! The hot methods of the wrapper of one number.

use super::block::Block;
use super::guarded::Guarded;
use pyo3::exceptions::{PyAttributeError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::OnceLock;

/// The base of `Synchronized`. Made empty; `_fill` fills it in.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct SynchronizedValue {
    guarded: OnceLock<Guarded>,
}

impl SynchronizedValue {
    #[inline]
    fn guarded(&self) -> PyResult<&Guarded> {
        self.guarded
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the wrapper's __init__ was not called"))
    }

    #[inline]
    pub(super) fn lock(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.guarded()?.lock.clone_ref(py))
    }

    #[inline]
    pub(super) fn read<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let guarded = self.guarded()?;
        guarded.locked(py, || match guarded.numbers {
            Some(memory) => Ok(memory.element.read(py, memory.data, 0)),
            None => guarded.obj.bind(py).getattr("value"),
        })
    }

    #[inline]
    pub(super) fn write(&self, py: Python<'_>, value: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let guarded = self.guarded()?;
        let Some(value) = value else {
            return Err(PyAttributeError::new_err("a value cannot be deleted"));
        };
        let bytes =
            guarded.memory.and_then(|memory| Some((memory, memory.element.bytes_of(value)?)));
        guarded.locked(py, || match bytes {
            Some((memory, bytes)) => {
                memory.data.write(0, &bytes[..memory.element.size()]);
                Ok(())
            }
            None => guarded.obj.bind(py).setattr("value", value),
        })
    }
}

#[pymethods]
impl SynchronizedValue {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { guarded: OnceLock::new() }
    }

    fn _fill(
        &self,
        obj: Bound<'_, PyAny>,
        lock: Bound<'_, PyAny>,
        block: Option<&Bound<'_, Block>>,
    ) -> PyResult<()> {
        self.guarded
            .set(Guarded::new(obj, lock, block)?)
            .map_err(|_| PyRuntimeError::new_err("the wrapper's __init__ was called before"))
    }

    #[getter]
    fn _obj(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.get_obj(py)
    }

    #[getter]
    fn _lock(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.lock(py)
    }

    /// The ctypes object.
    fn get_obj(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.guarded()?.obj.clone_ref(py))
    }

    /// The lock.
    fn get_lock(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.lock(py)
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.guarded()?.enter(py)
    }

    #[pyo3(signature = (_kind = None, _value = None, _traceback = None))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.guarded()?.exit(py)
    }

    /// The number, read and written under the lock.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.read(py)
    }
}
