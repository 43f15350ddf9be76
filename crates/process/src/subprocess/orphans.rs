//! Children that nobody waits for any more: reaped when the next one starts.
//!
//! A [`Popen`](super::Popen) that is dropped while its child runs leaves the pidfd here. A child that
//! has ended stays a zombie at most until this process starts another one, or ends.

use procession_sys::pidfd::Pidfd;
use std::sync::{Arc, Mutex, PoisonError};

static ORPHANS: Mutex<Vec<Arc<Pidfd>>> = Mutex::new(Vec::new());

/// Reaps it now if it has ended, else later.
pub(super) fn leave(child: Arc<Pidfd>) {
    if runs(&child) {
        ORPHANS.lock().unwrap_or_else(PoisonError::into_inner).push(child);
    }
}

/// Reaps all that have ended.
pub(super) fn reap() {
    ORPHANS.lock().unwrap_or_else(PoisonError::into_inner).retain(runs);
}

/// An error means that there is nothing to reap for us: another took the status, or this process
/// was forked off the one that started the child.
fn runs(child: &Arc<Pidfd>) -> bool {
    matches!(child.try_reap(), Ok(None))
}
