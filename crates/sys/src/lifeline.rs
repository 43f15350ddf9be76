//! A descriptor whose end is the end of the process that holds it.
//!
//! `PR_SET_PDEATHSIG` speaks of the process that forked, which for us is the zygote, and of one of its threads. A
//! pipe speaks of whom one likes: the parent keeps the only write end, and the kernel, asked by `F_SETOWN`,
//! `F_SETSIG` and `O_ASYNC` ([fcntl(2)](https://man7.org/linux/man-pages/man2/fcntl.2.html)), sends SIGKILL to
//! the owner of the read end at the hang-up. No thread reads it, and no handler runs.
//!
//! Owner and signal belong to the *open file description*, so each process opens the pipe anew ([`reopen`]).
//! After `fork` the child holds a copy whose owner is still its parent; it is bound to nothing.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};

use rustix::fs::{Mode, OFlags};

use crate::Deadline;

/// Missing in `libc`; the same on every architecture of Linux (`asm-generic/fcntl.h`).
const F_SETSIG: libc::c_int = 10;

/// The two ends of a lifeline: the one to hold on to (first) and the one to keep in the parent only.
///
/// # Errors
///
/// Without free descriptors.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

/// Opens the read end anew, for a description of one's own.
///
/// # Errors
///
/// Without `/proc` or free descriptors.
pub fn reopen(end: impl AsFd) -> io::Result<OwnedFd> {
    let mut path = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0\0";
    let mut digits = [0; 11];
    let digits = decimal(end.as_fd().as_raw_fd(), &mut digits);
    path[14..14 + digits.len()].copy_from_slice(digits);
    let path = std::ffi::CStr::from_bytes_until_nul(&path).map_err(io::Error::other)?;
    Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty())?)
}

/// Binds the calling process to `end`: SIGKILL when the last write end closes. False if it has closed already;
/// the caller then has to leave by itself.
///
/// # Errors
///
/// If the kernel does not know the descriptor as a pipe or socket.
pub fn arm(end: impl AsFd) -> io::Result<bool> {
    let fd = end.as_fd().as_raw_fd();
    fcntl(fd, libc::F_SETOWN, std::process::id() as libc::c_int)?;
    fcntl(fd, F_SETSIG, libc::SIGKILL)?;
    fcntl(fd, libc::F_SETFL, libc::O_ASYNC | libc::O_NONBLOCK)?;
    // The end may have come before the arming; from here on the kernel tells.
    Ok(!is_cut(end, Deadline::now())?)
}

/// Whether the last write end has closed; waits for that until the deadline.
///
/// # Errors
///
/// If the kernel cannot poll.
pub fn is_cut(end: impl AsFd, deadline: Deadline) -> io::Result<bool> {
    crate::poll::readable(end, deadline)
}

fn fcntl(fd: RawFd, command: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: fcntl(2) with F_SETOWN, F_SETSIG and F_SETFL takes an int and touches no memory; `fd` is open because
    // the caller borrows it.
    match unsafe { libc::fcntl(fd, command, value) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// `number`, in decimal, without asking for memory.
fn decimal(mut number: RawFd, digits: &mut [u8; 11]) -> &[u8] {
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifeline_is_cut_by_the_last_write_end_only() {
        let (end, hold) = pair().expect("pair");
        let other = hold.try_clone().expect("clone");
        let mine = reopen(&end).expect("reopen");
        drop(hold);
        assert!(!is_cut(&mine, Deadline::now()).expect("poll"));
        drop(other);
        assert!(is_cut(&mine, Deadline::never()).expect("poll"));
    }

    #[test]
    fn arming_a_cut_lifeline_says_so() {
        let (end, hold) = pair().expect("pair");
        drop(hold);
        let mine = reopen(&end).expect("reopen");
        // A process that another test forks may have the write end for a while, and its end would kill us.
        assert!(is_cut(&mine, Deadline::never()).expect("poll"));
        assert!(!arm(&mine).expect("arm"));
    }

    #[test]
    fn decimals_are_right() {
        assert_eq!(decimal(0, &mut [0; 11]), b"0");
        assert_eq!(decimal(1207, &mut [0; 11]), b"1207");
    }
}
