//! Memory of a parcel as a Python object with the buffer protocol.

use crate::wait::raise;
use procession_ipc::message::Parcel;
use pyo3::exceptions::{PyBufferError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use std::ffi::c_int;
use std::ops::Range;
use std::sync::Arc;

/// A parcel that was received, while anybody sees a part of it.
///
/// # If a process dies
/// What it held of the parcel is let go of when it is buried.
///
/// # After fork
/// Parent and child both see it; the last one frees it.
pub(super) struct Lent {
    start: *mut u8,
    len: usize,
    _held: procession_shm::Held,
}

// SAFETY: an address in a mapping that lives as long as the process, of a block that `_held` keeps.
unsafe impl Send for Lent {}
// SAFETY: as for `Send`; who reads and writes there is up to Python, as with any buffer.
unsafe impl Sync for Lent {}

impl Lent {
    pub(super) fn new(mut parcel: Parcel) -> PyResult<Self> {
        let bytes = parcel.bytes_mut();
        let (start, len) = (bytes.as_mut_ptr(), bytes.len());
        let held = parcel.into_held().map_err(|error| raise(&error))?;
        Ok(Self { start, len, _held: held })
    }
}

/// Bytes in shared memory that were received: the buffer of an array, say.
///
/// They were written once, by the sender, and are not copied. The memory is used again when the last
/// view of the message is gone. Writable if what was sent was; nobody but this process and its forked
/// children sees what is written.
#[pyclass(frozen, module = "procession._core")]
pub(super) struct View {
    lent: Arc<Lent>,
    range: Range<usize>,
    is_readonly: bool,
}

impl View {
    pub(super) fn new<'py>(
        py: Python<'py>,
        lent: &Arc<Lent>,
        range: Range<usize>,
        is_readonly: bool,
    ) -> PyResult<Bound<'py, Self>> {
        if range.start > range.end || range.end > lent.len {
            return Err(PyValueError::new_err("a view beyond its parcel"));
        }
        Bound::new(py, Self { lent: Arc::clone(lent), range, is_readonly })
    }
}

#[pymethods]
impl View {
    fn __len__(&self) -> usize {
        self.range.len()
    }

    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        if view.is_null() {
            return Err(PyBufferError::new_err("no place for the view"));
        }
        let this = slf.get();
        let start = this.lent.start.wrapping_add(this.range.start).cast();
        let len = this.range.len() as ffi::Py_ssize_t;
        // SAFETY: `view` is a place for a view, as the protocol says; `start` is the address of `len`
        // bytes, by the check in `new`, which stay there while the exporting object lives; the view
        // takes a reference to that.
        let result = unsafe {
            ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, len, this.is_readonly.into(), flags)
        };
        if result == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }

    fn __repr__(&self) -> String {
        let kind = if self.is_readonly { ", read only" } else { "" };
        format!("<procession view of {} bytes{kind}>", self.range.len())
    }
}
