//! One's own end of a pipe: not waiting on it, and how much lies in it.

use rustix::fd::AsFd;
use rustix::fs::OFlags;
use std::io;

/// Whether reads and writes on this end return `WouldBlock` instead of waiting. The other end, and
/// whoever holds it, is not affected; copies of this end are.
///
/// # Errors
/// None for an open descriptor.
pub fn set_nonblocking(end: impl AsFd, nonblocking: bool) -> io::Result<()> {
    let mut flags = rustix::fs::fcntl_getfl(&end)?;
    flags.set(OFlags::NONBLOCK, nonblocking);
    Ok(rustix::fs::fcntl_setfl(&end, flags)?)
}

/// How many bytes can be read at once.
///
/// # Errors
/// `ENOTTY` for a descriptor that does not count its bytes.
pub fn bytes_waiting(end: impl AsFd) -> io::Result<u64> {
    Ok(rustix::io::ioctl_fionread(end)?)
}
