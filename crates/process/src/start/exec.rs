//! The `exec` start method: a fresh image of this program that is the child itself.

use std::io;
use std::os::fd::BorrowedFd;

use procession_sys::fd_pass;
use procession_sys::pidfd::Pidfd;

use super::image::{self, Role};
use super::order::{Request, Surroundings};
use super::slot::Slot;

/// Starts it. This process reaps it.
pub(super) fn start(
    request: Request,
    slot: Slot,
    fds: &[BorrowedFd<'_>],
    surroundings: &Surroundings,
) -> io::Result<(i32, Pidfd)> {
    let mut image = image::start(Role::Exec, slot, surroundings)?.ok_or_else(image::killed)?;
    if let Err(error) = fd_pass::send(&image.control, &request.to_bytes(), fds) {
        let _ = image.child.kill();
        let _ = image.child.wait();
        return Err(error);
    }
    // The handle of the standard library neither waits nor kills when it is dropped.
    Ok((image.child.id() as i32, image.pidfd))
}
