//! One connection to a manager.

use crate::codec::{self, Scratch};
use crate::connection::frame::{self, HEADER, Received};
use pyo3::exceptions::{PyBaseException, PyOSError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

/// One connection over which a manager is asked: a request out, its reply in.
///
/// If anything goes wrong between the two it is closed, since nobody knows what would come next.
#[pyclass(frozen, weakref, module = "procession._core")]
pub(super) struct Line {
    socket: Mutex<Option<OwnedFd>>,
    /// Unpickles a reply that is more than plain data.
    load: Py<PyAny>,
}

impl Line {
    fn descriptor(&self) -> Option<i32> {
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        socket.as_ref().map(AsRawFd::as_raw_fd)
    }

    fn ask<'py>(
        &self,
        request: &Bound<'py, PyTuple>,
    ) -> PyResult<(Bound<'py, PyString>, Bound<'py, PyAny>)> {
        let py = request.py();
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        bytes.extend_from_slice(&[0; HEADER]);
        codec::encode_whole(request, bytes)?;
        let Some(descriptor) = self.descriptor() else {
            return Err(PyOSError::new_err("handle is closed"));
        };
        let reply = match frame::exchange(py, descriptor, bytes) {
            Ok(Received::Large(reply)) => match codec::decode_plain(py, reply.as_bytes()) {
                Some(plain) => plain,
                None => self.load.bind(py).call1((reply,))?,
            },
            Ok(Received::Small | Received::TooLong) => match codec::decode_plain(py, bytes) {
                Some(plain) => plain,
                None => self.load.bind(py).call1((PyBytes::new(py, bytes),))?,
            },
            Err(error) => {
                self.close();
                return Err(error);
            }
        };
        reply.extract()
    }
}

#[pymethods]
impl Line {
    /// Over a descriptor, which is its own from then on.
    #[new]
    fn new(descriptor: i32, load: Py<PyAny>) -> Self {
        // SAFETY: the caller has detached the descriptor from what had it, and gives it up.
        let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Self { socket: Mutex::new(Some(socket)), load }
    }

    #[getter]
    fn closed(&self) -> bool {
        self.descriptor().is_none()
    }

    fn close(&self) {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// The result of a call. It raises what the call raised; what is neither is made into a result by
    /// `otherwise(kind, value)`.
    fn call<'py>(
        &self,
        ident: &Bound<'py, PyAny>,
        method: &Bound<'py, PyAny>,
        args: &Bound<'py, PyAny>,
        kwds: &Bound<'py, PyAny>,
        otherwise: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let request = PyTuple::new(ident.py(), [ident, method, args, kwds])?;
        let (kind, value) = self.ask(&request)?;
        if kind == "#RETURN" {
            return Ok(value);
        }
        if kind == "#ERROR" && value.is_instance_of::<PyBaseException>() {
            return Err(PyErr::from_value(value));
        }
        otherwise.call1((kind, value))
    }
}
