//! The end of a process that has children.
//!
//! As in Python, a program does not end before its children, unless they are daemons; those are terminated. Work
//! that was given to a process is not lost because `main` was quicker. It holds when `main` returns and when
//! `std::process::exit` is called, in the first process of a family and in its children. After a signal nothing can
//! be waited for: the kernel kills the children, by their lifeline.

use std::sync::Once;
use std::time::Duration;

use procession_sys::Deadline;
use procession_sys::leave::at_exit;

use crate::children::active_children;

/// How long daemons have to end by themselves after SIGTERM; then the lifeline does it.
const GRACE: Duration = Duration::from_secs(2);

/// Has [`settle`] called at the end of this process.
pub(crate) fn arrange() {
    static ONCE: Once = Once::new();
    extern "C" fn last() {
        // A panic must not unwind into the C library.
        let _ = std::panic::catch_unwind(settle);
    }
    // Without memory for one function pointer, the children end with the process.
    ONCE.call_once(|| drop(at_exit(last)));
}

/// Terminates daemons and waits for the others.
pub(crate) fn settle() {
    let mut children = active_children();
    children.retain(|child| child.is_mine() && !child.is_outliving());
    let (daemons, others): (Vec<_>, Vec<_>) =
        children.into_iter().partition(|child| child.is_daemon());
    for daemon in &daemons {
        let _ = daemon.terminate();
    }
    for child in others {
        let _ = child.wait_until(Deadline::never());
    }
    let deadline = Deadline::after(GRACE);
    for daemon in daemons {
        let _ = daemon.wait_until(deadline);
    }
}
