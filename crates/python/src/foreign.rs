//! Processes that a Rust program started, from the inside.

use crate::codec::PICKLE;
use crate::family;
use crate::wait::raise;
use procession_ipc::counterpart;
use procession_process::python;
use procession_shm::Handle;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::os::fd::{FromRawFd, OwnedFd};

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
        self.post.leave(PICKLE, outcome).map_err(|error| raise(&error))
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

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Post>()?;
    module.add_function(wrap_pyfunction!(counterpart_of, module)?)
}
