//! Descriptors and working directory of a new process.

use super::attributes::check;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::ffi::CStr;
use std::io;

/// An initialised `posix_spawn_file_actions_t`, at an address that does not change.
pub(super) struct FileActions {
    raw: Box<libc::posix_spawn_file_actions_t>,
}

impl FileActions {
    pub(super) fn new() -> io::Result<Self> {
        let mut raw = Box::<libc::posix_spawn_file_actions_t>::new_uninit();
        // SAFETY: posix_spawn_file_actions_init(3) initialises the object that it is given.
        check(unsafe { libc::posix_spawn_file_actions_init(raw.as_mut_ptr()) })?;
        // SAFETY: the call above returned 0, so it has initialised the object.
        let raw = unsafe { raw.assume_init() };
        Ok(Self { raw })
    }

    /// `source` as number `target`, open across the start even if the two are the same: POSIX has
    /// `posix_spawn` clear close-on-exec then, and glibc (2.29) and musl do.
    pub(super) fn dup(&mut self, source: &Source<'_>, target: RawFd) -> io::Result<()> {
        let source = source.as_fd().as_raw_fd();
        // SAFETY: posix_spawn_file_actions_adddup2(3) notes two numbers in an initialised object. It
        // acts on descriptors of the child only, which shares memory with us but not descriptors.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut *self.raw, source, target) })
    }

    pub(super) fn chdir(&mut self, path: &CStr) -> io::Result<()> {
        let path = path.as_ptr();
        // SAFETY: posix_spawn_file_actions_addchdir_np(3) copies a C string into an initialised
        // object.
        check(unsafe { libc::posix_spawn_file_actions_addchdir_np(&mut *self.raw, path) })
    }

    pub(super) fn as_ptr(&self) -> *const libc::posix_spawn_file_actions_t {
        &*self.raw
    }
}

impl Drop for FileActions {
    fn drop(&mut self) {
        // SAFETY: posix_spawn_file_actions_destroy(3) takes an initialised object that is not used
        // again: this is the end of its owner.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut *self.raw) };
    }
}

/// A descriptor to pass on: as it is, or a copy that is out of the way.
pub(super) enum Source<'a> {
    Lent(BorrowedFd<'a>),
    Lifted(OwnedFd),
}

impl AsFd for Source<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Lent(fd) => fd.as_fd(),
            Self::Lifted(fd) => fd.as_fd(),
        }
    }
}

/// Makes a mapping that can be done step by step: a source whose number is the target of another
/// entry would be overwritten before its turn, so it is copied above all targets first.
pub(super) fn lift<'a>(fds: &[(BorrowedFd<'a>, RawFd)]) -> io::Result<Vec<(Source<'a>, RawFd)>> {
    let above = fds.iter().map(|&(_, target)| target).max().unwrap_or(0).saturating_add(1);
    let lift_one = |&(source, target): &(BorrowedFd<'a>, RawFd)| {
        let number = source.as_raw_fd();
        let taken = number != target && fds.iter().any(|&(_, other)| other == number);
        let source = match taken {
            true => Source::Lifted(rustix::io::fcntl_dupfd_cloexec(source, above)?),
            false => Source::Lent(source),
        };
        Ok((source, target))
    };
    fds.iter().map(lift_one).collect()
}
