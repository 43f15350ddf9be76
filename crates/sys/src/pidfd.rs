//! A process as a descriptor: wait for its end, signal it, take its status.
//!
//! A pid names another process as soon as the first one is reaped and its number used again; a pidfd
//! never does. So a signal cannot hit a stranger, the end can be polled with other descriptors, and
//! no `SIGCHLD` handler is needed, which is a program's and not a library's.
//! See [pidfd_open(2)](https://man7.org/linux/man-pages/man2/pidfd_open.2.html).

use crate::Deadline;
use crate::process_status::ExitStatus;
use crate::signal_name::Signal;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, WaitIdStatus};
use std::io;

/// A descriptor that stands for one process, close-on-exec.
///
/// ```
/// use procession_sys::Deadline;
/// use procession_sys::pidfd::Pidfd;
///
/// let myself = Pidfd::open(std::process::id() as i32)?;
/// assert!(!myself.wait_ended(Deadline::now())?);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # After fork
/// The child of a fork holds the same descriptor. It may poll and signal; only the parent of the
/// process can take its status, everybody else gets `ECHILD`.
#[derive(Debug)]
pub struct Pidfd {
    fd: OwnedFd,
}

impl Pidfd {
    /// Opens process `pid`. Certain to be the process that is meant only if it is a child that
    /// nobody has reaped yet.
    ///
    /// # Errors
    /// `ESRCH` if there is no such process, `EINVAL` if `pid` is not positive, `EMFILE` or `ENFILE`
    /// without a free descriptor.
    pub fn open(pid: i32) -> io::Result<Self> {
        let pid = Pid::from_raw(pid.max(0)).ok_or(Errno::INVAL)?;
        let fd = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { fd })
    }

    /// Takes a pidfd that somebody else opened, for example one that came through a socket.
    pub fn from_fd(fd: OwnedFd) -> Self {
        Self { fd }
    }

    /// Waits until the process has ended, reaped or not, or until the deadline; says whether it has
    /// ended. Takes nothing: anyone may wait, any number of times, and the status stays for
    /// [`try_reap`](Self::try_reap).
    ///
    /// # Errors
    /// `ENOMEM` if the kernel cannot poll. An interrupting signal is no error: the wait goes on.
    pub fn wait_ended(&self, deadline: Deadline) -> io::Result<bool> {
        loop {
            let left = deadline.remaining().map(Timespec::try_from);
            let timeout = left.and_then(Result::ok);
            let mut fds = [PollFd::new(&self.fd, PollFlags::IN)];
            match rustix::event::poll(&mut fds, timeout.as_ref()) {
                Ok(0) if deadline.expired() => return Ok(false),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes the status of a child that has ended, so that nothing of it is left; `None` if it runs.
    ///
    /// # Errors
    /// `ECHILD` if the process is not a child of the caller, or if the status is gone: somebody
    /// else took it, or `SIGCHLD` is ignored.
    pub fn try_reap(&self) -> io::Result<Option<ExitStatus>> {
        self.waitid(WaitIdOptions::empty())
    }

    /// Looks at the status of a child that has ended and leaves it where it is.
    ///
    /// # Errors
    /// As [`try_reap`](Self::try_reap).
    pub fn try_status(&self) -> io::Result<Option<ExitStatus>> {
        self.waitid(WaitIdOptions::NOWAIT)
    }

    /// Waits for the end of a child and takes its status; `None` if the deadline came first.
    ///
    /// # Errors
    /// As [`wait_ended`](Self::wait_ended) and [`try_reap`](Self::try_reap).
    pub fn reap(&self, deadline: Deadline) -> io::Result<Option<ExitStatus>> {
        match self.wait_ended(deadline)? {
            true => self.try_reap(),
            false => Ok(None),
        }
    }

    fn waitid(&self, options: WaitIdOptions) -> io::Result<Option<ExitStatus>> {
        let options = options | WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        let status = rustix::process::waitid(WaitId::PidFd(self.fd.as_fd()), options)?;
        Ok(status.as_ref().and_then(from_waitid))
    }

    /// Sends `signal`; says whether there was still a process to send it to (one that has ended and
    /// is not reaped yet counts, and takes no notice).
    ///
    /// # Errors
    /// `EPERM` without the right to signal it, `EINVAL` if `signal` is none.
    pub fn send_signal(&self, signal: Signal) -> io::Result<bool> {
        self.send(signal, 0)
    }

    /// Sends `signal` to every process of the group that this process leads, also after it has
    /// ended itself.
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal); `EINVAL` also where the kernel is older than 6.9.
    pub fn send_signal_group(&self, signal: Signal) -> io::Result<bool> {
        const PIDFD_SIGNAL_PROCESS_GROUP: libc::c_uint = 1 << 2;
        self.send(signal, PIDFD_SIGNAL_PROCESS_GROUP)
    }

    fn send(&self, signal: Signal, flags: libc::c_uint) -> io::Result<bool> {
        let (fd, signal) = (self.fd.as_raw_fd(), signal.as_raw());
        let info = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: pidfd_send_signal(2) takes a descriptor, a number, a pointer that may be null (the
        // kernel then fills the siginfo itself) and flags, each passed in the width of its type. It
        // reads no other memory and checks the numbers.
        let sent = unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, signal, info, flags) };
        sent_or_gone(sent)
    }

    /// The same on every kernel, for a leader that nobody has reaped: so long its number `pid` is
    /// that of no other group.
    ///
    /// # Errors
    /// As [`send_signal`](Self::send_signal).
    pub fn send_signal_group_of_unreaped(pid: i32, signal: Signal) -> io::Result<bool> {
        if pid <= 1 {
            return Err(Errno::INVAL.into());
        }
        // SAFETY: kill(2) takes two numbers and touches no memory. A negative number is a group; it
        // is not -1, which would be everybody.
        let sent = unsafe { libc::kill(-pid, signal.as_raw()) };
        sent_or_gone(sent.into())
    }

    /// Gives the descriptor away.
    pub fn into_fd(self) -> OwnedFd {
        self.fd
    }
}

