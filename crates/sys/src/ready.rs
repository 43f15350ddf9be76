//! Waiting for one of several descriptors.

use crate::Deadline;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::io;

/// A descriptor to wait for.
#[derive(Debug)]
pub struct Watch<'a>(PollFd<'a>);

impl<'a> Watch<'a> {
    /// Ready when a read would not wait: there is data, or the end.
    pub fn readable(fd: BorrowedFd<'a>) -> Self {
        Self(PollFd::from_borrowed_fd(fd, PollFlags::IN))
    }

    /// Ready when a write would not wait: there is room, or nobody who reads.
    pub fn writable(fd: BorrowedFd<'a>) -> Self {
        Self(PollFd::from_borrowed_fd(fd, PollFlags::OUT))
    }

    /// Whether the last [`wait`] found it ready, broken or at its end.
    pub fn ready(&self) -> bool {
        !self.0.revents().is_empty()
    }
}

/// Waits until one of them is ready or the deadline has come; says how many are ready.
///
/// # Errors
/// `ENOMEM` if the kernel cannot poll, `EINVAL` for more descriptors than the process may have. An
/// interrupting signal is no error: the wait goes on.
pub fn wait(watches: &mut [Watch<'_>], deadline: Deadline) -> io::Result<usize> {
    let mut fds: Vec<_> = watches.iter().map(|watch| watch.0.clone()).collect();
    let ready = loop {
        let timeout = deadline.remaining().and_then(|left| Timespec::try_from(left).ok());
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(0) if !deadline.expired() => {}
            Err(Errno::INTR) => {}
            Ok(ready) => break ready,
            Err(error) => return Err(error.into()),
        }
    };
    for (watch, fd) in watches.iter_mut().zip(fds) {
        watch.0 = fd;
    }
    Ok(ready)
}
