//! One end of a pipe, or of a socket.

use super::frame::{self, HEADER, Received};
use crate::codec::{self, Scratch};
use crate::wait::deadline;
use procession_sys::Deadline;
use procession_sys::bytes::Bytes;
use procession_sys::stream::is_socket;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMemoryView, PyTuple};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU8, Ordering::Relaxed};

/// No descriptor.
const CLOSED: i32 = -1;

/// The base of `Connection`: `_handle`, `_readable` and `_writable` are what stock's constructor and its
/// cold methods set, the methods here are the hot ones.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct Connection {
    handle: AtomicI32,
    /// What is at the handle, as it was when that was set.
    is_socket: AtomicBool,
    readable: AtomicBool,
    writable: AtomicBool,
}

/// The argument of `poll`, which means one thing as `None` and another if it is missing.
enum Timeout<'py> {
    Missing,
    Given(Bound<'py, PyAny>),
}

impl<'a, 'py> FromPyObject<'a, 'py> for Timeout<'py> {
    type Error = PyErr;

    fn extract(timeout: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self::Given(timeout.to_owned()))
    }
}

impl Connection {
    #[inline]
    fn open(&self) -> PyResult<i32> {
        match self.handle.load(Relaxed) {
            CLOSED => Err(PyOSError::new_err("handle is closed")),
            handle => Ok(handle),
        }
    }

    #[inline]
    fn open_to_read(&self) -> PyResult<i32> {
        let handle = self.open()?;
        if self.readable.load(Relaxed) {
            return Ok(handle);
        }
        Err(PyOSError::new_err("connection is write-only"))
    }

    #[inline]
    fn open_to_write(&self) -> PyResult<i32> {
        let handle = self.open()?;
        if self.writable.load(Relaxed) {
            return Ok(handle);
        }
        Err(PyOSError::new_err("connection is read-only"))
    }
}