impl AsFd for Pidfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Reads `errno`, right after the call that returned `sent`.
fn sent_or_gone(sent: libc::c_long) -> io::Result<bool> {
    match sent {
        0 => Ok(true),
        _ => match io::Error::last_os_error() {
            gone if gone.raw_os_error() == Some(libc::ESRCH) => Ok(false),
            error => Err(error),
        },
    }
}

/// Whether this refusal of [`Pidfd::try_reap`] means that there is no status for us to take.
pub fn is_status_lost(refusal: &io::Error) -> bool {
    Errno::from_io_error(refusal) == Some(Errno::CHILD)
}

fn from_waitid(status: &WaitIdStatus) -> Option<ExitStatus> {
    let signal = status.terminating_signal().map(Signal::from_raw);
    match (status.exit_status(), signal) {
        (Some(code), _) => Some(ExitStatus::exited(code as u8)),
        (_, Some(signal)) if status.dumped() => Some(ExitStatus::dumped(signal)),
        (_, Some(signal)) => Some(ExitStatus::killed(signal)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_runs_has_no_end_at_the_deadline() {
        let myself = Pidfd::open(std::process::id() as i32).unwrap();
        assert!(!myself.wait_ended(Deadline::now()).unwrap());
        assert!(myself.send_signal(Signal::from_raw(0)).unwrap());
    }

    #[test]
    fn a_process_that_is_no_child_has_no_status_for_us() {
        let myself = Pidfd::open(std::process::id() as i32).unwrap();
        let error = myself.try_reap().unwrap_err();
        assert!(is_status_lost(&error));
    }

    #[test]
    fn a_pid_that_is_not_positive_is_refused() {
        for pid in [0, -1, i32::MIN] {
            let error = Pidfd::open(pid).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::EINVAL), "{pid}");
        }
    }
}
