//! How processes are started. The protocol, and what happens when a party is killed, is in `README.md` beside this.
//!
//! | room | what it does |
//! |---|---|
//! | [`order`] | the messages |
//! | [`slot`] | the child's place in the shared memory: arguments, result, exit word |
//! | [`image`] | starting this program again, and what it does then |
//! | [`zygote`] | the parent's side of the zygote |
//! | [`zygote_loop`] | the zygote itself |
//! | [`exec`], [`fork`] | the two other methods |
//! | [`python`] | starting Python |
//! | [`program`] | starting another program for one of its tasks |
//! | [`child`] | the child's life, for every method |
//! | [`run`] | the typed part of it |
//! | [`lifeline`] | why a child does not outlive its parent |

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use procession_sys::image::Shipped;
use procession_sys::pidfd::Pidfd;

mod child;
mod exec;
pub(crate) mod fork;
mod image;
pub(crate) mod lifeline;
pub(crate) mod order;
pub(crate) mod program;
pub(crate) mod python;
pub(crate) mod run;
pub(crate) mod slot;
pub(crate) mod zygote;
mod zygote_loop;

use crate::stdio::Stdio;
use order::{Request, Surroundings, flag};
use slot::{Arguments, End, Slot};
use zygote::Zygote;

/// How a process is started.
///
/// | method | cost here | what the child is |
/// |---|---|---|
/// | `Zygote` | 0.2–0.4 ms | a copy of a clean image of this program; whatever the parent's size or threads |
/// | `Exec` | 0.8–1.1 ms | a clean image of this program |
/// | `Fork` | grows with the parent's memory | a copy of the parent, which must have one thread |
///
/// Python's names for the three are `forkserver`, `spawn` and `fork`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum StartMethod {
    /// A process of one thread, started at first use, forks for us. The default.
    #[default]
    Zygote,
    /// The program is started again for every process.
    Exec,
    /// The process is copied as it is. An error if it has more than one thread.
    Fork,
}

pub(crate) use image::boot;
#[cfg(feature = "test-hook")]
pub(crate) use image::is_for_a_task;

/// Who takes the status of a child.
#[derive(Debug)]
pub(crate) enum Reaper {
    /// The zygote that forked it.
    Zygote(Arc<Zygote>),
    /// This process.
    Parent,
}

/// A child that runs.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) pid: i32,
    pub(crate) pidfd: Pidfd,
    pub(crate) slot: Slot,
    pub(crate) arguments: Arguments,
    pub(crate) reaper: Reaper,
}

/// What a start needs to know besides the arguments.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) method: StartMethod,
    pub(crate) function: Shipped,
    pub(crate) outlive: bool,
    /// Stdin, stdout, stderr.
    pub(crate) stdio: [Stdio; 3],
}

/// The child that a zygote may have forked before it was killed. `Ok(None)`: there is none that has begun, and there
/// will be none.
fn find_child(
    zygote: &Zygote,
    slot: Slot,
    arguments: Arguments,
) -> io::Result<Option<(i32, Pidfd)>> {
    if slot.withdraw(arguments) {
        // Without its arguments, a child that was forked leaves.
        slot.abandon();
        return Ok(None);
    }
    let pid = slot.pid();
    match Pidfd::open(pid) {
        Ok(pidfd) if slot.is_running() => Ok(Some((pid, pidfd))),
        _ => {
            // It was quick, and init has reaped it. What stands for it is another process that has ended.
            slot.conclude(End::Unknown);
            Ok(Some((pid, zygote.pidfd()?)))
        }
    }
}

/// A step that failed, and why.
pub(crate) type Failure = (&'static str, io::Error);

/// Where a child begins, before it is told what to change.
pub(crate) enum Ground {
    /// A zygote that is ready.
    Zygote(Arc<Zygote>),
    /// This process's own surroundings, handed to a new image or inherited by fork.
    Own(Surroundings),
}

impl Ground {
    /// The surroundings that a child has before it changes them.
    pub(crate) fn surroundings(&self) -> &Surroundings {
        match self {
            Self::Zygote(zygote) => zygote.surroundings(),
            Self::Own(own) => own,
        }
    }
}

/// Which descriptors go along for the streams, and the flags that say so.
fn streams<'a>(stdio: &'a [Stdio; 3], own: [BorrowedFd<'a>; 3]) -> (u64, Vec<BorrowedFd<'a>>) {
    let mut flags = 0;
    let mut fds = Vec::with_capacity(3);
    for ((stdio, own), bit) in stdio.iter().zip(own).zip([flag::STDIN, flag::STDOUT, flag::STDERR])
    {
        if let Some(fd) = stdio.descriptor(own) {
            fds.push(fd);
            flags |= bit;
        }
    }
    (flags, fds)
}

impl Plan {
    /// Prepares the ground; starts the zygote if one is needed. `Ok(None)`: it was killed in its start.
    pub(crate) fn ground(&self, own: &Surroundings) -> Result<Option<Ground>, Failure> {
        match self.method {
            StartMethod::Zygote => zygote::running(own)
                .map(|zygote| zygote.map(Ground::Zygote))
                .map_err(|error| ("start the zygote", error)),
            StartMethod::Exec | StartMethod::Fork => Ok(Some(Ground::Own(own.clone()))),
        }
    }

    /// Starts the child whose preface and arguments lie in `slot`. `Ok(None)`: the zygote was killed, the child did not
    /// begin, and its slot is free.
    pub(crate) fn start(
        &self,
        ground: &Ground,
        slot: Slot,
        arguments: Arguments,
    ) -> Result<Option<Started>, Failure> {
        let own = (io::stdin(), io::stdout(), io::stderr());
        let own = [own.0.as_fd(), own.1.as_fd(), own.2.as_fd()];
        let (mut flags, fds) = streams(&self.stdio, own);
        flags |= if self.outlive { flag::OUTLIVE } else { 0 };
        let function = self.function.to_bytes();
        let request = Request { flags, member: slot.to_raw(), function };
        let started = match (ground, self.method) {
            (Ground::Zygote(zygote), _) if !zygote.reaches(slot) => {
                let reason = "another thread has changed the process's own family meanwhile";
                return Err(("ask the zygote", io::Error::other(reason)));
            }
            (Ground::Zygote(zygote), _) => {
                let answer = zygote.request(request, &fds);
                match answer.map_err(|error| ("ask the zygote", error))? {
                    Some(answer) => Some(answer),
                    None => find_child(zygote, slot, arguments)
                        .map_err(|error| ("find the process", error))?,
                }
            }
            (Ground::Own(_), StartMethod::Fork) => Some(
                fork::start(request, slot, &fds)
                    .map_err(|error| ("fork", io::Error::other(error)))?,
            ),
            (Ground::Own(own), _) => Some(
                exec::start(request, slot, &fds, own)
                    .map_err(|error| ("start this program again", error))?,
            ),
        };
        let reaper = match ground {
            Ground::Zygote(zygote) => Reaper::Zygote(Arc::clone(zygote)),
            Ground::Own(_) => Reaper::Parent,
        };
        Ok(started.map(|(pid, pidfd)| Started { pid, pidfd, slot, arguments, reaper }))
    }
}
