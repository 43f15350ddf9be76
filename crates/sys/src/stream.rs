//! Bytes over a stream: a pipe or a socket, named by the number of its descriptor.
//!
//! The number may name nothing, or something else by now: that is the caller's, as it is with C, and an error
//! of the kernel's at worst. Every call goes on after a signal, unless it is told not to. It asks after every
//! signal, and where it cannot know whether there was one.

use crate::Deadline;
use crate::bytes::{Bytes, moving};
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::AtomicU8;

/// Why a call ended early.
#[derive(Debug)]
pub enum Stopped {
    /// A signal came, and who was asked said that it is enough.
    Interrupted,
    /// The kernel refused.
    Failed(io::Error),
}

/// Writes both parts, in one call of the kernel's if it takes them; `interrupt` is asked whether it is
/// enough.
///
/// # Errors
/// [`Stopped`]; a part of the bytes may have been written then.
pub fn write_all(
    fd: RawFd,
    parts: [Bytes<'_>; 2],
    mut interrupt: impl FnMut() -> bool,
) -> Result<(), Stopped> {
    let [mut first, mut second] = parts;
    loop {
        let written = again(&mut interrupt, || {
            if first.is_empty() {
                // SAFETY: the pointer and the length are of one slice, which the kernel only reads.
                return unsafe { libc::write(fd, second.as_ptr().cast(), second.len()) };
            }
            let vectors = [first, second].map(|part| libc::iovec {
                iov_base: part.as_ptr().cast_mut().cast(),
                iov_len: part.len(),
            });
            // SAFETY: two vectors, each of a slice, which the kernel only reads.
            unsafe { libc::writev(fd, vectors.as_ptr(), 2) }
        })?;
        let of_first = written.min(first.len());
        first = first.without(of_first);
        second = second.without(written - of_first);
        if first.is_empty() && second.is_empty() {
            return Ok(());
        }
        // A signal that comes when bytes have gone out already shows only in their number.
        if interrupt() {
            return Err(Stopped::Interrupted);
        }
    }
}

/// Reads until `bytes` is full; how many there were, fewer only at the end of the stream.
///
/// # Errors
/// [`Stopped`]; bytes that were read are lost then.
pub fn read_full(
    fd: RawFd,
    bytes: &mut [u8],
    interrupt: impl FnMut() -> bool,
) -> Result<usize, Stopped> {
    read_full_moving(fd, moving(bytes), interrupt)
}

/// As [`read_full`], into memory that others may use meanwhile.
///
/// # Errors
/// As [`read_full`].
pub fn read_full_moving(
    fd: RawFd,
    bytes: &[AtomicU8],
    mut interrupt: impl FnMut() -> bool,
) -> Result<usize, Stopped> {
    let mut filled = 0;
    while filled < bytes.len() {
        let rest = &bytes[filled..];
        let start = rest.as_ptr().cast_mut().cast();
        // SAFETY: the pointer and the length are of one slice of atomics, which may be written through a
        // shared reference.
        let read = again(&mut interrupt, || unsafe { libc::read(fd, start, rest.len()) })?;
        if read == 0 {
            break;
        }
        filled += read;
        if filled < bytes.len() && interrupt() {
            return Err(Stopped::Interrupted);
        }
    }
    Ok(filled)
}

/// Reads what is there, once there is something; how many bytes, none only at the end of the stream.
///
/// # Errors
/// [`Stopped`].
pub fn read_some(
    fd: RawFd,
    bytes: &mut [u8],
    mut interrupt: impl FnMut() -> bool,
) -> Result<usize, Stopped> {
    // SAFETY: the pointer and the length are of one slice, which is ours to write.
    again(&mut interrupt, || unsafe { libc::read(fd, bytes.as_mut_ptr().cast(), bytes.len()) })
}

/// Whether the descriptor is a socket, for [`read_now`] and [`write_now`].
pub fn is_socket(fd: RawFd) -> bool {
    let mut kind: libc::c_int = 0;
    let mut len = size_of::<libc::c_int>() as libc::socklen_t;
    let (kind, len) = (&raw mut kind, &raw mut len);
    // SAFETY: SO_TYPE is a `c_int`, which is ours to write, and `len` says how long it is.
    let asked = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_TYPE, kind.cast(), len) };
    asked == 0
}

/// Reads what is there from a socket, without waiting; how many bytes: none also at the end of the stream, and
/// from what is no socket, which [`read_full`] sees.
///
/// # Errors
/// What the kernel says, but for that nothing is there.
pub fn read_now(fd: RawFd, bytes: &mut [u8]) -> io::Result<usize> {
    let (start, len) = (bytes.as_mut_ptr().cast(), bytes.len());
    // SAFETY: the pointer and the length are of one slice, which is ours to write.
    at_once(unsafe { libc::recv(fd, start, len, libc::MSG_DONTWAIT) })
}

/// Writes to a socket as much as it takes without waiting; how many bytes.
///
/// # Errors
/// As [`read_now`].
pub fn write_now(fd: RawFd, bytes: &[u8]) -> io::Result<usize> {
    let (start, len) = (bytes.as_ptr().cast(), bytes.len());
    // SAFETY: the pointer and the length are of one slice.
    at_once(unsafe { libc::send(fd, start, len, libc::MSG_DONTWAIT) })
}

fn at_once(returned: isize) -> io::Result<usize> {
    usize::try_from(returned).or_else(|_| {
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EAGAIN | libc::EINTR | libc::ENOTSOCK) => Ok(0),
            _ => Err(error),
        }
    })
}

