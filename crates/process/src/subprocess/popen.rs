//! A child while it runs.

use super::command_line::shown;
use super::communicate::{Party, Pipes, exchange};
use super::{CompletedProcess, Error, ExitStatus, Signal, TimeoutExpired, orphans};
use procession_sys::Deadline;
use procession_sys::pidfd::{Pidfd, is_status_lost};
use procession_sys::spawn::Spawned;
use std::ffi::OsString;
use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A child that was started by [`Command::spawn`](super::Command::spawn).
///
/// Can be shared: while one thread waits or communicates, another may poll, signal or wait too, and
/// a signal never reaches a stranger that got the number of a child that has ended.
///
/// ```
/// use procession_process::subprocess::{Command, Redirect};
///
/// let child = Command::new("tr").args(["a-z", "A-Z"]).stdin(Redirect::Pipe).stdout(Redirect::Pipe);
/// let child = child.spawn()?;
/// let done = child.communicate("shout")?;
/// assert_eq!(done.stdout, b"SHOUT");
/// assert_eq!(child.returncode(), Some(0));
/// # Ok::<(), procession_process::subprocess::Error>(())
/// ```
///
/// # If a process dies
/// The child's end, however it comes, is an [`ExitStatus`]. If this process dies, the child goes on.
///
/// # Dropping
/// Neither waits nor kills. The pipes are closed. A child that has ended is reaped; one that still
/// runs is put on a list and reaped when this process starts the next one. So no zombie stays as
/// long as children are started, and none outlives this process.
#[derive(Debug)]
pub struct Popen {
    args: Vec<OsString>,
    pid: i32,
    pidfd: Arc<Pidfd>,
    pub(super) leads_group: bool,
    /// Set by whoever reaps; as long as it is `None`, the pid is the child's.
    status: Mutex<Option<ExitStatus>>,
    /// Held by whoever communicates.
    pipes: Mutex<Pipes>,
}

impl Popen {
    pub(super) fn new(
        args: Vec<OsString>,
        child: Spawned,
        leads_group: bool,
        pipes: Pipes,
    ) -> Self {
        Self {
            args,
            pid: child.pid,
            pidfd: Arc::new(child.pidfd),
            leads_group,
            status: Mutex::new(None),
            pipes: Mutex::new(pipes),
        }
    }

    /// The program and its arguments.
    pub fn args(&self) -> &[OsString] {
        &self.args
    }

    /// The number of the process, which another one may have once this one is reaped.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// A descriptor that is readable from the end of the child on: wait for it with others, in any
    /// event loop.
    pub fn sentinel(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }

    /// How it ended as Python counts: the code, or minus the signal. `None` while nobody has waited
    /// or polled: it does not look itself.
    pub fn returncode(&self) -> Option<i32> {
        self.status().map(ExitStatus::exitcode)
    }

    /// Looks whether it has ended, and how. Never waits.
    ///
    /// # Errors
    /// [`Error::StatusLost`] if somebody else took the status.
    pub fn poll(&self) -> Result<Option<ExitStatus>, Error> {
        let mut status = self.status();
        if status.is_none() {
            *status = self.pidfd.try_reap().map_err(|source| self.lost(source))?;
        }
        Ok(*status)
    }

    /// Waits for its end. Closes its stdin first, if that is a pipe nobody took: nobody could write
    /// to it any more. Does not read its output: a child that fills a pipe waits for a reader, so use
    /// [`communicate`](Self::communicate) where there are pipes.
    ///
    /// # Errors
    /// [`Error::StatusLost`] if somebody else took the status.
    pub fn wait(&self) -> Result<ExitStatus, Error> {
        // Whoever communicates holds it, and closes stdin when the input is sent.
        if let Ok(mut pipes) = self.pipes.try_lock() {
            pipes.close_stdin();
        }
        loop {
            if let Some(status) = self.wait_until(Deadline::never())? {
                return Ok(status);
            }
        }
    }

