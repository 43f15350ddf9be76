//! The server of a manager, with Python as its guest.

use crate::wait::os_error;
use procession_manager::Type;
use procession_manager::server::guest::{Errand, Errands, Made};
use procession_manager::server::{BindError, Server, Stopper};
use procession_manager::transport::Address;
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::{Mutex, PoisonError};

/// A server that is bound. `serve` runs it in the thread that calls; the other methods are for the threads beside it.
#[pyclass(frozen, module = "procession._core")]
pub(super) struct ManagerServer {
    server: Mutex<Option<Server>>,
    errands: Errands,
    stopper: Stopper,
    address: Address,
}

#[pymethods]
impl ManagerServer {
    /// The names of the types that it hosts.
    #[staticmethod]
    fn kinds() -> Vec<&'static str> {
        Type::ALL.iter().map(|kind| kind.name()).collect()
    }

    /// Binds an address of Python's. `hosted` says under which names there are types of `kinds`, and what is exposed of them;
    /// `guests` has all other names.
    #[new]
    fn new(
        py: Python<'_>,
        address: &Bound<'_, PyAny>,
        authkey: &[u8],
        hosted: Vec<(String, String, Vec<String>)>,
        guests: Vec<String>,
    ) -> PyResult<Self> {
        let mut builder = Server::builder().authkey(authkey).nothing().with_guest();
        for (name, kind, exposed) in hosted {
            let kind: Type =
                kind.parse().map_err(|error| PyValueError::new_err(format!("{error}")))?;
            builder = builder.offer_exposing(name, kind, exposed);
        }
        for name in guests {
            builder = builder.guest(name);
        }
        let mut server = builder.bind(&address_of(address)?).map_err(|error| match error {
            BindError::Listen(_, error) => os_error(py, &error),
            other => PyOSError::new_err(other.to_string()),
        })?;
        let errands = server.errands().ok_or_else(|| PyRuntimeError::new_err("no guest"))?;
        let (stopper, address) = (server.stopper(), server.address().clone());
        Ok(Self { server: Mutex::new(Some(server)), errands, stopper, address })
    }

    /// Where it listens, as Python says it.
    #[getter]
    fn address<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.address {
            Address::Tcp(host, port) => (host, port).into_bound_py_any(py),
            Address::Unix(path) => path.as_os_str().into_bound_py_any(py),
            Address::Abstract(name) => {
                Ok(PyBytes::new(py, &[b"\0", &name[..]].concat()).into_any())
            }
        }
    }

    /// Serves until it is stopped, or a signal handler raises.
    fn serve(&self, py: Python<'_>) -> PyResult<()> {
        let Some(server) = self.take() else {
            return Err(PyRuntimeError::new_err("this server has ended; bind another one"));
        };
        let mut raised = None;
        let ended = py.detach(|| {
            server.run_until(|| {
                raised = Python::attach(|py| py.check_signals().err());
                raised.is_some()
            })
        });
        match raised {
            Some(error) => Err(error),
            None => ended.map_err(|error| os_error(py, &error)),
        }
    }

    /// Ends it, from any thread.
    fn stop(&self) {
        self.stopper.stop();
    }

    /// Gives the address back, if it does not serve.
    fn close(&self) {
        self.take();
    }

    /// The next errand that is no known connection's, as a tuple that begins with its name; waits for it. `None` after the end.
    ///
    /// | errand | and |
    /// |---|---|
    /// | `"serve"` | a connection, and the request that is its first errand; the others are got by `next_of` |
    /// | `"adopt"` | an object, and what it held; `adopted` or `refused` has to follow |
    /// | `"forget"` | an object, and how often it was given to clients |
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        loop {
            let Some(errand) = py.detach(|| self.errands.next_apart()) else { return Ok(None) };
            let told = match errand {
                Errand::Create { connection, request, .. }
                | Errand::Call { connection, request, .. }
                | Errand::Describe { connection, request } => {
                    ("serve", connection, PyBytes::new(py, &request)).into_pyobject(py)
                }
                Errand::Adopt { ident, contents, .. } => {
                    ("adopt", ident, PyBytes::new(py, &contents)).into_pyobject(py)
                }
                Errand::Forget { ident, times } => ("forget", ident, times).into_pyobject(py),
                // Of a connection that has no thread.
                _ => continue,
            };
            return told.map(Some);
        }
    }

    /// The next request of a connection; waits for it. `None` when the connection, or the server, has ended.
    fn next_of<'py>(&self, py: Python<'py>, connection: u64) -> Option<Bound<'py, PyBytes>> {
        match py.detach(|| self.errands.next_of(connection))? {
            Errand::Create { request, .. }
            | Errand::Call { request, .. }
            | Errand::Describe { request, .. } => Some(PyBytes::new(py, &request)),
            _ => None,
        }
    }

    /// Whether a connection has ended of which a request is still to be answered.
    fn has_ended(&self, connection: u64) -> bool {
        self.errands.has_ended(connection)
    }

    /// The guest hosts that object now.
    fn adopted(&self, ident: &str) {
        self.errands.adopted(ident);
    }

    /// The guest cannot host that object: it stays the engine's.
    fn refused(&self, ident: &str) {
        self.errands.refused(ident);
    }

    /// Replies to a request, and says which object the reply gives: its name, its type's, and what it exposes.
    #[pyo3(signature = (connection, reply, made=None))]
    fn answer(&self, connection: u64, reply: Vec<u8>, made: Option<(String, String, Vec<String>)>) {
        let made = made.map(|(ident, typeid, exposed)| Made { ident, typeid, exposed });
        self.errands.answer(connection, reply, made);
    }

    /// Keeps an object for the guest.
    fn hold(&self, ident: &str) {
        self.errands.hold(ident);
    }

    /// Takes back one `hold`.
    fn release(&self, ident: &str) {
        self.errands.release(ident);
    }
}

impl ManagerServer {
    fn take(&self) -> Option<Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// An address as Python has it: a host and a port, a path, or a name in Linux's abstract namespace.
fn address_of(address: &Bound<'_, PyAny>) -> PyResult<Address> {
    if let Ok((host, port)) = address.extract() {
        return Ok(Address::Tcp(host, port));
    }
    let path = match address.cast::<PyBytes>() {
        Ok(bytes) => OsString::from_vec(bytes.as_bytes().to_vec()),
        Err(_) => address.cast::<PyString>()?.extract()?,
    };
    Ok(match path.as_bytes().strip_prefix(b"\0") {
        Some(name) => Address::Abstract(name.to_vec()),
        None => Address::Unix(path.into()),
    })
}
