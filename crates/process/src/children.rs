//! The children of this process, whatever their functions return.
//!
//! The list holds every child until its end was seen, also when its handle was dropped: somebody has to reap it,
//! free its slot, and wait for it at the end of the program.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};
use std::time::Duration;

use procession_ipc::Waitable;
use procession_ipc::message::Parcel;
use procession_sys::pidfd_info::status_after_reap;
use procession_sys::signal_name::Signal;
use procession_sys::{Deadline, forked};

use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::start::slot::{End, Slot};
use crate::start::{Reaper, Started};

/// How long `join` sleeps on the exit word alone, which is the quickest to wake, before it watches the process too.
const SHORT: Duration = Duration::from_millis(20);
/// How often it looks whether the zygote still lives, between the end of a child and the zygote's word for it.
const LOOK: Duration = Duration::from_millis(20);
/// How long a child without a zygote may stay a zombie of init's before its status counts as unknown.
const ADOPTION: Duration = Duration::from_secs(1);

/// What Python has for a child whose status was lost.
const UNKNOWN_EXITCODE: i32 = 255;

static CHILDREN: Mutex<Vec<Arc<Child>>> = Mutex::new(Vec::new());

fn list() -> MutexGuard<'static, Vec<Arc<Child>>> {
    CHILDREN.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// A child of this process.
///
/// # If a process dies
///
/// A child whose zygote is killed runs on; its end is seen all the same.
#[derive(Debug)]
pub struct Child {
    name: String,
    daemon: bool,
    outlive: bool,
    owner: u32,
    started: Started,
    /// Held to take the status: of two who try, the second must see what the first found.
    reaping: Mutex<()>,
    end: OnceLock<End>,
}

/// The children that have not ended. Those that have are reaped on the way.
///
/// ```
/// assert!(procession_process::active_children().is_empty());
/// ```
#[must_use]
pub fn active_children() -> Vec<Arc<Child>> {
    let all: Vec<_> = list().clone();
    let alive: Vec<_> = all.into_iter().filter(|child| child.is_alive()).collect();
    strike_ended();
    alive
}

/// Takes those whose end was seen off the list; their descriptors go with the last handle.
pub(crate) fn strike_ended() {
    list().retain(|child| child.end.get().is_none());
}

/// Enters a child that was started just now, and forgets those whose end is known.
pub(crate) fn enter(name: String, daemon: bool, outlive: bool, started: Started) -> Arc<Child> {
    let child = Arc::new(Child {
        name,
        daemon,
        outlive,
        owner: forked::generation(),
        started,
        reaping: Mutex::new(()),
        end: OnceLock::new(),
    });
    let mut list = list();
    // The dropped ones would stay zombies otherwise: nobody else asks for them.
    list.retain(|child| Arc::strong_count(child) > 1 || !child.has_ended_by_now());
    list.push(Arc::clone(&child));
    child
}

/// Forgets all, in a child of fork: they are its parent's.
pub(crate) fn forget() {
    list().clear();
}

