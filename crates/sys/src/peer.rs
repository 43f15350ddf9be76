//! Who is at the other end of a Unix socket.
//!
//! See [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html), `SO_PEERCRED`. rustix reads the same into a type in
//! which a process has a number that is not 0; the kernel says 0 for one of another PID namespace.

use rustix::fd::{AsFd, AsRawFd};
use std::io;

/// The number of the process that connected the socket, or made the pair; `None` if it has none in this PID
/// namespace. It may have ended since.
///
/// ```
/// let (one, _other) = std::os::unix::net::UnixStream::pair()?;
/// assert_eq!(procession_sys::peer::pid(&one)?, Some(std::process::id() as i32));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
/// `ENOTSOCK`, or `ENOPROTOOPT` and others if the socket is of another kind.
pub fn pid(socket: impl AsFd) -> io::Result<Option<i32>> {
    let peer = credentials(socket)?;
    Ok((peer.pid > 0).then_some(peer.pid))
}

/// The user, as whom that process connected it or made it.
///
/// # Errors
/// As [`pid`].
pub fn uid(socket: impl AsFd) -> io::Result<u32> {
    Ok(credentials(socket)?.uid)
}

fn credentials(socket: impl AsFd) -> io::Result<libc::ucred> {
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    let fd = socket.as_fd().as_raw_fd();
    let (level, option) = (libc::SOL_SOCKET, libc::SO_PEERCRED);
    let into = (&raw mut peer).cast();
    // SAFETY: getsockopt(2) writes at most `length` bytes to `into` and the new length to the last pointer. Both point to
    // variables of this frame, nobody else has a reference to them during the call, and `length` is the size of
    // `peer`, whose fields are integers, for which every bit pattern is a value. The descriptor is open: it is borrowed.
    let got = unsafe { libc::getsockopt(fd, level, option, into, &raw mut length) };
    match got {
        0 => Ok(peer),
        _ => Err(io::Error::last_os_error()),
    }
}
