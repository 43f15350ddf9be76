//! The process that has a manager's objects, seen by a client that shares its memory.

use crate::family;
use crate::wait::wait;
use procession_ipc::Error;
use procession_shm::{Family, Handle, MemberId, MemberState};
use pyo3::exceptions::PyEOFError;
use pyo3::prelude::*;

/// The process of a manager. Its objects would live on without it, but that nobody waits for what will not come, or puts
/// what nobody will get, calls raise `EOFError` from when its death is known, as over a socket.
///
/// It is known where the process was reaped by one that shares the memory, and to all others half a second after
/// anybody waits for anything.
pub(crate) struct Host {
    family: &'static Family,
    member: MemberId,
}

impl Host {
    /// The process in that seat, and an object that it has, by numbers that it told.
    ///
    /// # Errors
    /// `LookupError` if this process is not in the family, `ValueError` for what is no handle.
    pub(crate) fn find(family: u64, seat: u64, handle: u64) -> PyResult<(Self, Handle)> {
        let (family, handle) = family::named(family, handle)?;
        Ok((Self { family, member: MemberId::from_word(seat) }, handle))
    }

    pub(crate) fn family(&self) -> &'static Family {
        self.family
    }

    /// Whether it is known to be gone.
    #[inline]
    fn is_gone(&self) -> bool {
        self.family.state(self.member) != MemberState::Alive
    }

    /// # Errors
    /// `EOFError` if the manager is known to be gone.
    #[inline]
    pub(crate) fn check(&self) -> PyResult<()> {
        if self.is_gone() { Err(gone()) } else { Ok(()) }
    }

    /// As [`wait`](crate::wait::wait), until the manager is gone at most.
    ///
    /// # Errors
    /// `EOFError` too.
    #[cold]
    pub(crate) fn wait<R: Send>(
        &self,
        py: Python<'_>,
        work: impl Send + FnOnce(&mut (dyn FnMut() -> bool + Send)) -> Result<R, Error>,
    ) -> PyResult<Option<R>> {
        let waited = wait(py, |interrupt| match work(&mut || self.is_gone() || interrupt()) {
            Err(Error::Interrupted { .. }) if self.is_gone() => Ok(None),
            done => done.map(Some),
        });
        match waited? {
            Some(None) => Err(gone()),
            Some(done) => Ok(done),
            None => Ok(None),
        }
    }
}

#[cold]
fn gone() -> PyErr {
    PyEOFError::new_err("the manager has ended; its objects in shared memory are nobody's")
}