    /// Waits for its end, and not longer than `timeout`. Leaves its stdin open.
    ///
    /// # Errors
    /// [`Error::Timeout`] if it still runs; it goes on. Else as [`wait`](Self::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<ExitStatus, Error> {
        let ended = self.wait_until(Deadline::after(timeout))?;
        ended.ok_or_else(|| self.expired(timeout, Vec::new(), Vec::new()).into())
    }

    pub(super) fn wait_until(&self, deadline: Deadline) -> Result<Option<ExitStatus>, Error> {
        let ended = *self.status();
        if ended.is_none() {
            let waited = self.pidfd.wait_ended(deadline);
            waited.map_err(|source| self.os("wait for", source))?;
        }
        self.poll()
    }

    /// Sends `input`, closes stdin, reads stdout and stderr, as far as they are pipes, and waits for
    /// the end. Works at any size in both directions. A child that does not read its input is no error.
    ///
    /// Reads until the pipes end, or until the child has ended and what it left in them has been
    /// read: a grandchild that keeps a pipe open is not waited for.
    ///
    /// # Errors
    /// [`Error::NoStdin`] if there is input and stdin is no pipe; [`Error::StatusLost`] if somebody
    /// else took the status.
    ///
    /// # If a process dies
    /// The child's death, at any moment, ends this with what it had written.
    pub fn communicate(&self, input: impl Into<Vec<u8>>) -> Result<CompletedProcess, Error> {
        self.communicate_for(input.into(), None)
    }

    /// As [`communicate`](Self::communicate), and not longer than `timeout`.
    ///
    /// # Errors
    /// [`Error::Timeout`] with what was read so far; the child goes on. Nothing is lost: call it
    /// again, and the rest of the input is sent (new input is added to it) and all output is
    /// returned, also what the error has shown. Else as [`communicate`](Self::communicate).
    ///
    /// # Examples
    /// ```
    /// use procession_process::subprocess::{Command, Error, Redirect};
    /// use std::time::Duration;
    ///
    /// let child = Command::shell("echo first; read line; echo second");
    /// let child = child.stdin(Redirect::Pipe).stdout(Redirect::Pipe).spawn()?;
    /// let stdin = child.take_stdin();
    /// let error = child.communicate_timeout([], Duration::from_millis(300)).unwrap_err();
    /// assert!(error.is_timeout());
    /// drop(stdin);
    /// assert_eq!(child.communicate([])?.stdout, b"first\nsecond\n");
    /// # Ok::<(), Error>(())
    /// ```
    pub fn communicate_timeout(
        &self,
        input: impl Into<Vec<u8>>,
        timeout: Duration,
    ) -> Result<CompletedProcess, Error> {
        self.communicate_for(input.into(), Some(timeout))
    }

    pub(super) fn communicate_for(
        &self,
        input: Vec<u8>,
        timeout: Option<Duration>,
    ) -> Result<CompletedProcess, Error> {
        let ended = converse(std::slice::from_ref(self), input, timeout.into())?;
        let mut pipes = self.pipes();
        match (ended.then(|| *self.status()).flatten(), timeout) {
            (Some(status), _) => Ok(CompletedProcess {
                args: self.args.clone(),
                status,
                stdout: std::mem::take(&mut pipes.stdout.read),
                stderr: std::mem::take(&mut pipes.stderr.read),
            }),
            (None, timeout) => {
                let (stdout, stderr) = (pipes.stdout.read.clone(), pipes.stderr.read.clone());
                Err(self.expired(timeout.unwrap_or_default(), stdout, stderr).into())
            }
        }
    }

    /// Sends a signal. One that has ended takes no notice.
    ///
    /// # Errors
    /// [`Error::Os`] without the right to do so (it runs as somebody else), or for no signal.
    pub fn send_signal(&self, signal: Signal) -> Result<(), Error> {
        let sent = self.pidfd.send_signal(signal);
        sent.map(drop).map_err(|source| self.os("signal", source))
    }

    /// Sends a signal to all processes of the group that it leads ([`Group::New`](super::Group::New)),
    /// also after its own end.
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal); after the child was reaped also on kernels before 6.9.
    pub fn send_signal_group(&self, signal: Signal) -> Result<(), Error> {
        let status = self.status();
        let sent = match *status {
            None => Pidfd::send_signal_group_of_unreaped(self.pid, signal),
            Some(_) => self.pidfd.send_signal_group(signal),
        };
        sent.map(drop).map_err(|source| self.os("signal the group of", source))
    }

    /// Asks it to end (`SIGTERM`).
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal).
    pub fn terminate(&self) -> Result<(), Error> {
        self.send_signal(Signal::TERM)
    }

    /// Ends it (`SIGKILL`). Its own children go on, unless [`send_signal_group`](Self::send_signal_group)
    /// reaches them.
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal).
    pub fn kill(&self) -> Result<(), Error> {
        self.send_signal(Signal::KILL)
    }

    /// Takes our end of its stdin, if it is a pipe and still open. Dropping it is the end of input.
    pub fn take_stdin(&self) -> Option<PipeWriter> {
        self.pipes().take_stdin()
    }

    /// Takes our end of its stdout, if it is a pipe and still open.
    pub fn take_stdout(&self) -> Option<PipeReader> {
        self.pipes().stdout.take()
    }

    /// Takes our end of its stderr, if it is a pipe and still open.
    pub fn take_stderr(&self) -> Option<PipeReader> {
        self.pipes().stderr.take()
    }

    pub(super) fn pipes(&self) -> MutexGuard<'_, Pipes> {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> MutexGuard<'_, Option<ExitStatus>> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expired(&self, timeout: Duration, stdout: Vec<u8>, stderr: Vec<u8>) -> TimeoutExpired {
        TimeoutExpired { args: self.args.clone(), timeout, killed: false, stdout, stderr }
    }

    fn lost(&self, source: io::Error) -> Error {
        match is_status_lost(&source) {
            true => Error::StatusLost { command: shown(&self.args), pid: self.pid },
            false => self.os("wait for", source),
        }
    }

    fn os(&self, doing: &'static str, source: io::Error) -> Error {
        Error::Os { doing, command: shown(&self.args), pid: self.pid, source }
    }
}

/// Gives `input` to the first child, reads what all of them write, waits for all; says whether all
/// have ended before the deadline.
pub(super) fn converse(
    children: &[Popen],
    input: Vec<u8>,
    deadline: Deadline,
) -> Result<bool, Error> {
    let Some(first) = children.first() else {
        return Ok(true);
    };
    let mut pipes: Vec<_> = children.iter().map(Popen::pipes).collect();
    if !pipes[0].give(input) {
        return Err(Error::NoStdin { command: shown(&first.args) });
    }
    let each = children.iter().zip(&mut pipes);
    let mut parties: Vec<_> =
        each.map(|(child, pipes)| Party { pidfd: &child.pidfd, pipes }).collect();
    let exchanged = exchange(&mut parties, deadline);
    let mut all_ended = exchanged.map_err(|source| first.os("communicate with", source))?;
    for child in children {
        all_ended = all_ended && child.wait_until(deadline)?.is_some();
    }
    Ok(all_ended)
}

impl AsFd for Popen {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.sentinel()
    }
}

impl Drop for Popen {
    fn drop(&mut self) {
        if self.status().is_none() {
            orphans::leave(self.pidfd.clone());
        }
    }
}
