//! One message out, one message in, without the interpreter.

use procession_sys::Deadline;
use procession_sys::bytes::{Bytes, moving};
use procession_sys::stream::{self, Stopped};
use pyo3::exceptions::{PyEOFError, PyOSError, PyRuntimeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::io;
use std::sync::atomic::AtomicU8;

/// Before every message of less than 2 GiB.
pub(super) const HEADER: usize = 4;
/// A message of at most so many bytes is received into memory that is there already.
const SMALL: usize = 1 << 20;

type Interrupt<'a> = &'a mut (dyn FnMut() -> bool + Send);

/// Why there is no message.
enum Failed {
    Stopped(Stopped),
    /// The stream ended before it.
    Ended,
    /// The stream ended within it.
    Torn,
}

impl From<Stopped> for Failed {
    fn from(stopped: Stopped) -> Self {
        Self::Stopped(stopped)
    }
}

/// A message that was received.
pub(super) enum Received<'py> {
    /// In the vector that was given.
    Small,
    Large(Bound<'py, PyBytes>),
    /// It is longer than was allowed, and still in the stream.
    TooLong,
}

/// Does `work` without the interpreter; it is given what to ask after every signal.
fn detached<R: Send>(
    py: Python<'_>,
    work: impl Send + FnOnce(Interrupt<'_>) -> Result<R, Failed>,
) -> PyResult<R> {
    let mut raised = None;
    let result = py.detach(|| {
        work(&mut || {
            raised = Python::attach(|py| py.check_signals().err());
            raised.is_some()
        })
    });
    result.map_err(|failed| match failed {
        Failed::Ended => PyEOFError::new_err(()),
        Failed::Torn => PyOSError::new_err("got end of file during message"),
        Failed::Stopped(Stopped::Failed(error)) => os_error(py, &error),
        Failed::Stopped(Stopped::Interrupted) => {
            raised.unwrap_or_else(|| PyRuntimeError::new_err("interrupted by nobody"))
        }
    })
}

/// The exception that Python has for an error of the kernel's.
fn os_error(py: Python<'_>, error: &io::Error) -> PyErr {
    let number = error.raw_os_error().unwrap_or(libc::EIO);
    match py.import("os").and_then(|os| os.getattr("strerror")?.call1((number,))) {
        Ok(text) => PyOSError::new_err((number, text.unbind())),
        Err(error) => error,
    }
}

/// Sends a message whose bytes stand in `bytes` behind room for the header.
pub(super) fn send_behind_header(py: Python<'_>, fd: i32, bytes: &mut [u8]) -> PyResult<()> {
    let Ok(len) = i32::try_from(bytes.len() - HEADER) else {
        return send(py, fd, bytes[HEADER..].into());
    };
    bytes[..HEADER].copy_from_slice(&len.to_be_bytes());
    let parts = [Bytes::Still(&[]), Bytes::Still(bytes)];
    detached(py, |interrupt| Ok(stream::write_all(fd, parts, interrupt)?))
}

/// Sends a message.
pub(super) fn send(py: Python<'_>, fd: i32, message: Bytes<'_>) -> PyResult<()> {
    let mut header = [0xff; 12];
    let header = match i32::try_from(message.len()) {
        Ok(len) => {
            header[..HEADER].copy_from_slice(&len.to_be_bytes());
            &header[..HEADER]
        }
        Err(_) => {
            header[HEADER..].copy_from_slice(&(message.len() as u64).to_be_bytes());
            &header[..]
        }
    };
    let parts = [header.into(), message];
    detached(py, |interrupt| Ok(stream::write_all(fd, parts, interrupt)?))
}

/// Receives a message of at most `most` bytes, into `small` if it is not large.
pub(super) fn receive<'py>(
    py: Python<'py>,
    fd: i32,
    most: Option<usize>,
    small: &mut Vec<u8>,
) -> PyResult<Received<'py>> {
    let len = detached(py, |interrupt| {
        let len = length(fd, interrupt)?;
        if len <= SMALL && most.is_none_or(|most| len <= most) {
            small.resize(len, 0);
            fill(fd, small, interrupt)?;
        }
        Ok(len)
    })?;
    if most.is_some_and(|most| len > most) {
        Ok(Received::TooLong)
    } else if len <= SMALL {
        Ok(Received::Small)
    } else {
        receive_bytes(py, fd, len).map(Received::Large)
    }
}

/// Receives the length of a message; the message is next in the stream.
pub(super) fn receive_length(py: Python<'_>, fd: i32) -> PyResult<usize> {
    detached(py, |interrupt| length(fd, interrupt))
}

/// Receives the bytes of a message of which the length is known.
pub(super) fn receive_bytes(py: Python<'_>, fd: i32, len: usize) -> PyResult<Bound<'_, PyBytes>> {
    let no_bytes = std::ptr::null();
    // SAFETY: the interpreter is attached; no bytes are given, so the new object is to be filled in.
    let made = unsafe { ffi::PyBytes_FromStringAndSize(no_bytes, len as ffi::Py_ssize_t) };
    // SAFETY: a new reference, or null and an exception.
    let made = unsafe { Bound::from_owned_ptr_or_err(py, made)? };
    // SAFETY: what was just made is `bytes`.
    let made = unsafe { made.cast_into_unchecked::<PyBytes>() };
    // SAFETY: `made` is `bytes`.
    let bytes = unsafe { ffi::PyBytes_AsString(made.as_ptr()) }.cast::<u8>();
    // SAFETY: nobody else has the object yet, and it has `len` bytes.
    let bytes = unsafe { std::slice::from_raw_parts_mut(bytes, len) };
    receive_into(py, fd, moving(bytes))?;
    Ok(made)
}

/// Receives the bytes of a message of which the length is known, and is that of `bytes`.
pub(super) fn receive_into(py: Python<'_>, fd: i32, bytes: &[AtomicU8]) -> PyResult<()> {
    detached(py, |interrupt| whole(bytes.len(), stream::read_full_moving(fd, bytes, interrupt)?))
}

/// Waits until there is something to receive; whether there is.
pub(super) fn poll(py: Python<'_>, fd: i32, deadline: Deadline) -> PyResult<bool> {
    detached(py, |interrupt| Ok(stream::wait_readable(fd, deadline, interrupt)?))
}

/// A length that is negative, which only a broken peer sends, is that of no bytes, as in CPython.
fn length(fd: i32, interrupt: Interrupt<'_>) -> Result<usize, Failed> {
    let mut header = [0; HEADER];
    fill(fd, &mut header, interrupt)?;
    match i32::from_be_bytes(header) {
        -1 => {
            let mut header = [0; 8];
            fill(fd, &mut header, interrupt)?;
            Ok(usize::try_from(u64::from_be_bytes(header)).unwrap_or(usize::MAX))
        }
        len => Ok(usize::try_from(len).unwrap_or(0)),
    }
}

fn fill(fd: i32, bytes: &mut [u8], interrupt: Interrupt<'_>) -> Result<(), Failed> {
    whole(bytes.len(), stream::read_full(fd, bytes, interrupt)?)
}

fn whole(wanted: usize, read: usize) -> Result<(), Failed> {
    match read {
        _ if read == wanted => Ok(()),
        0 => Err(Failed::Ended),
        _ => Err(Failed::Torn),
    }
}
