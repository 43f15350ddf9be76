//! Starting Python: the interpreter is the child itself, and this process reaps it.
//!
//! It gets no `Boot` and no `Request`, but three descriptors and the number of its seat on its command line:
//! `python3 -m procession._worker SEAT ARENA LIFELINE OUTLIVE`. Steps, races and deaths are those of `exec`: see
//! `README.md`, where the child is step 7 on.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use procession_sys::pidfd::Pidfd;
use procession_sys::spawn::Spawn;
use procession_sys::stdio::null;

use super::lifeline;
use super::order::Surroundings;
use super::slot::Slot;
use crate::stdio::Stdio;

/// What the interpreter runs.
const MODULE: &str = "procession._worker";
/// The numbers of the descriptors in the child.
const ARENA: i32 = 3;
const LIFELINE: i32 = 4;

/// Starts it.
pub(crate) fn start(
    interpreter: &OsStr,
    slot: Slot,
    outlive: bool,
    stdio: &[Stdio; 3],
    surroundings: &Surroundings,
) -> io::Result<(i32, Pidfd)> {
    let numbers = [slot.to_raw(), ARENA as u64, LIFELINE as u64, u64::from(outlive)];
    let mut argv: Vec<OsString> = vec![interpreter.into(), "-m".into(), MODULE.into()];
    argv.extend(numbers.map(|number| number.to_string().into()));

    let (lifeline, null): (_, OwnedFd) = (lifeline::downward()?, null()?);
    let streams = (io::stdin(), io::stdout(), io::stderr());
    let own = [streams.0.as_fd(), streams.1.as_fd(), streams.2.as_fd()];
    let mut fds: Vec<(BorrowedFd<'_>, i32)> =
        vec![(slot.arena(), ARENA), (lifeline.as_fd(), LIFELINE)];
    for (number, (stdio, own)) in stdio.iter().zip(own).enumerate() {
        fds.push((stdio.descriptor(own).unwrap_or(null.as_fd()), number as i32));
    }
    let spawn = Spawn {
        program: interpreter,
        argv: &argv,
        env: Some(&surroundings.environment),
        cwd: surroundings.directory.as_deref(),
        fds: &fds,
        group: Default::default(),
    };
    let spawned = spawn.spawn().map_err(io::Error::other)?;
    Ok((spawned.pid, spawned.pidfd))
}
