//! A process that runs one function and gives its result.

use std::fmt;
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use procession_ipc::Waitable;
use procession_sys::Deadline;
use procession_sys::signal_name::Signal;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::builder::ProcessBuilder;
use crate::children::{self, Child};
use crate::error::Error;
use crate::start::run::Outcome;
use crate::start::slot::End;

/// A process that was started to run one function; the counterpart of [`std::thread::JoinHandle`].
///
/// The handle may be shared between threads: one can wait while another terminates.
///
/// | when | what happens to the child |
/// |---|---|
/// | the handle is dropped | it runs on, and nobody gets its result |
/// | the parent's `main` returns, or calls `exit` | the parent waits for it; a daemon is terminated instead |
/// | the parent is killed | it is killed, unless it may [`outlive`](ProcessBuilder::outlive) its parent |
///
/// # If a process dies
///
/// If the child is killed, `join` says by which signal. What it held of the family's shared objects is returned.
/// If the zygote is killed, its children run on and can be joined, and the next start makes another zygote.
///
/// # After fork
///
/// A copy of the handle in a forked process can look and signal; joining is the parent's
/// ([`Error::NotParent`]).
///
/// # Examples
///
/// ```
/// use procession_process::Process;
///
/// fn main() -> Result<(), procession_process::Error> {
///     procession_process::init();
///     let product = Process::spawn(|(a, b)| a * b, (6, 7))?;
///     assert_eq!(product.join()?, 42);
///     assert_eq!(product.exitcode(), Some(0));
///     Ok(())
/// }
/// ```
pub struct Process<R> {
    child: Arc<Child>,
    taken: Mutex<bool>,
    result: PhantomData<fn() -> R>,
}

impl Process<()> {
    /// Name, environment, directory, streams and start method, for a process that is not like the others.
    pub fn builder() -> ProcessBuilder {
        ProcessBuilder::new()
    }
}

impl<R> Process<R> {
    /// Starts a process that calls `f` with `arguments`.
    ///
    /// `f` is a function or a closure that captures nothing; what it needs comes as arguments. It is called in a
    /// process that has this one's environment, directory, stdout and stderr, and nothing on stdin.
    ///
    /// # Errors
    ///
    /// [`Error::NotInitialised`] if `init` was not the first line of `main`: nothing was started. [`Error::Function`]
    /// for a function of a shared library. [`Error::Memory`] if the arguments cannot be encoded.
    /// [`Error::Start`] if the kernel refuses.
    pub fn spawn<A>(f: fn(A) -> R, arguments: A) -> Result<Self, Error>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        ProcessBuilder::new().spawn(f, arguments)
    }

    /// Starts a Python interpreter that calls `function`, a `module:function`, with `arguments`.
    ///
    /// See [`python`](crate::python) for what becomes of arguments and result, which interpreter it is, and how it
    /// finds the module.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`] names the place of an argument that Python could not have. [`Error::Start`] if there is no such
    /// interpreter. What goes wrong in it is an error of `join`: [`Error::Raised`] has the exception.
    pub fn python<A>(function: &str, arguments: A) -> Result<Self, Error>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        ProcessBuilder::new().python(function, arguments)
    }

    pub(crate) fn new(child: Arc<Child>) -> Self {
        Self { child, taken: Mutex::new(false), result: PhantomData }
    }

    /// Waits for the end of the process and gives what its function returned. There is one result: the first join
    /// takes it.
    ///
    /// # Errors
    ///
    /// [`Error::Panicked`], [`Error::Killed`], [`Error::Exited`], [`Error::Lost`] or [`Error::Failed`] if it ended
    /// without a result; [`Error::Taken`] if there was a join before; [`Error::NotParent`].
    pub fn join(&self) -> Result<R, Error>
    where
        R: DeserializeOwned,
    {
        self.join_until(Deadline::never())
    }

    /// As [`join`](Self::join), but waits no longer than `timeout`.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if the process still runs: it may be joined again. Otherwise as `join`.
    pub fn join_timeout(&self, timeout: Duration) -> Result<R, Error>
    where
        R: DeserializeOwned,
    {
        self.join_until(Deadline::after(timeout))
    }

    fn join_until(&self, deadline: Deadline) -> Result<R, Error>
    where
        R: DeserializeOwned,
    {
        let (name, pid) = (self.name().to_owned(), self.pid());
        if !self.child.is_mine() {
            return Err(Error::NotParent { name, pid });
        }
        let Some(end) = self.child.wait_until(deadline)? else {
            return Err(Error::TimedOut { name, pid });
        };
        children::strike_ended();
        let mut taken = self.taken.lock().unwrap_or_else(|broken| broken.into_inner());
        if std::mem::replace(&mut *taken, true) {
            return Err(Error::Taken { name, pid });
        }
        match self.child.take_outcome::<Outcome<R>>() {
            Ok(Some(Outcome::Returned(result))) => Ok(result),
            Ok(Some(Outcome::Panicked(panic))) => Err(Error::Panicked { name, pid, panic }),
            Ok(Some(Outcome::Failed(reason))) => Err(Error::Failed { name, pid, reason }),
            Ok(Some(Outcome::Raised(raised))) => Err(Error::Raised { name, pid, raised }),
            Ok(None) => Err(without_result(name, pid, end)),
            Err(source) => Err(Error::Memory { name, attempt: "take the result", source }),
        }
    }

    /// What [`active_children`](crate::active_children) has for it.
    #[must_use]
    pub fn child(&self) -> &Arc<Child> {
        &self.child
    }

    /// Its name: what it was given, or `Process-1`, `Process-2`, …; `Process-2:1` for a child of `Process-2`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.child.name()
    }

    /// Its pid. After its end the number may name another process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.child.pid()
    }

    /// Whether it is terminated, and not waited for, when this process ends.
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.child.is_daemon()
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.child.is_alive()
    }

    /// The exit code; `None` while it runs. Minus the signal if one killed it, as in Python, and 255 if nobody knows
    /// (see [`Error::Lost`]).
    #[must_use]
    pub fn exitcode(&self) -> Option<i32> {
        self.child.exitcode()
    }

    /// A descriptor that is readable when the process has ended; for `poll`, `epoll` and the like.
    #[must_use]
    pub fn sentinel(&self) -> BorrowedFd<'_> {
        self.child.sentinel()
    }

    /// Asks it to end, by SIGTERM. No error if it has ended already.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] without the right to signal it.
    pub fn terminate(&self) -> Result<(), Error> {
        self.child.terminate()
    }

    /// Ends it, by SIGKILL. No error if it has ended already.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] without the right to signal it.
    pub fn kill(&self) -> Result<(), Error> {
        self.child.kill()
    }

    /// Sends it a signal. No error if it has ended already.
    ///
    /// # Errors
    ///
    /// [`Error::Kernel`] without the right to signal it.
    pub fn signal(&self, signal: Signal) -> Result<(), Error> {
        self.child.signal(signal)
    }
}

fn without_result(name: String, pid: i32, end: End) -> Error {
    match end {
        End::Unknown => Error::Lost { name, pid },
        End::Status(status) => match status.signal() {
            Some(signal) => Error::Killed { name, pid, signal },
            None => Error::Exited { name, pid, code: status.exitcode() },
        },
    }
}

impl<R> fmt::Debug for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name())
            .field("pid", &self.pid())
            .field("exitcode", &self.exitcode())
            .finish_non_exhaustive()
    }
}

impl<R> Waitable for Process<R> {
    fn is_ready(&self) -> bool {
        self.child.is_ready()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.child.descriptor()
    }
}
