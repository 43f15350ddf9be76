//! Workers that CPython's `Process` starts.

use super::post::PoolPost;
use procession_process::Signal;
use procession_process::byte_pool::{Crew, Hand, Post};
use procession_sys::Deadline;
use procession_sys::pidfd::Pidfd;
use pyo3::prelude::*;
use std::io::PipeReader;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};

/// What the exception was for which a worker could not be started.
pub(super) type Reason = Arc<Mutex<Option<PyErr>>>;

/// Starts workers by a Python object with the methods `start(post)`, which returns a `Process`, and
/// `reap(process)`, which returns its exit code.
pub(super) struct Staff {
    pub(super) staff: Py<PyAny>,
    pub(super) reason: Reason,
}

impl Crew for Staff {
    fn start(&self, post: Post) -> Result<Box<dyn Hand>, String> {
        Python::attach(|py| self.worker(py, post)).map_err(|error| {
            let text = error.to_string();
            *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            text
        })
    }
}

impl Staff {
    fn worker(&self, py: Python<'_>, post: Post) -> PyResult<Box<dyn Hand>> {
        let process = self.staff.call_method1(py, "start", (PoolPost::new(post),))?;
        let pid = process.getattr(py, "pid")?.extract(py)?;
        let watch = match Pidfd::open(pid) {
            Ok(pidfd) => Watched::Running(pidfd),
            // A fork server may have reaped it by now.
            Err(_) => Watched::Ended(std::io::pipe()?.0),
        };
        Ok(Box::new(Worker { pid, watch, process, staff: self.staff.clone_ref(py) }))
    }
}

struct Worker {
    pid: i32,
    watch: Watched,
    process: Py<PyAny>,
    staff: Py<PyAny>,
}

enum Watched {
    Running(Pidfd),
    /// A pipe at its end, which is readable.
    Ended(PipeReader),
}

impl Worker {
    fn signal(&self, signal: Signal) {
        if let Watched::Running(pidfd) = &self.watch {
            let _ = pidfd.send_signal(signal);
        }
    }
}

impl Hand for Worker {
    fn pid(&self) -> i32 {
        self.pid
    }

    fn sentinel(&self) -> BorrowedFd<'_> {
        match &self.watch {
            Watched::Running(pidfd) => pidfd.as_fd(),
            Watched::Ended(end) => end.as_fd(),
        }
    }

    fn has_ended(&self) -> bool {
        match &self.watch {
            Watched::Running(pidfd) => pidfd.wait_ended(Deadline::now()).unwrap_or(true),
            Watched::Ended(_) => true,
        }
    }

    fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn reap(self: Box<Self>) -> i32 {
        Python::attach(|py| {
            let code = self.staff.call_method1(py, "reap", (&self.process,));
            let code = code.and_then(|code| code.extract(py)).unwrap_or(255);
            // Here and now: later it would be in whatever thread attaches next. Of the main thread, what a
            // process has hanging on its end would swallow a KeyboardInterrupt.
            drop(self);
            code
        })
    }
}
