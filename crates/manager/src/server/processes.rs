//! The processes of this machine that have references, watched so that what they leave is dropped.
//!
//! Stock clients count references over connections that are closed at once, so only the process can own them. On a Unix
//! socket the kernel says which one is at the other end.

use super::references::Counts;
use procession_sys::pidfd::Pidfd;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};

/// A process, by its number while it is watched.
pub(super) type Pid = i32;

/// A process with references.
#[derive(Debug)]
pub(super) struct Watched {
    pidfd: Pidfd,
    pub(super) counts: Counts,
    /// It was let into the family of the arena, so its end is waited for.
    shares: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Processes(HashMap<Pid, Watched>);

impl Processes {
    /// The references of a process. The first time, a descriptor of it is given to `watch`, and is to be
    /// forgotten in [`Self::ended`] or [`Self::settle`].
    pub(super) fn counts(
        &mut self,
        pid: Pid,
        watch: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>,
    ) -> io::Result<&mut Counts> {
        use std::collections::hash_map::Entry;
        match self.0.entry(pid) {
            Entry::Occupied(entry) => Ok(&mut entry.into_mut().counts),
            Entry::Vacant(entry) => {
                let pidfd = Pidfd::open(pid)?;
                watch(pidfd.as_fd())?;
                Ok(&mut entry
                    .insert(Watched { pidfd, counts: Counts::default(), shares: false })
                    .counts)
            }
        }
    }

    /// Has a process watched, as [`counts`](Self::counts) does, that is let into the family of the arena.
    pub(super) fn share(
        &mut self,
        pid: Pid,
        watch: impl FnOnce(BorrowedFd<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.counts(pid, watch)?;
        if let Some(watched) = self.0.get_mut(&pid) {
            watched.shares = true;
        }
        Ok(())
    }

    /// The references of a process, if it has any.
    pub(super) fn known(&mut self, pid: Pid) -> Option<&mut Counts> {
        self.0.get_mut(&pid).map(|watched| &mut watched.counts)
    }

    /// Takes out a process that has ended, with what it leaves.
    pub(super) fn ended(&mut self, pid: Pid) -> Option<Watched> {
        self.0.remove(&pid)
    }

    /// Takes out a process that has no references left.
    pub(super) fn settle(&mut self, pid: Pid) -> Option<Watched> {
        let watched = self.0.get(&pid)?;
        if watched.counts.is_empty() && !watched.shares { self.0.remove(&pid) } else { None }
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}
