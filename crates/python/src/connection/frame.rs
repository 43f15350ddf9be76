//! One message out, one message in, without the interpreter, but for what a socket does at once.

use crate::wait::os_error;
use procession_sys::Deadline;
use procession_sys::bytes::{Bytes, moving};
use procession_sys::stream::{self, Stopped};
use pyo3::exceptions::{PyEOFError, PyOSError, PyRuntimeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::sync::atomic::AtomicU8;

/// Before every message of less than 2 GiB.
pub(crate) const HEADER: usize = 4;
/// The same before a longer one.
const LONG_HEADER: usize = 12;
/// So many bytes of a reply are received with its header.
const AHEAD: usize = 1 << 12;
/// A message of at most so many bytes is received into memory that is there already.
const SMALL: usize = 1 << 20;

/// What a socket takes or has of a message of at most so many bytes is written and read with the interpreter
/// attached: letting go of it, and taking it again, costs as much as the call of the kernel's.
const AT_ONCE: usize = 4 << 10;

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
pub(crate) enum Received<'py> {
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

/// Sends a message whose bytes stand in `bytes` behind room for the header.
pub(super) fn send_behind_header(
    py: Python<'_>,
    fd: i32,
    is_socket: bool,
    bytes: &mut [u8],
) -> PyResult<()> {
    let Ok(len) = i32::try_from(bytes.len() - HEADER) else {
        return send(py, fd, bytes[HEADER..].into());
    };
    bytes[..HEADER].copy_from_slice(&len.to_be_bytes());
    let mut left = &*bytes;
    if is_socket && left.len() <= AT_ONCE {
        let sent = stream::write_now(fd, left).map_err(|error| os_error(py, &error))?;
        left = &left[sent..];
        if left.is_empty() {
            return Ok(());
        }
    }
    let parts = [Bytes::Still(&[]), Bytes::Still(left)];
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
    is_socket: bool,
    most: Option<usize>,
    small: &mut Vec<u8>,
) -> PyResult<Received<'py>> {
    let (mut header, mut there) = ([0; HEADER], 0);
    if is_socket {
        let now =
            |bytes: &mut [u8]| stream::read_now(fd, bytes).map_err(|error| os_error(py, &error));
        there = now(&mut header)?;
        let len = u32::from_be_bytes(header) as usize;
        if there == HEADER && len <= most.unwrap_or(AT_ONCE).min(AT_ONCE) {
            small.resize(len, 0);
            let there = now(small)?;
            if there < len {
                detached(py, |interrupt| fill_rest(fd, small, there, interrupt))?;
            }
            return Ok(Received::Small);
        }
    }
    let len = detached(py, |interrupt| {
        fill_rest(fd, &mut header, there, interrupt)?;
        let len = length(fd, header, interrupt)?;
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

/// Sends the request that stands in `bytes` behind room for the header, and receives its reply, in `bytes` too if it is
/// not large. Nothing may be in the stream behind the reply.
pub(crate) fn exchange<'py>(
    py: Python<'py>,
    fd: i32,
    bytes: &mut Vec<u8>,
) -> PyResult<Received<'py>> {
    let Ok(len) = i32::try_from(bytes.len() - HEADER) else {
        send(py, fd, bytes[HEADER..].into())?;
        return receive(py, fd, false, None, bytes);
    };
    bytes[..HEADER].copy_from_slice(&len.to_be_bytes());
    let (len, there) = detached(py, |interrupt| {
        stream::write_all(fd, [Bytes::Still(&[]), Bytes::Still(bytes)], &mut *interrupt)?;
        let (len, mut there) = read_ahead(fd, bytes, interrupt)?;
        there = there.min(len);
        if len <= SMALL {
            bytes.resize(len, 0);
            fill(fd, &mut bytes[there..], interrupt)?;
        }
        Ok((len, there))
    })?;
    if len <= SMALL {
        return Ok(Received::Small);
    }
    receive_rest(py, fd, len, &bytes[..there]).map(Received::Large)
}

/// Receives the header of a message and what has come of the message itself, which stands in `bytes` then: the length
/// of the message, and how much is there.
fn read_ahead(
    fd: i32,
    bytes: &mut Vec<u8>,
    interrupt: Interrupt<'_>,
) -> Result<(usize, usize), Failed> {
    bytes.resize(AHEAD, 0);
    let mut there = 0;
    let mut header = HEADER;
    while there < header {
        match stream::read_some(fd, &mut bytes[there..], &mut *interrupt)? {
            0 if there == 0 => return Err(Failed::Ended),
            0 => return Err(Failed::Torn),
            more => there += more,
        }
        if bytes.starts_with(&[0xff; HEADER]) {
            header = LONG_HEADER;
        }
    }
    let number = |range: std::ops::Range<usize>| {
        bytes[range].iter().fold(0, |number, &byte| (number << 8) | u64::from(byte))
    };
    let len = match header {
        LONG_HEADER => usize::try_from(number(HEADER..LONG_HEADER)).unwrap_or(usize::MAX),
        // As with CPython, a negative length is that of no bytes.
        _ => i32::try_from(number(0..HEADER)).map_or(0, |len| len as usize),
    };
    bytes.copy_within(header..there, 0);
    Ok((len, there - header))
}

/// Receives the length of a message; the message is next in the stream.
pub(super) fn receive_length(py: Python<'_>, fd: i32) -> PyResult<usize> {
    detached(py, |interrupt| {
        let mut header = [0; HEADER];
        fill(fd, &mut header, interrupt)?;
        length(fd, header, interrupt)
    })
}

/// Receives the bytes of a message of which the length is known.
pub(super) fn receive_bytes(py: Python<'_>, fd: i32, len: usize) -> PyResult<Bound<'_, PyBytes>> {
    receive_rest(py, fd, len, &[])
}

/// The same, where the first bytes of the message have come already.
fn receive_rest<'py>(
    py: Python<'py>,
    fd: i32,
    len: usize,
    begun: &[u8],
) -> PyResult<Bound<'py, PyBytes>> {
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
    let (first, rest) = bytes.split_at_mut(begun.len());
    first.copy_from_slice(begun);
    receive_into(py, fd, moving(rest))?;
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
fn length(fd: i32, header: [u8; HEADER], interrupt: Interrupt<'_>) -> Result<usize, Failed> {
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
    fill_rest(fd, bytes, 0, interrupt)
}

/// Fills `bytes`, of which so many are there.
fn fill_rest(
    fd: i32,
    bytes: &mut [u8],
    there: usize,
    interrupt: Interrupt<'_>,
) -> Result<(), Failed> {
    let read = stream::read_full(fd, &mut bytes[there..], interrupt)?;
    whole(bytes.len(), there + read)
}

fn whole(wanted: usize, read: usize) -> Result<(), Failed> {
    match read {
        _ if read == wanted => Ok(()),
        0 => Err(Failed::Ended),
        _ => Err(Failed::Torn),
    }
}
