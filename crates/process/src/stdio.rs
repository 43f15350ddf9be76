//! What a child's standard streams are.

use std::os::fd::{BorrowedFd, OwnedFd};

/// What a standard stream of a new process is.
///
/// | stream | unless asked |
/// |---|---|
/// | stdin | `Null` |
/// | stdout, stderr | `Inherit` |
#[derive(Debug)]
#[non_exhaustive]
pub enum Stdio {
    /// What the parent's stream is at the moment of the start.
    Inherit,
    /// `/dev/null`.
    Null,
    /// This descriptor, for example an end of [`std::io::pipe`].
    Fd(OwnedFd),
}

impl<T: Into<OwnedFd>> From<T> for Stdio {
    fn from(fd: T) -> Self {
        Self::Fd(fd.into())
    }
}

impl Stdio {
    /// The descriptor to send, if it is not `/dev/null`.
    pub(crate) fn descriptor<'a>(&'a self, own: BorrowedFd<'a>) -> Option<BorrowedFd<'a>> {
        use std::os::fd::AsFd;
        match self {
            Self::Inherit => Some(own),
            Self::Null => None,
            Self::Fd(fd) => Some(fd.as_fd()),
        }
    }
}
