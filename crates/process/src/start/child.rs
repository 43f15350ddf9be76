//! The child's life, the same for every start method: bind to the parent, adopt the slot, call, leave the outcome.

use std::io::{self, Write};
use std::os::fd::OwnedFd;

use procession_sys::crash_point;
use procession_sys::image::Shipped;
use procession_sys::leave::leave;
use procession_sys::stdio::{Stream, null, replace};

use super::lifeline;
use super::order::{Request, flag};
use super::run::Task;
use super::slot::Slot;
use crate::exit;

/// The parent is gone, or has taken the seat back; nobody will read this.
const ORPHANED: i32 = 125;
/// The child could not begin. The reason is on stderr.
const REFUSED: i32 = 126;

/// Runs what was requested, and ends the process.
pub(super) fn run(
    request: Request,
    slot: Slot,
    fds: Vec<OwnedFd>,
    lifeline: OwnedFd,
    perform: impl FnOnce(&Request, Slot) -> i32,
) -> ! {
    match lifeline::hang_on(&lifeline, request.flags & flag::OUTLIVE != 0) {
        Ok(true) => {}
        Ok(false) => leave(ORPHANED),
        Err(error) => refuse("bind its life to its parent's", &error),
    }
    drop(lifeline);
    if let Err(error) = set_stdio(request.flags, fds) {
        refuse("set its standard streams", &error);
    }
    crash_point!("start.child.bound");
    if !slot.is_taken() {
        leave(ORPHANED);
    }
    let code = perform(&request, slot);
    exit::settle();
    let _ = io::stdout().flush();
    leave(code)
}

/// Calls the function that was shipped; the exit code.
pub(super) fn perform(request: &Request, slot: Slot) -> i32 {
    let mut task = Task::new(slot);
    match Shipped::from_bytes(&request.function).and_then(Shipped::resolve) {
        Ok(function) => function.call(&mut task),
        Err(error) => task.fail(error.to_string()),
    }
    task.code()
}

fn refuse(what: &str, error: &dyn std::fmt::Display) -> ! {
    eprintln!("procession: a new process (pid {}) cannot {what}: {error}", std::process::id());
    leave(REFUSED)
}

/// Stdin is `/dev/null` already; stdout and stderr are whatever they are in the process that made this one.
fn set_stdio(flags: u64, fds: Vec<OwnedFd>) -> io::Result<()> {
    let mut fds = fds.into_iter();
    for (stream, bit) in [
        (Stream::Stdin, flag::STDIN),
        (Stream::Stdout, flag::STDOUT),
        (Stream::Stderr, flag::STDERR),
    ] {
        let sent = if flags & bit != 0 { fds.next() } else { None };
        match (stream, sent) {
            (stream, Some(fd)) => replace(stream, fd)?,
            (Stream::Stdin, None) => {}
            (stream, None) => replace(stream, null()?)?,
        }
    }
    Ok(())
}
