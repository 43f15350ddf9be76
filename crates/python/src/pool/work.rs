//! The loop of a worker.

use super::task::{self, Known, Letter, Manner};
use crate::codec::Serializer;
use crate::wait::raise;
use procession_ipc::Error;
use procession_process::byte_pool::{Mail, Message, Post, Status, Work};
use procession_sys::poll::readable;
use procession_sys::{Deadline, pid};
use pyo3::prelude::*;
use std::os::fd::BorrowedFd;
use std::os::unix::process::parent_id;

/// How often a busy worker looks whether its parent lives, in milliseconds.
const LOOK: u64 = 100;
/// So many tasks are done before other threads of the worker get a turn that do not ask for one.
const TURN: u64 = 128;
/// More memory than this is not kept for the next task.
const KEPT: usize = 1 << 20;

/// How long a worker lives.
pub(super) struct Limits {
    /// So many tasks.
    pub(super) most: Option<u64>,
    /// Until it has so many bytes in memory after a task.
    pub(super) max_memory: Option<u64>,
}

/// The process of the pool.
pub(super) enum Parent {
    /// It started this one itself.
    Own(u32),
    /// A fork server did.
    Watched(i32),
}

impl Parent {
    pub(super) fn new(pid: u32, sentinel: i32) -> Self {
        if parent_id() == pid { Self::Own(pid) } else { Self::Watched(sentinel) }
    }

    fn is_gone(&self) -> bool {
        match self {
            Self::Own(pid) => parent_id() != *pid,
            Self::Watched(sentinel) => {
                // SAFETY: the sentinel is open until the process ends; `multiprocessing` keeps it.
                let sentinel = unsafe { BorrowedFd::borrow_raw(*sentinel) };
                readable(sentinel, Deadline::now()).unwrap_or(true)
            }
        }
    }
}

/// Does tasks until there are no more.
///
/// # Errors
/// What a task raised that is no `Exception`, and what a signal's handler raised.
pub(super) fn until_over(
    py: Python<'_>,
    post: &Post,
    parent: &Parent,
    limits: &Limits,
    manner: Manner,
    serializer: &Serializer,
) -> PyResult<()> {
    post.be_ready();
    let family = post.family();
    let (mut bytes, mut output) = (Vec::new(), Vec::new());
    let mut known = Known::default();
    let mut looked = pid::milliseconds();
    let mut done = 0;
    while limits.most.is_none_or(|most| done < most) {
        let Some(work) = next(py, post, parent, &mut bytes)? else { return Ok(()) };
        let number = work.task;
        let letter = if post.is_cancelled(number) {
            Message::begin_result(number, Status::Skipped, &mut output);
            Letter { bytes: output, parcel: None }
        } else {
            let outcome = match work.mail {
                Mail::Own { bytes: task, .. } => {
                    let outcome = task::perform(py, &task, &mut known);
                    bytes = kept(task);
                    outcome
                }
                Mail::Parcel(task) => task::perform_parcel(py, task, &mut known),
            };
            task::answer(py, number, outcome, manner, serializer, family, output)?
        };
        output = kept(put(post, letter).map_err(|error| raise(&error))?);
        done += 1;
        if limits.max_memory.is_some_and(|most| pid::resident_memory() > most) {
            return Ok(());
        }
        let now = pid::milliseconds();
        if now.saturating_sub(looked) >= LOOK {
            looked = now;
            if parent.is_gone() {
                return Ok(());
            }
        }
        py.check_signals()?;
        if done % TURN == 0 {
            py.detach(|| ());
        }
    }
    Ok(())
}

/// Puts a result; the memory of its bytes, to be used again.
fn put(post: &Post, letter: Letter) -> Result<Vec<u8>, Error> {
    let Letter { bytes, parcel } = letter;
    match parcel {
        Some(parcel) => post.put_parcel(parcel).map(|()| bytes),
        None => {
            let result = task::message(bytes);
            post.put(&result).map(|()| result.bytes)
        }
    }
}

/// The next task; `None` if there is none to be waited for.
fn next(
    py: Python<'_>,
    post: &Post,
    parent: &Parent,
    bytes: &mut Vec<u8>,
) -> PyResult<Option<Work>> {
    match post.get(bytes, Deadline::now(), || false) {
        Err(error) if error.is_timeout() => {}
        got => return taken(got),
    }
    let mut raised = None;
    let got = py.detach(|| {
        post.get(bytes, Deadline::never(), || {
            raised = Python::attach(|py| py.check_signals().err());
            raised.is_some() || parent.is_gone()
        })
    });
    match raised {
        Some(error) => Err(error),
        None => taken(got),
    }
}

fn taken(got: Result<Work, Error>) -> PyResult<Option<Work>> {
    match got {
        Ok(work) => Ok(Some(work)),
        Err(Error::Closed { .. } | Error::Interrupted { .. }) => Ok(None),
        Err(error) => Err(raise(&error)),
    }
}

fn kept(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.capacity() > KEPT { Vec::new() } else { bytes }
}