#[pymethods]
impl Connection {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            handle: AtomicI32::new(CLOSED),
            is_socket: AtomicBool::new(false),
            readable: AtomicBool::new(true),
            writable: AtomicBool::new(true),
        }
    }

    #[getter]
    fn _handle(&self) -> Option<i32> {
        Some(self.handle.load(Relaxed)).filter(|handle| *handle != CLOSED)
    }

    #[setter(_handle)]
    fn set_handle(&self, handle: Option<i32>) {
        self.is_socket.store(handle.is_some_and(is_socket), Relaxed);
        self.handle.store(handle.unwrap_or(CLOSED), Relaxed);
    }

    #[getter]
    fn _readable(&self) -> bool {
        self.readable.load(Relaxed)
    }

    #[setter(_readable)]
    fn set_readable(&self, readable: &Bound<'_, PyAny>) -> PyResult<()> {
        self.readable.store(readable.is_truthy()?, Relaxed);
        Ok(())
    }

    #[getter]
    fn _writable(&self) -> bool {
        self.writable.load(Relaxed)
    }

    #[setter(_writable)]
    fn set_writable(&self, writable: &Bound<'_, PyAny>) -> PyResult<()> {
        self.writable.store(writable.is_truthy()?, Relaxed);
        Ok(())
    }

    /// The descriptor.
    fn fileno(&self) -> PyResult<i32> {
        self.open()
    }

    /// Sends an object, pickled.
    fn send(&self, obj: &Bound<'_, PyAny>) -> PyResult<()> {
        let handle = self.open_to_write()?;
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        bytes.extend_from_slice(&[0; HEADER]);
        codec::encode_whole(obj, bytes)?;
        frame::send_behind_header(obj.py(), handle, self.is_socket.load(Relaxed), bytes)
    }

    /// Receives an object that was sent.
    fn recv<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let handle = self.open_to_read()?;
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        match frame::receive(py, handle, self.is_socket.load(Relaxed), None, bytes)? {
            Received::Large(bytes) => codec::decode(py, bytes.as_bytes()),
            Received::Small | Received::TooLong => codec::decode(py, bytes),
        }
    }

    /// Sends bytes, of a buffer those from `offset` on, `size` of them.
    #[pyo3(signature = (buf, offset = 0, size = None))]
    fn send_bytes(
        &self,
        buf: &Bound<'_, PyAny>,
        offset: isize,
        size: Option<isize>,
    ) -> PyResult<()> {
        let handle = self.open_to_write()?;
        let py = buf.py();
        if let Ok(bytes) = buf.cast_exact::<PyBytes>() {
            return frame::send(py, handle, part(bytes.as_bytes().into(), offset, size)?);
        }
        let view = PyMemoryView::from(buf)?;
        let exported = PyUntypedBuffer::get(&view)?;
        if !exported.is_c_contiguous() {
            let copy = view.call_method0("tobytes")?.cast_into::<PyBytes>()?;
            return frame::send(py, handle, part(copy.as_bytes().into(), offset, size)?);
        }
        let bytes = Bytes::Moving(exported_bytes(&exported));
        frame::send(py, handle, part(bytes, offset, size)?)
    }

    /// Receives bytes, `maxlength` at most.
    #[pyo3(signature = (maxlength = None))]
    fn recv_bytes<'py>(
        slf: &Bound<'py, Self>,
        maxlength: Option<isize>,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let handle = slf.get().open_to_read()?;
        let is_socket = slf.get().is_socket.load(Relaxed);
        let most = maxlength
            .map(|most| {
                usize::try_from(most).map_err(|_| PyValueError::new_err("negative maxlength"))
            })
            .transpose()?;
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        match frame::receive(slf.py(), handle, is_socket, most, bytes)? {
            Received::Small => Ok(PyBytes::new(slf.py(), bytes)),
            Received::Large(bytes) => Ok(bytes),
            Received::TooLong => {
                slf.call_method0("_bad_message_length")?;
                Err(PyOSError::new_err("bad message length"))
            }
        }
    }

    /// Receives bytes into a buffer, from `offset` on; how many.
    #[pyo3(signature = (buf, offset = 0))]
    fn recv_bytes_into(
        slf: &Bound<'_, Self>,
        buf: &Bound<'_, PyAny>,
        offset: isize,
    ) -> PyResult<usize> {
        let py = slf.py();
        let handle = slf.get().open_to_read()?;
        let exported = PyUntypedBuffer::get(&PyMemoryView::from(buf)?.into_any())?;
        let is_plain = exported.is_c_contiguous() && exported.dimensions() == 1;
        if !is_plain || exported.readonly() || exported.item_size() != 1 {
            drop(exported);
            let stock = py.import("multiprocessing.connection")?.getattr("Connection")?;
            return stock.call_method1("recv_bytes_into", (slf, buf, offset))?.extract();
        }
        let offset = usize::try_from(offset)
            .map_err(|_| PyValueError::new_err("negative offset"))
            .and_then(|offset| match offset <= exported.len_bytes() {
                true => Ok(offset),
                false => Err(PyValueError::new_err("offset too large")),
            })?;
        let len = frame::receive_length(py, handle)?;
        if len > exported.len_bytes() - offset {
            let message = frame::receive_bytes(py, handle, len)?;
            let short = py.import("multiprocessing.context")?.getattr("BufferTooShort")?;
            return Err(PyErr::from_value(short.call1((message,))?));
        }
        frame::receive_into(py, handle, &exported_bytes(&exported)[offset..][..len])?;
        Ok(len)
    }

    /// Whether there is something to receive, or the end; waits `timeout` seconds for it, for ever with
    /// `None`.
    #[pyo3(signature = (timeout = Timeout::Missing), text_signature = "($self, timeout=0.0)")]
    fn poll(&self, py: Python<'_>, timeout: Timeout<'_>) -> PyResult<bool> {
        let handle = self.open_to_read()?;
        let deadline = match timeout {
            Timeout::Missing => Deadline::now(),
            Timeout::Given(timeout) => deadline(Some(&timeout).filter(|it| !it.is_none()))?,
        };
        frame::poll(py, handle, deadline)
    }
}

/// The bytes of an exported buffer that lies in one piece; to be written only if it may be.
///
/// Python code may use them meanwhile, and what is sent or seen is a mixture then, as with stock.
fn exported_bytes(exported: &PyUntypedBuffer) -> &[AtomicU8] {
    let (start, len) = (exported.buf_ptr().cast::<AtomicU8>(), exported.len_bytes());
    if len == 0 {
        return &[];
    }
    // SAFETY: "valid for reads of `len` bytes", "not mutated ... except inside an `UnsafeCell`": so many lie
    // there for as long as they are exported, which is as long as the borrow; as atomics, others may write
    // them. In writing them this module has asked whether they are read only.
    unsafe { std::slice::from_raw_parts(start, len) }
}

/// Those bytes from `offset` on, `size` of them or all.
fn part(bytes: Bytes<'_>, offset: isize, size: Option<isize>) -> PyResult<Bytes<'_>> {
    let bad = |what: &'static str| Err(PyValueError::new_err(what));
    let Ok(offset) = usize::try_from(offset) else { return bad("offset is negative") };
    let Some(rest) = bytes.get(offset..bytes.len()) else { return bad("buffer length < offset") };
    let Some(size) = size else { return Ok(rest) };
    let Ok(size) = usize::try_from(size) else { return bad("size is negative") };
    match rest.get(0..size) {
        Some(part) => Ok(part),
        None => bad("buffer length < offset + size"),
    }
}
