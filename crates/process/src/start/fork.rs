//! The `fork` start method, and the bare `fork`: a copy of this process, which must have one thread.

use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use procession_sys::fork::{Fork, ForkError, fork as copy, is_single_threaded};
use procession_sys::pidfd::Pidfd;
use procession_sys::reaper;
use procession_sys::stdio::{Stream, null, replace};

use super::order::{Request, flag};
use super::slot::Slot;
use super::{child, lifeline, zygote};
use crate::children;

/// Copies this process. Both copies return.
///
/// The copy keeps what memory holds, is a member of the family of its own, has no children, and is not a
/// [`Process`](crate::Process): nobody joins it but the caller, with `waitpid`, and it may outlive its parent.
///
/// # Errors
///
/// [`ForkError::Threads`] if this process has more than one thread: what the others have locked would stay locked in
/// the copy. The kernel's refusal.
///
/// # After fork
///
/// The copy starts a zygote of its own when it needs one. Handles of processes that were started before cannot be
/// joined in it ([`Error::NotParent`](crate::Error::NotParent)).
pub fn fork() -> Result<Fork, ForkError> {
    let done = copy()?;
    if done == Fork::Child {
        forget_parent();
    }
    Ok(done)
}

/// Lets go of everything that belongs to the parent and would keep it alive, or its zygote.
pub(crate) fn forget_parent() {
    zygote::forget();
    lifeline::forget_downward();
    children::forget();
}

/// Starts a child by fork. This process reaps it.
pub(super) fn start(
    request: Request,
    slot: Slot,
    fds: &[BorrowedFd<'_>],
) -> Result<(i32, Pidfd), ForkError> {
    // What is in the buffer would be written twice.
    let _ = io::stdout().flush();
    let lifeline = lifeline::downward()?.try_clone()?;
    let owned: Vec<OwnedFd> =
        fds.iter().map(|fd| fd.as_fd().try_clone_to_owned()).collect::<Result<_, _>>()?;
    // A refusal would leave the seat to whoever forks next; the caller has asked before, so this one says yes.
    if !is_single_threaded() {
        return Err(ForkError::Threads);
    }
    slot.leave_to_fork();
    match copy()? {
        Fork::Child => {
            forget_parent();
            reaper::unblock_signals();
            if request.flags & flag::STDIN == 0 {
                let _ = null().and_then(|null| replace(Stream::Stdin, null));
            }
            child::run(request, slot, owned, lifeline, child::perform)
        }
        Fork::Parent(pid) => {
            // Nobody but this process can reap it, so the pid is still its own.
            let opened = Pidfd::open(pid)?;
            Ok((pid, opened))
        }
    }
}
