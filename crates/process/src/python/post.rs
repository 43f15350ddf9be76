//! The place of a process that a Rust program started in another language.

use std::io;
use std::os::fd::OwnedFd;

use procession_ipc::message::Parcel;
use procession_shm::Family;

use crate::start::lifeline;
use crate::start::slot::{self, Slot};

/// The seat of this process, where its arguments lie and its outcome is left.
///
/// Outcomes are pickles of a dict with one of the keys `Returned`, `Raised` and `Failed`.
///
/// # If a process dies
///
/// If the parent dies, the kernel kills this process, unless it may outlive its parent.
#[derive(Debug)]
pub struct Post {
    slot: Slot,
}

impl Post {
    /// Takes the seat, in the family whose arena was sent along, and binds the life of this process to its parent's.
    /// `None` if the parent is gone: there is nothing to do.
    ///
    /// # Errors
    ///
    /// If the arena is of another version, or the kernel refuses.
    pub fn take(
        seat: u64,
        arena: OwnedFd,
        lifeline: &OwnedFd,
        outlive: bool,
    ) -> io::Result<Option<Self>> {
        if !lifeline::hang_on(lifeline, outlive)? {
            return Ok(None);
        }
        let slot = slot::join_family(arena, seat).map_err(io::Error::other)?;
        Ok(slot.is_taken().then_some(Self { slot }))
    }

    /// The family.
    #[must_use]
    pub fn family(&self) -> &'static Family {
        self.slot.family()
    }

    /// The arguments, once: a pickle with objects of the family as persistent ids, which are in being for as long as
    /// the parcel is.
    ///
    /// # Errors
    ///
    /// If shared memory is damaged.
    pub fn arguments(&self) -> Result<Option<Parcel>, procession_ipc::Error> {
        self.slot.take_parcel()
    }

    /// Leaves the outcome for the parent.
    ///
    /// # Errors
    ///
    /// If shared memory has no room.
    pub fn leave(&self, outcome: &[u8]) -> Result<(), procession_ipc::Error> {
        self.slot.put_pickled_outcome(outcome)
    }
}