/// Waits until there is something to read, or the end, or an error to be had; whether there is.
///
/// # Errors
/// [`Stopped`].
pub fn wait_readable(
    fd: RawFd,
    deadline: Deadline,
    mut interrupt: impl FnMut() -> bool,
) -> Result<bool, Stopped> {
    loop {
        let mut polled = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        let patience = milliseconds(deadline);
        // SAFETY: one entry, ours to write.
        let ready = unsafe { libc::poll(&raw mut polled, 1, patience) };
        match ready {
            0 if deadline.expired() => return Ok(false),
            0 => {}
            1.. => return Ok(true),
            _ => stop(&mut interrupt)?,
        }
    }
}

/// So long as `poll` takes it, rounded up, so that a wait is never too short.
fn milliseconds(deadline: Deadline) -> libc::c_int {
    let Some(left) = deadline.remaining() else { return -1 };
    let left = left.as_nanos().div_ceil(1_000_000);
    libc::c_int::try_from(left).unwrap_or(libc::c_int::MAX)
}

/// Makes the call until it is not interrupted; what it returns.
fn again(
    interrupt: &mut impl FnMut() -> bool,
    mut call: impl FnMut() -> isize,
) -> Result<usize, Stopped> {
    loop {
        match usize::try_from(call()) {
            Ok(count) => return Ok(count),
            Err(_) => stop(interrupt)?,
        }
    }
}

/// What the last error of this thread says: go on, or not.
fn stop(interrupt: &mut impl FnMut() -> bool) -> Result<(), Stopped> {
    let error = io::Error::last_os_error();
    match error.kind() {
        io::ErrorKind::Interrupted if interrupt() => Err(Stopped::Interrupted),
        io::ErrorKind::Interrupted => Ok(()),
        _ => Err(Stopped::Failed(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::Shutdown;
    use std::os::fd::AsRawFd;
    use std::os::unix::net::UnixStream;

    const GO_ON: fn() -> bool = || false;

    #[test]
    fn what_is_more_than_the_pipe_takes_at_once_arrives_whole() {
        let (here, there) = UnixStream::pair().unwrap();
        let long: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
        let sent = long.clone();
        let writer = std::thread::spawn(move || {
            write_all(here.as_raw_fd(), [Bytes::Still(b"head"), Bytes::Still(&sent)], GO_ON)
                .unwrap()
        });
        let mut received = vec![0; 4 + long.len()];
        assert_eq!(read_full(there.as_raw_fd(), &mut received, GO_ON).unwrap(), received.len());
        writer.join().unwrap();
        assert_eq!(&received[..4], b"head");
        assert!(received[4..] == long);
    }

    #[test]
    fn what_can_be_done_at_once_is_done_and_no_more() {
        let (mut here, there) = UnixStream::pair().unwrap();
        let (reader, writer) = std::io::pipe().unwrap();
        assert!(is_socket(there.as_raw_fd()) && !is_socket(reader.as_raw_fd()));
        let mut bytes = [0; 8];
        assert_eq!(read_now(there.as_raw_fd(), &mut bytes).unwrap(), 0);
        here.write_all(b"abc").unwrap();
        assert_eq!(read_now(there.as_raw_fd(), &mut bytes).unwrap(), 3);
        assert_eq!(&bytes[..3], b"abc");
        let long = vec![7; 3_000_000];
        let taken = write_now(there.as_raw_fd(), &long).unwrap();
        assert!(taken > 0 && taken < long.len());
        assert_eq!(write_now(there.as_raw_fd(), &long).unwrap(), 0);
        // What is no socket is left alone.
        assert_eq!(write_now(writer.as_raw_fd(), b"abc").unwrap(), 0);
        assert_eq!(read_now(reader.as_raw_fd(), &mut bytes).unwrap(), 0);
        // Closing would not do: a process that another test forks meanwhile may have this end, too.
        there.shutdown(Shutdown::Both).unwrap();
        assert_eq!(read_now(here.as_raw_fd(), &mut bytes).unwrap(), 8);
        let refused = write_now(here.as_raw_fd(), b"abc").unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EPIPE));
    }

    #[test]
    fn the_end_of_the_stream_is_seen_after_what_was_written() {
        let (mut here, there) = UnixStream::pair().unwrap();
        assert!(!wait_readable(there.as_raw_fd(), Deadline::now(), GO_ON).unwrap());
        here.write_all(b"abc").unwrap();
        drop(here);
        assert!(wait_readable(there.as_raw_fd(), Deadline::never(), GO_ON).unwrap());
        let mut bytes = [0; 8];
        assert_eq!(read_full(there.as_raw_fd(), &mut bytes, GO_ON).unwrap(), 3);
        assert!(wait_readable(there.as_raw_fd(), Deadline::never(), GO_ON).unwrap());
        assert_eq!(read_full(there.as_raw_fd(), &mut bytes, GO_ON).unwrap(), 0);
    }

    #[test]
    fn a_read_of_some_bytes_does_not_wait_for_more() {
        let (mut here, there) = UnixStream::pair().unwrap();
        here.write_all(b"abc").unwrap();
        let mut bytes = [0; 8];
        assert_eq!(read_some(there.as_raw_fd(), &mut bytes, GO_ON).unwrap(), 3);
        drop(here);
        assert_eq!(read_some(there.as_raw_fd(), &mut bytes, GO_ON).unwrap(), 0);
    }

    #[test]
    fn a_number_that_names_no_descriptor_is_the_kernels_error() {
        let failed =
            write_all(i32::MAX, [Bytes::Still(b""), Bytes::Still(b"x")], GO_ON).unwrap_err();
        let Stopped::Failed(error) = failed else { panic!("{failed:?}") };
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
    }
}
