//! Starting another program of Rust for one of its tasks. The steps are those of `exec`; the task goes by its name, which
//! lies beside the arguments.

use std::io;
use std::os::fd::AsFd;
use std::process::Command;

use procession_sys::fd_pass;
use procession_sys::image::Shipped;
use procession_sys::pidfd::Pidfd;

use super::image::{self, Role};
use super::order::{Request, Surroundings, flag};
use super::slot::Slot;
use super::streams;
use crate::stdio::Stdio;

/// Starts it. This process reaps it.
pub(crate) fn start(
    mut command: Command,
    slot: Slot,
    outlive: bool,
    stdio: &[Stdio; 3],
    surroundings: &Surroundings,
) -> io::Result<(i32, Pidfd)> {
    if let Some(directory) = &surroundings.directory {
        command.current_dir(directory);
    }
    let mut image =
        image::start_command(command, Role::Task, slot, surroundings)?.ok_or_else(image::killed)?;
    let own = (io::stdin(), io::stdout(), io::stderr());
    let (flags, fds) = streams(stdio, [own.0.as_fd(), own.1.as_fd(), own.2.as_fd()]);
    let flags = flags | if outlive { flag::OUTLIVE } else { 0 };
    let request = Request { flags, member: slot.to_raw(), function: [0; Shipped::SIZE] };
    if let Err(error) = fd_pass::send(&image.control, &request.to_bytes(), &fds) {
        let _ = image.child.kill();
        let _ = image.child.wait();
        return Err(error);
    }
    Ok((image.child.id() as i32, image.pidfd))
}
