//! A Rust program that a process in another language started for one of its tasks.

use std::os::fd::BorrowedFd;
use std::sync::Arc;

use procession_ipc::message::Parcel;
use procession_sys::signal_name::Signal;

use crate::children::{self, Child};
use crate::error::Error;
use crate::start::fork;

/// Such a process, as the one that started it has it; see
/// [`ProcessBuilder::program`](crate::ProcessBuilder::program).
///
/// # After fork
///
/// The child of a fork calls [`forget_parent`] first, so that its life is not its parent's.
#[derive(Debug)]
pub struct Program {
    child: Arc<Child>,
}

impl Program {
    pub(crate) fn new(child: Arc<Child>) -> Self {
        Self { child }
    }

    /// Its pid.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// The exit code; `None` while it runs. Minus the signal if one killed it.
    #[must_use]
    pub fn exitcode(&self) -> Option<i32> {
        let code = self.child.exitcode();
        if code.is_some() {
            children::strike_ended();
        }
        code
    }

    /// A descriptor that is readable when the process has ended.
    #[must_use]
    pub fn sentinel(&self) -> BorrowedFd<'_> {
        self.child.sentinel()
    }

    /// Sends it a signal. No error if it has ended already.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] without the right to signal it.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        self.child.signal(signal)
    }

    /// The outcome that it left, once, after its end: a pickle of a dict with one of the keys `Returned`, `Panicked` and
    /// `Failed`. `None` if it left none.
    ///
    /// # Errors
    ///
    /// If shared memory is damaged.
    pub fn take_outcome(&self) -> Result<Option<Parcel>, procession_ipc::Error> {
        self.child.take_parcel()
    }
}

/// Lets go of what belongs to the parent, in a child of a fork that procession did not make.
pub fn forget_parent() {
    fork::forget_parent();
}
