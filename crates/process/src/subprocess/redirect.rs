//! Where a standard stream of a child leads.

use super::SpawnError;
use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, pipe};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Where a standard stream of a child leads.
#[derive(Debug, Default)]
pub enum Redirect {
    /// To where the parent's leads.
    #[default]
    Inherit,
    /// To `/dev/null`: no input, output to nobody.
    Null,
    /// To the parent, through a pipe.
    Pipe,
    /// To this descriptor, which the parent closes after the start.
    Fd(OwnedFd),
}

impl From<OwnedFd> for Redirect {
    fn from(fd: OwnedFd) -> Self {
        Self::Fd(fd)
    }
}

impl From<File> for Redirect {
    fn from(file: File) -> Self {
        Self::Fd(file.into())
    }
}

impl From<PipeReader> for Redirect {
    fn from(end: PipeReader) -> Self {
        Self::Fd(end.into())
    }
}

impl From<PipeWriter> for Redirect {
    fn from(end: PipeWriter) -> Self {
        Self::Fd(end.into())
    }
}

/// A stream that is set up: the child's end, if it gets one, and ours, if it is a pipe.
pub(super) struct Ends<Ours> {
    child: Option<OwnedFd>,
    pub(super) ours: Option<Ours>,
}

impl<Ours> Ends<Ours> {
    fn child(fd: OwnedFd) -> Self {
        Self { child: Some(fd), ours: None }
    }

    pub(super) fn child_fd(&self) -> Option<BorrowedFd<'_>> {
        self.child.as_ref().map(OwnedFd::as_fd)
    }
}

impl Redirect {
    pub(super) fn open_input(self) -> io::Result<Ends<PipeWriter>> {
        self.open(|read, write| Ends { child: Some(read.into()), ours: Some(write) })
    }

    pub(super) fn open_output(self) -> io::Result<Ends<PipeReader>> {
        self.open(|read, write| Ends { child: Some(write.into()), ours: Some(read) })
    }

    fn open<Ours>(self, split: fn(PipeReader, PipeWriter) -> Ends<Ours>) -> io::Result<Ends<Ours>> {
        Ok(match self {
            Self::Inherit => Ends { child: None, ours: None },
            Self::Null => Ends::child(procession_sys::stdio::null()?),
            Self::Fd(fd) => Ends::child(fd),
            Self::Pipe => {
                let (read, write) = pipe()?;
                split(read, write)
            }
        })
    }
}

/// Turns a failure to open a stream into the failure of the start.
pub(super) fn named<T>(program: &std::ffi::OsStr, opened: io::Result<T>) -> Result<T, SpawnError> {
    opened.map_err(|source| SpawnError::before_start(program.to_owned(), source))
}
