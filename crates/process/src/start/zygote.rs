//! The parent's side of the zygote: one for each process that starts children by it, made at the first;
//! another one if the process has changed its own family since.
//!
//! After a fork the child has the descriptors of a zygote that serves its parent. It must not use them, so the
//! handle knows whose it is.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use procession_sys::{Deadline, fd_pass, forked, pidfd::Pidfd};

use super::image::{self, Image, Role};
use super::order::{LONGEST, Request, Surroundings};
use super::slot::Slot;

/// A zygote that was alive when this process last looked.
#[derive(Debug)]
pub(crate) struct Zygote {
    control: OwnedFd,
    process: Mutex<std::process::Child>,
    pidfd: Pidfd,
    slot: Slot,
    /// The socket ended. The process may still be on its way out.
    broken: AtomicBool,
    owner: u32,
    surroundings: Surroundings,
}

/// One for each family that was this process's own when it started a child: its children have the
/// zygote's family.
static ZYGOTES: Mutex<Vec<Arc<Zygote>>> = Mutex::new(Vec::new());

fn lock() -> MutexGuard<'static, Vec<Arc<Zygote>>> {
    ZYGOTES.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// Forgets the parent's zygotes, in a child of fork, which has one thread.
pub(super) fn forget() {
    lock().clear();
}

/// The zygote of this process for its own family; starts one if there is none, or none any more. `Ok(None)`: somebody
/// killed that one before it was ready.
pub(super) fn running(surroundings: &Surroundings) -> io::Result<Option<Arc<Zygote>>> {
    let mut zygotes = lock();
    if let Some(at) = zygotes.iter().position(|zygote| zygote.slot.is_at_home()) {
        if zygotes[at].is_usable() {
            return Ok(Some(Arc::clone(&zygotes[at])));
        }
        zygotes.swap_remove(at).retire();
    }
    let slot = Slot::reserve("zygote").map_err(io::Error::other)?;
    let image = image::start(Role::Zygote, slot, surroundings);
    let Some(Image { control, child, pidfd }) = image.inspect_err(|_| slot.abandon())? else {
        slot.abandon();
        return Ok(None);
    };
    let started = Arc::new(Zygote {
        control,
        process: Mutex::new(child),
        pidfd,
        slot,
        broken: AtomicBool::new(false),
        owner: forked::generation(),
        surroundings: surroundings.clone(),
    });
    zygotes.push(Arc::clone(&started));
    Ok(Some(started))
}

impl Zygote {
    /// The environment and directory that its children have before they change them.
    pub(super) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Whether it can start a child in that seat: it has the arena in which the seat is.
    pub(super) fn reaches(&self, slot: Slot) -> bool {
        self.slot.is_beside(slot)
    }

    /// Another descriptor of it.
    pub(super) fn pidfd(&self) -> io::Result<Pidfd> {
        use std::os::fd::AsFd;
        Ok(Pidfd::from_fd(self.pidfd.as_fd().try_clone_to_owned()?))
    }

    /// Whether it has ended, so that nobody reaps its children's status any more.
    pub(crate) fn is_gone(&self) -> bool {
        self.pidfd.wait_ended(Deadline::now()).unwrap_or(true)
    }

    fn is_usable(&self) -> bool {
        self.is_mine() && !self.broken.load(Ordering::Relaxed) && !self.is_gone()
    }

    /// Has a child forked. `Ok(None)`: the zygote is gone, and it is not known whether it forked before.
    pub(super) fn request(
        &self,
        request: Request,
        fds: &[BorrowedFd<'_>],
    ) -> io::Result<Option<(i32, Pidfd)>> {
        let mut bytes = [0; LONGEST];
        // One conversation at a time, for all threads: the lock that is there anyway.
        let turn = self.process.lock().unwrap_or_else(|broken| broken.into_inner());
        match fd_pass::send(&self.control, &request.to_bytes(), fds) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(self.is_broken()),
            sent => sent?,
        }
        procession_sys::crash_point!("start.parent.requested");
        let Some(answer) = fd_pass::recv(&self.control, &mut bytes)? else {
            return Ok(self.is_broken());
        };
        drop(turn);
        let (pid, text) = bytes[..answer.len].split_first_chunk().unwrap_or((&[0; 4], &[]));
        match (i32::from_le_bytes(*pid), answer.fds.into_iter().next()) {
            (pid, Some(pidfd)) => Ok(Some((pid, Pidfd::from_fd(pidfd)))),
            _ => Err(io::Error::other(String::from_utf8_lossy(text))),
        }
    }

    fn is_mine(&self) -> bool {
        self.owner == forked::generation()
    }

    fn is_broken<T>(&self) -> Option<T> {
        self.broken.store(true, Ordering::Relaxed);
        None
    }

    /// Takes the status of one that is gone, so that nothing of it is left. Those who join its children see its end.
    fn retire(&self) {
        if !self.is_mine() {
            return;
        }
        let mut process = self.process.lock().unwrap_or_else(|broken| broken.into_inner());
        // On its way out at the latest since its socket ended; nothing that it could still do is wanted.
        let _ = process.kill();
        let _ = process.wait();
        self.slot.abandon();
    }
}
