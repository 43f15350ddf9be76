//! What the guard has seen in one value.

use super::{COMPACT, known};
use std::cell::{OnceCell, RefCell};

/// Notes on one value in one format.
pub(super) struct Notes {
    format: u8,
    /// Nothing, as long as there is nothing to note.
    seen: OnceCell<Box<RefCell<Seen>>>,
}

#[derive(Default)]
struct Seen {
    fresh: Vec<u64>,
    skipping: Option<&'static str>,
    lost: Option<&'static str>,
    complaint: Option<String>,
}

impl Notes {
    #[inline(always)]
    pub(super) fn new(format: u8) -> Self {
        Self { format, seen: OnceCell::new() }
    }

    #[inline(always)]
    pub(super) fn is_compact(&self) -> bool {
        self.format == COMPACT
    }

    #[cold]
    fn note<R>(&self, what: impl FnOnce(&mut Seen) -> R) -> R {
        what(&mut self.seen.get_or_init(Box::default).borrow_mut())
    }

    /// A shape was met. What is known of it is known of one format.
    #[inline(always)]
    pub(super) fn meet(&self, key: u64) {
        let key = key ^ u64::from(self.format & 1);
        if !known::knows(key) {
            self.meet_fresh(key);
        }
    }

    #[cold]
    fn meet_fresh(&self, key: u64) {
        self.note(|seen| {
            if !seen.fresh.contains(&key) {
                seen.fresh.push(key);
            }
        });
    }

    /// A field was left out that the reader may expect.
    pub(super) fn skip(&self, type_name: &'static str) {
        self.note(|seen| seen.skipping = Some(type_name));
    }

    /// An option holds what looks like no value where only values can be seen.
    pub(super) fn lose(&self, type_name: &'static str) {
        self.note(|seen| seen.lost = Some(type_name));
    }

    /// Keeps what somebody said; the first to speak was nearest to the cause.
    pub(super) fn complain(&self, said: String) {
        self.note(|seen| {
            seen.complaint.get_or_insert(said);
        });
    }

    /// Whether nothing was noted: every shape is known, and nothing was refused.
    #[inline(always)]
    pub(super) fn is_clear(&self) -> bool {
        self.seen.get().is_none()
    }

    /// The option whose value would be lost.
    pub(super) fn lost(&self) -> Option<&'static str> {
        self.seen.get()?.borrow().lost
    }

    /// What stands against the bytes, if anything does.
    pub(super) fn complaint(&self) -> Option<String> {
        let seen = self.seen.get()?.borrow();
        let skipping = || seen.skipping.map(|name| format!("a {name} in it leaves a field out"));
        seen.complaint.clone().or_else(skipping)
    }

    /// Whether shapes were met that are not known.
    pub(super) fn has_fresh(&self) -> bool {
        self.seen.get().is_some_and(|seen| !seen.borrow().fresh.is_empty())
    }

    /// The bytes were read back: the shapes in them are known from now on.
    pub(super) fn learn(&self) {
        if let Some(seen) = self.seen.get() {
            seen.borrow().fresh.iter().for_each(|key| known::learn(*key));
        }
    }
}