impl Child {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its pid. After its end the number may name another process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.started.pid
    }

    /// Whether it is terminated, and not waited for, when this process ends.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.daemon
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.end_by_now().is_none()
    }

    /// The exit code; `None` while it runs. Minus the signal if one killed it, as in Python, and 255 if its
    /// zygote was killed and the kernel (before Linux 6.15) kept nothing.
    #[must_use]
    pub fn exitcode(&self) -> Option<i32> {
        self.end_by_now().map(|end| match end {
            End::Status(status) => status.exitcode(),
            End::Unknown => UNKNOWN_EXITCODE,
        })
    }

    /// A descriptor that is readable when the process has ended; for `poll`, `epoll` and the like.
    #[must_use]
    pub fn sentinel(&self) -> BorrowedFd<'_> {
        self.started.pidfd.as_fd()
    }

    /// Asks it to end, by SIGTERM. No error if it has ended already.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] without the right to signal it.
    pub fn terminate(&self) -> Result<(), Error> {
        self.signal(Signal::TERM)
    }

    /// Ends it, by SIGKILL. No error if it has ended already.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] without the right to signal it.
    pub fn kill(&self) -> Result<(), Error> {
        self.signal(Signal::KILL)
    }

    /// Sends it a signal. No error if it has ended already.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] without the right to signal it.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        self.started
            .pidfd
            .send_signal(signal)
            .map(drop)
            .map_err(|source| self.kernel("signal", source))
    }

    /// Waits for its end and leaves its result where it is; says whether it has ended.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] if the kernel cannot wait.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, Error> {
        self.wait_until(Deadline::after(timeout)).map(|end| end.is_some())
    }

    pub(crate) fn is_outliving(&self) -> bool {
        self.outlive
    }

    fn slot(&self) -> Slot {
        self.started.slot
    }

    /// What it left, if it left something; once.
    pub(crate) fn take_outcome<T: DeserializeOwned>(
        &self,
    ) -> Result<Option<T>, procession_ipc::Error> {
        self.slot().take_outcome(self.started.arguments)
    }

    /// The same, without decoding it.
    pub(crate) fn take_parcel(&self) -> Result<Option<Parcel>, procession_ipc::Error> {
        self.slot().take_encoded_outcome(self.started.arguments)
    }

    pub(crate) fn is_mine(&self) -> bool {
        self.owner == forked::generation()
    }

    pub(crate) fn kernel(&self, attempt: &'static str, source: std::io::Error) -> Error {
        Error::Kernel { attempt, name: self.name.clone(), pid: self.pid(), source }
    }

    /// Waits for the end.
    pub(crate) fn wait_until(&self, deadline: Deadline) -> Result<Option<End>, Error> {
        if let Some(end) = self.end.get() {
            return Ok(Some(*end));
        }
        if let Reaper::Zygote(_) = self.started.reaper
            && let Some(end) = self.slot().wait(deadline.within(SHORT))
        {
            return Ok(Some(self.note(end)));
        }
        match self.started.pidfd.wait_ended(deadline) {
            Ok(true) => Ok(Some(self.settle())),
            Ok(false) => Ok(None),
            Err(source) => Err(self.kernel("wait for", source)),
        }
    }

    fn end_by_now(&self) -> Option<End> {
        self.wait_until(Deadline::now()).ok().flatten()
    }

    /// The same for the list, where one system call for each child would be too much.
    fn has_ended_by_now(&self) -> bool {
        match self.started.reaper {
            Reaper::Zygote(_) => self.slot().ended().map(|end| self.note(end)).is_some(),
            Reaper::Parent => self.end_by_now().is_some(),
        }
    }

    fn note(&self, end: End) -> End {
        *self.end.get_or_init(|| end)
    }

    /// The status of a child that is certain to have ended.
    fn settle(&self) -> End {
        let end = match &self.started.reaper {
            Reaper::Parent => self.reap(),
            Reaper::Zygote(zygote) => loop {
                let gone = zygote.is_gone();
                // Its last word comes before its end.
                if let Some(end) = self.slot().wait(Deadline::after(LOOK)) {
                    break end;
                }
                if gone {
                    break self.conclude_for_zygote();
                }
            },
        };
        self.note(end)
    }

    fn reap(&self) -> End {
        let _turn = self.reaping.lock().unwrap_or_else(|broken| broken.into_inner());
        if let Some(end) = self.slot().ended() {
            return end;
        }
        let end = match self.started.pidfd.try_reap() {
            Ok(Some(status)) => End::Status(status),
            // Somebody's `waitpid(-1)` was quicker, or SIGCHLD is ignored.
            _ => self.ask_kernel(),
        };
        self.slot().conclude(end);
        end
    }

    fn conclude_for_zygote(&self) -> End {
        let _turn = self.reaping.lock().unwrap_or_else(|broken| broken.into_inner());
        if let Some(end) = self.slot().ended() {
            return end;
        }
        let end = self.ask_kernel();
        self.slot().conclude(end);
        end
    }

    fn ask_kernel(&self) -> End {
        let known = status_after_reap(&self.started.pidfd, Deadline::after(ADOPTION));
        known.map_or(End::Unknown, End::Status)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // In a fork of the parent this is a copy, and the slot is the parent's.
        if self.is_mine() && self.end.get().is_some() {
            self.slot().release();
        }
    }
}

impl Waitable for Child {
    fn is_ready(&self) -> bool {
        !self.is_alive()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.sentinel())
    }
}
