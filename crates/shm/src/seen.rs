//! What one process last saw of a side's commit: no need to look at the word itself, which the other side
//! writes all the time, before that is used up.
//!
//! | value of the word | meaning | set by |
//! |---|---|---|
//! | n | n items or more were committed | any thread of the process that has looked |
//!
//! A thread that is told so by another one, and did not look itself, must see what was written before the
//! commit all the same: (S) passes on what (D) of [`Commit`] has seen. A thread that is slow may set the word
//! back, which costs the next one a look.
//!
//! Private memory. The child of a fork has a copy, which is as true there.

use crate::Commit;
use procession_sys::atomic::{AtomicU64, Ordering};

/// The least that a side has committed, as far as this process knows.
#[derive(Debug, Default)]
pub struct Seen {
    index: AtomicU64,
}

impl Seen {
    /// Nothing seen.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether more than `index` items were committed, looking at `commit` only if that is not known.
    #[inline]
    pub(crate) fn is_past(&self, index: u64, commit: &Commit) -> bool {
        // (S) acquire.
        if index < self.index.load(Ordering::Acquire) {
            return true;
        }
        let committed = commit.index();
        // (S) release.
        self.index.store(committed, Ordering::Release);
        index < committed
    }
}
