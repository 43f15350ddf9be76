//! This process's lifelines: the one that its children hang on, and the one that it hangs on itself.
//!
//! See `README.md` for how it works. Downward there is one pipe in a process, made at the first start and owned by
//! the process that made it: after a fork the child must let go of it, or its life would be its parent's.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, RwLock};
use std::time::Duration;

use procession_sys::{Deadline, lifeline as pipe};

/// The pipe that children hang on.
#[derive(Debug)]
struct Downward {
    end: Arc<OwnedFd>,
    /// Never read or written; it closes with this process.
    _hold: OwnedFd,
}

static DOWNWARD: Mutex<Option<Downward>> = Mutex::new(None);

/// The pipe that this process hangs on; unset in the first process of a family.
static UPWARD: RwLock<Option<&'static OwnedFd>> = RwLock::new(None);

fn lock() -> MutexGuard<'static, Option<Downward>> {
    DOWNWARD.lock().unwrap_or_else(|broken| broken.into_inner())
}

/// The end that a child of this process hangs on.
pub(super) fn downward() -> io::Result<Arc<OwnedFd>> {
    let mut downward = lock();
    if let Some(pipe) = &*downward {
        return Ok(Arc::clone(&pipe.end));
    }
    let (end, hold) = pipe::pair()?;
    let end = Arc::new(end);
    *downward = Some(Downward { end: Arc::clone(&end), _hold: hold });
    Ok(end)
}

/// Lets go of the parent's lifeline, in a child of fork, which has one thread.
pub(super) fn forget_downward() {
    *lock() = None;
}

/// Hangs this process on `end`, or only notes it where the child may outlive its parent. False if the parent is
/// gone already.
pub(crate) fn hang_on(end: &OwnedFd, outlive: bool) -> io::Result<bool> {
    let end = pipe::reopen(end)?;
    let alive = if outlive { true } else { pipe::arm(&end)? };
    // It stays open for as long as this process runs. In a child of fork the parent's own is in its place; that one
    // kills the parent only.
    *UPWARD.write().unwrap_or_else(|broken| broken.into_inner()) = Some(Box::leak(Box::new(end)));
    Ok(alive)
}

/// The pipe that this process hangs on.
pub(crate) fn upward() -> Option<&'static OwnedFd> {
    *UPWARD.read().unwrap_or_else(|broken| broken.into_inner())
}

/// Whether the parent is gone; waits for it.
pub(crate) fn is_cut(timeout: Duration) -> bool {
    upward().is_none_or(|end| pipe::is_cut(end, Deadline::after(timeout)).unwrap_or(true))
}
