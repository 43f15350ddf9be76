//! Waiting for descriptors.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::Deadline;

/// Waits until `fd` is readable or at its end, or the deadline; says whether it is.
///
/// # Errors
///
/// What `poll` reports; not an interruption.
pub fn readable(fd: impl AsFd, deadline: Deadline) -> io::Result<bool> {
    loop {
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        let left = deadline.remaining().and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut fds, left.as_ref()) {
            Ok(0) if deadline.expired() => return Ok(false),
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) => return Ok(true),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Waits until one of two descriptors is readable or at its end, and says which are.
///
/// # Errors
///
/// What `poll` reports; not an interruption.
pub fn either(one: BorrowedFd<'_>, other: BorrowedFd<'_>) -> io::Result<(bool, bool)> {
    let mut fds = [one, other].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    loop {
        match poll(&mut fds, None) {
            Err(Errno::INTR) => {}
            done => {
                done?;
                return Ok((!fds[0].revents().is_empty(), !fds[1].revents().is_empty()));
            }
        }
    }
}
