//! Seats in a family for processes that CPython starts.
//!
//! A process that is forked inherits its family by itself. One that is started anew is sent the
//! descriptor of the arena and the number of a seat, and joins.

use procession_ipc::Error;
use procession_manager::memory;
use procession_shm::{Family, Handle, MemberId, adopt, families, family, join, joined, own_family};
use procession_sys::Deadline;
use pyo3::exceptions::{PyLookupError, PyValueError};
use pyo3::prelude::*;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

use crate::wait::raise;

/// A seat for one process that is about to be started.
///
/// It is withdrawn when this object goes and no process has taken it.
#[pyclass(frozen, module = "procession._core")]
struct Seat {
    family: &'static Family,
    id: MemberId,
    reserver: MemberId,
}

#[pymethods]
impl Seat {
    /// Reserves a seat in the family of that number.
    #[new]
    fn reserve(number: u64) -> PyResult<Self> {
        let family = find(number)?;
        family.look_for_deaths();
        let id = family.reserve().map_err(Error::from).map_err(|error| raise(&error))?;
        Ok(Self { family, id, reserver: family.me() })
    }

    /// The seat's number, for `join`.
    #[getter]
    fn number(&self) -> u64 {
        self.id.to_word()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        // In the child of a fork the seat is the parent's to give.
        if self.family.me() == self.reserver {
            self.family.release(self.id);
        }
    }
}

/// The family of that number.
///
/// # Errors
/// `LookupError` if this process has not joined it.
pub(crate) fn find(number: u64) -> PyResult<&'static Family> {
    joined(number).ok_or_else(|| {
        PyLookupError::new_err(format!("this process is in no family of the number {number:#x}"))
    })
}

/// The family of that number, and a handle in it.
///
/// # Errors
/// `LookupError` if this process has not joined it, `ValueError` for what is no handle.
pub(crate) fn named(family: u64, handle: u64) -> PyResult<(&'static Family, Handle)> {
    let handle = Handle::from_bits(handle)
        .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
    Ok((find(family)?, handle))
}

/// The number of the family in which this process makes its objects; founds one at the first call.
#[pyfunction]
fn family_number() -> PyResult<u64> {
    let family = family().map_err(Error::from).map_err(|error| raise(&error))?;
    Ok(family.arena().id())
}

/// As `family_number`, but `None` if there is no family yet.
#[pyfunction]
fn family_number_if_any() -> Option<u64> {
    own_family().map(|family| family.arena().id())
}

/// How many bytes of its family's memory are in use; 0 if there is no family yet.
#[pyfunction]
fn memory_in_use() -> u64 {
    own_family().map_or(0, |family| family.arena().usage().0)
}

/// Gives back, in every family, what the process held that had this number and was reaped.
#[pyfunction]
fn bury(pid: u32) {
    families().for_each(|family| family.bury_process(pid));
}

/// Whether this process has joined the family of that number.
#[pyfunction]
fn has_joined(number: u64) -> bool {
    find(number).is_ok()
}

/// The descriptor of the arena of that family; it stays the family's.
#[pyfunction]
fn arena_descriptor(number: u64) -> PyResult<i32> {
    Ok(find(number)?.fd().as_raw_fd())
}

/// Joins the family whose arena `descriptor` is, which is this process's then; the family's number.
///
/// The first family that a process joins is the one in which it makes its objects. With `own` it is
/// this one from now on.
#[pyfunction]
#[pyo3(name = "join")]
fn join_family(descriptor: i32, seat: u64, own: bool) -> PyResult<u64> {
    // SAFETY: the caller was sent the descriptor for this call and gives it up.
    let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
    let seat = MemberId::from_word(seat);
    let family = if own { adopt(descriptor, seat) } else { join(descriptor, seat) };
    let family = family.map_err(Error::from).map_err(|error| raise(&error))?;
    family.stand_alone();
    Ok(family.arena().id())
}

/// Joins the family of the manager at the other end of `descriptor`, a connection on which the key has been shown;
/// its number. `None` if the manager does not share its memory with this process, or this process cannot use it.
#[pyfunction]
fn join_manager(py: Python<'_>, descriptor: i32, timeout: f64) -> Option<u64> {
    let timeout = Duration::try_from_secs_f64(timeout).unwrap_or(Duration::MAX);
    // SAFETY: the caller has the connection open, and keeps it until this returns.
    let socket = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let joined = py.detach(|| memory::join(socket, Deadline::after(timeout)));
    joined.ok().map(|family| family.arena().id())
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Seat>()?;
    module.add_function(wrap_pyfunction!(family_number, module)?)?;
    module.add_function(wrap_pyfunction!(family_number_if_any, module)?)?;
    module.add_function(wrap_pyfunction!(memory_in_use, module)?)?;
    module.add_function(wrap_pyfunction!(bury, module)?)?;
    module.add_function(wrap_pyfunction!(has_joined, module)?)?;
    module.add_function(wrap_pyfunction!(arena_descriptor, module)?)?;
    module.add_function(wrap_pyfunction!(join_manager, module)?)?;
    module.add_function(wrap_pyfunction!(join_family, module)?)
}
