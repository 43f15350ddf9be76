//! The three descriptors that a program takes for granted.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// Which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 0.
    Stdin,
    /// Descriptor 1.
    Stdout,
    /// Descriptor 2.
    Stderr,
}

/// Makes `fd` the stream. What the stream was is closed, unless somebody else holds it.
///
/// # Errors
///
/// What `dup2` reports.
pub fn replace(stream: Stream, fd: impl AsFd) -> io::Result<()> {
    match stream {
        Stream::Stdin => rustix::stdio::dup2_stdin(fd)?,
        Stream::Stdout => rustix::stdio::dup2_stdout(fd)?,
        Stream::Stderr => rustix::stdio::dup2_stderr(fd)?,
    }
    Ok(())
}

/// `/dev/null`, for both directions.
///
/// # Errors
///
/// What `open` reports.
pub fn null() -> io::Result<OwnedFd> {
    Ok(OpenOptions::new().read(true).write(true).open("/dev/null")?.into())
}

/// Moves what is on stdin to a descriptor above the three, closed by `exec`, and puts `/dev/null` in its place.
///
/// # Errors
///
/// What `fcntl`, `open` and `dup2` report.
pub fn take_stdin() -> io::Result<OwnedFd> {
    let taken = rustix::io::fcntl_dupfd_cloexec(io::stdin(), 3)?;
    replace(Stream::Stdin, null()?)?;
    Ok(taken)
}
