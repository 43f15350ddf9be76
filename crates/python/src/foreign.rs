//! Processes of the other language: this one, if a Rust program started it, and Rust programs that this
//! one starts.

use crate::family;
use crate::wait::raise;
use procession_ipc::counterpart;
use procession_ipc::message::Objects;
use procession_process::{Error, Process, Signal, python};
use procession_shm::Handle;
use pyo3::exceptions::{PyFileNotFoundError, PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::Command;

/// The place of this process: its seat, where its arguments lie and its outcome is left.
#[pyclass(frozen, module = "procession._core")]
struct Post {
    post: python::Post,
}

#[pymethods]
impl Post {
    /// Takes the seat, with the descriptors of the arena and of the lifeline, which are its own from
    /// then on. `None` if the parent is gone.
    #[staticmethod]
    fn take(seat: u64, arena: i32, lifeline: i32, outlive: bool) -> PyResult<Option<Self>> {
        // SAFETY: the process was started with this descriptor, and the caller gives it up.
        let arena = unsafe { OwnedFd::from_raw_fd(arena) };
        // SAFETY: as above.
        let lifeline = unsafe { OwnedFd::from_raw_fd(lifeline) };
        let post = python::Post::take(seat, arena, &lifeline, outlive)?;
        Ok(post.map(|post| Self { post }))
    }

    /// What `load` makes of the family's number and of the pickle of the arguments. The objects in it
    /// are in being until `load` returns.
    fn arguments<'py>(&self, load: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(parcel) = self.post.arguments().map_err(|error| raise(&error))? else {
            return Ok(None);
        };
        let pickle = PyBytes::new(load.py(), parcel.bytes());
        load.call1((self.post.family().arena().id(), pickle)).map(Some)
    }

    /// Leaves the outcome, a pickle.
    fn leave(&self, outcome: &[u8]) -> PyResult<()> {
        self.post.leave(outcome).map_err(|error| raise(&error))
    }
}

/// The name of the class that a shared object has here, and its typecode, or "".
#[pyfunction]
#[pyo3(name = "counterpart")]
fn counterpart_of(family: u64, handle: u64) -> PyResult<(&'static str, &'static str)> {
    let none = || PyValueError::new_err(format!("{handle:#x} is no object that Python can have"));
    let handle = Handle::from_bits(handle).ok_or_else(none)?;
    let found = counterpart::of(family::find(family)?, handle).ok_or_else(none)?;
    Ok((found.class, found.code))
}

/// A Rust program that runs one of its tasks.
#[pyclass(frozen, module = "procession._core")]
struct RustProgram {
    program: python::Program,
}

fn failed(error: &Error) -> PyErr {
    match error {
        Error::Memory { source, .. } => raise(source),
        other => PyOSError::new_err(other.to_string()),
    }
}

#[pymethods]
impl RustProgram {
    /// Starts it. The `order` is a pickle in which shared objects have persistent ids; `objects` are
    /// their families and handles.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "by position, from one place in Python")]
    fn start(
        py: Python<'_>,
        argv: Vec<OsString>,
        order: &[u8],
        objects: Vec<(u64, u64)>,
        name: String,
        daemon: bool,
        env: Option<Vec<(OsString, OsString)>>,
        cwd: Option<PathBuf>,
    ) -> PyResult<Self> {
        let mut command = Command::new(argv.first().unwrap_or(&OsString::new()));
        command.args(argv.iter().skip(1));
        let mut builder = Process::builder().name(name).daemon(daemon);
        if let Some(env) = env {
            builder =
                env.into_iter().fold(builder.env_clear(), |it, (key, value)| it.env(key, value));
        }
        if let Some(cwd) = cwd {
            builder = builder.current_dir(cwd);
        }
        let (mut travelling, mut kept) = (Objects::default(), Vec::new());
        for (family, handle) in objects {
            let handle = Handle::from_bits(handle)
                .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
            let held =
                counterpart::hold(family::find(family)?, handle).map_err(|error| raise(&error))?;
            travelling.add(&held).map_err(|error| raise(&error))?;
            kept.push(held);
        }
        match py.detach(|| builder.program(command, order, &travelling)) {
            Ok(program) => Ok(Self { program }),
            Err(Error::Start { source, .. }) if source.kind() == ErrorKind::NotFound => {
                let path = argv.into_iter().next();
                Err(PyFileNotFoundError::new_err((libc::ENOENT, source.to_string(), path)))
            }
            Err(error) => Err(failed(&error)),
        }
    }

    #[getter]
    fn pid(&self) -> i32 {
        self.program.pid()
    }

    /// The exit code, minus the signal if one ended it; `None` while it runs.
    #[getter]
    fn exitcode(&self, py: Python<'_>) -> Option<i32> {
        py.detach(|| self.program.exitcode())
    }

    /// A descriptor that is readable when it has ended.
    #[getter]
    fn sentinel(&self) -> i32 {
        self.program.sentinel().as_raw_fd()
    }

    fn signal(&self, number: i32) -> PyResult<()> {
        let signal = Signal::from_raw(number);
        self.program.signal(signal).map_err(|error| failed(&error))
    }

    /// The pickle of the outcome, once, after the end; `None` if there is none.
    fn take_outcome<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let parcel = self.program.take_outcome().map_err(|error| raise(&error))?;
        Ok(parcel.map(|parcel| PyBytes::new(py, parcel.bytes())))
    }
}

/// In a child of a fork: the programs are the parent's.
#[pyfunction]
fn forget_programs() {
    python::forget_parent();
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Post>()?;
    module.add_class::<RustProgram>()?;
    module.add_function(wrap_pyfunction!(forget_programs, module)?)?;
    module.add_function(wrap_pyfunction!(counterpart_of, module)?)
}
