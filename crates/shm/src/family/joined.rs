//! The families of this process, and which of them is its own.
//!
//! Private memory. The list only grows, at its end, so it is read without a lock; who adds to it, and
//! the hooks of fork, take their [`Turn`] first.

use super::Family;
use crate::OwnedLock;
use procession_sys::Deadline;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicPtr, Ordering};

static FIRST: OnceLock<&'static Family> = OnceLock::new();
static OWN: AtomicPtr<Family> = AtomicPtr::new(ptr::null_mut());
static TURN: OwnedLock = OwnedLock::new();

/// This process's own family, if it has one: as [`family`](super::family), without founding one.
#[inline]
pub fn own_family() -> Option<&'static Family> {
    // SAFETY: the pointer is null or what `Turn::make_own` made of a `&'static Family`; the store is
    // a release and this load an acquire, so the family is seen whole.
    unsafe { OWN.load(Ordering::Acquire).as_ref() }
}

/// The families that this process belongs to, in the order in which it joined them.
///
/// # After fork
/// The child belongs to the same families, with a seat of its own in each.
pub fn families() -> impl Iterator<Item = &'static Family> {
    std::iter::successors(FIRST.get().copied(), |family| family.next.get().copied())
}

/// The family whose arena has this [number](crate::Arena::id), if this process belongs to it.
pub fn joined(id: u64) -> Option<&'static Family> {
    families().find(|family| family.arena.id() == id)
}

/// The right to change the list. Whoever has it may take the lock of any one family's holdings, or of
/// all in the order of the list; nobody asks for it who holds one of those.
pub(super) struct Turn(());

impl Turn {
    pub(super) fn take() -> Self {
        // Within one process, so the stamp only has to be some number.
        let _ = TURN.lock(1, Deadline::never(), |_| false);
        Self(())
    }

    /// Keeps the turn through a fork; parent and child each give it back.
    pub(super) fn keep_through_fork(self) {
        std::mem::forget(self);
    }

    pub(super) fn back_from_fork() -> Self {
        Self(())
    }

    /// Adds a family in which this process has taken its seat.
    pub(super) fn add(&self, family: Family) -> &'static Family {
        let family: &'static Family = Box::leak(Box::new(family));
        let end = families().last().map_or(&FIRST, |last| &last.next);
        assert!(end.set(family).is_ok(), "one at a time adds to the list");
        family
    }

    pub(super) fn make_own(&self, family: &'static Family) {
        OWN.store(ptr::from_ref(family).cast_mut(), Ordering::Release);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        TURN.unlock();
    }
}
