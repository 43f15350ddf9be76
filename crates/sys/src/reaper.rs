//! Children of this process, all of them: told by a descriptor, reaped by `waitpid(-1)`.
//!
//! Only for a process that owns all its children and has one thread: the zygote. A library that did this in
//! somebody else's program would take the status of children that are not its own.

use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd};

use crate::process_status::ExitStatus;

/// Blocks every signal, makes the status of children wait for us whatever the parent had made of SIGCHLD, and returns a descriptor that is readable when a child has ended.
///
/// # Errors
///
/// Without free descriptors.
pub fn block_signals() -> io::Result<OwnedFd> {
    let mut all = empty_set();
    // SAFETY: sigfillset(3) writes a valid set into the one it is given.
    unsafe { libc::sigfillset(&raw mut all) };
    set_mask(&all);
    // SAFETY: signal(2) with SIG_DFL installs no handler. An ignored SIGCHLD would be inherited through `exec`, and
    // the kernel would then throw every status away.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
    let mut ended = empty_set();
    // SAFETY: sigaddset(3) changes the given, initialised set; SIGCHLD is a signal.
    unsafe { libc::sigaddset(&raw mut ended, libc::SIGCHLD) };
    // SAFETY: signalfd(2) with -1 makes a new descriptor and reads the set.
    let fd =
        unsafe { libc::signalfd(-1, &raw const ended, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is open, new, and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Lets every signal through again, in a child that was forked behind [`block_signals`].
pub fn unblock_signals() {
    set_mask(&empty_set());
}

/// Forgets the signals that `fd` has told of, so that it is readable at the next one only.
///
/// # Errors
///
/// What `read` reports; not `WouldBlock`.
pub fn drain(fd: impl AsFd) -> io::Result<()> {
    let mut told = [0; 4 * size_of::<libc::signalfd_siginfo>()];
    loop {
        match rustix::io::read(&fd, &mut told) {
            Ok(read) if read == told.len() => {}
            Ok(_) | Err(rustix::io::Errno::AGAIN) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Takes the status of any child that has ended; `None` if there is none at present.
#[must_use]
pub fn reap_any() -> Option<(i32, ExitStatus)> {
    let (pid, status) = rustix::process::wait(rustix::process::WaitOptions::NOHANG).ok()??;
    Some((pid.as_raw_nonzero().get(), ExitStatus::from_raw(status.as_raw())))
}

fn empty_set() -> libc::sigset_t {
    let mut set = std::mem::MaybeUninit::uninit();
    // SAFETY: sigemptyset(3) initialises the set it is given and cannot fail for a valid pointer.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised by the line above.
    unsafe { set.assume_init() }
}

fn set_mask(set: &libc::sigset_t) {
    // SAFETY: pthread_sigmask(3) reads the set; a null pointer for the old one is allowed.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, set, std::ptr::null_mut()) };
}
