//! `fork`, for a process that has one thread.
//!
//! The child of a fork has one thread, whatever the parent had. What the others held stays held: Rust's stdout, the
//! environment, a lock of the program's own. So forking is refused unless the caller is alone; and because nobody
//! else is there to start a thread, the answer cannot change between the question and the fork.
//!
//! Deliberately not here: a raw `clone`. It leaves the C library with the parent's thread id, and robust locks
//! that the child holds are then never given up.

use crate::Deadline;
use crate::pidfd::Pidfd;
use crate::process_status::ExitStatus;
use std::io;
use std::os::unix::fs::MetadataExt;

/// Why `fork` was refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ForkError {
    /// The process has more than one thread.
    #[error(
        "cannot fork a process with threads: what they have locked would stay locked in the child; fork before the \
         first thread starts, or start a process by zygote or exec"
    )]
    Threads,
    /// The kernel refused.
    #[error("cannot fork: {0}")]
    Kernel(#[from] io::Error),
}

/// In which of the two processes a call of [`fork`] returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fork {
    /// In the new one.
    Child,
    /// In the old one, with the pid of the new one.
    Parent(i32),
}

impl Fork {
    /// Waits for the end of the new process and takes its status, in the old one; nothing in the new
    /// one.
    ///
    /// # Errors
    /// `ECHILD` if somebody else took the status, for example an earlier `join`.
    pub fn join(self) -> io::Result<Option<ExitStatus>> {
        match self {
            Self::Child => Ok(None),
            // A child that nobody has reaped keeps its number; one that was reaped is no child.
            Self::Parent(pid) => Pidfd::open(pid)?.reap(Deadline::never()),
        }
    }
}

/// Whether the calling thread is the only one of its process.
#[must_use]
pub fn is_single_threaded() -> bool {
    // SAFETY: unshare(2) takes flags and touches no memory. CLONE_VM has no effect for a process with one thread,
    // and fails with EINVAL for one with more; it never changes anything.
    let done = unsafe { libc::unshare(libc::CLONE_VM) } == 0;
    done || match io::Error::last_os_error().raw_os_error() {
        Some(libc::EINVAL) => false,
        // A sandbox that allows no unshare: the directory of threads has one link for each and two of its own.
        _ => std::fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3),
    }
}

/// Makes a copy of this process, which must have one thread.
///
/// # Errors
///
/// [`ForkError::Threads`], or the kernel's refusal.
pub fn fork() -> Result<Fork, ForkError> {
    if !is_single_threaded() {
        return Err(ForkError::Threads);
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the function that others are told to use"
    )]
    // SAFETY: fork(2) is unsafe to follow with anything but async-signal-safe calls *in a process with threads*.
    // This one has a single thread, checked above, and nobody else could have started one since.
    let pid = unsafe { libc::fork() };
    match pid {
        -1 => Err(ForkError::Kernel(io::Error::last_os_error())),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(pid)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fork_is_refused_beside_other_threads() {
        let (keep, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv());
        assert!(!is_single_threaded());
        assert!(matches!(fork(), Err(ForkError::Threads)));
        drop(keep);
        other.join().expect("join").expect_err("nothing was sent");
    }
}
