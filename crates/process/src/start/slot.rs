//! The place of a child in the shared memory: its seat in the ledger, and the parcel that lies there.
//!
//! | parcel in the seat | put there by | owned by | taken by |
//! |---|---|---|---|
//! | arguments | the parent, before it asks for the child | the child's seat | the child; freed when it is buried |
//! | outcome | the child, before it ends | the parent | `join`; freed when the seat is released |
//!
//! Both lie in the same word. A child that dies before it took its arguments leaves them there, so the parent remembers
//! their handle and does not take them for an outcome. The outcome is the child's until it lies there, and is freed with it if
//! it dies in between; the parent finds a stale handle then, and no outcome.

use procession_ipc::Error;
use procession_ipc::message::{Objects, PICKLE, Parcel};
use procession_shm::{Ended, Family, Handle, MemberId, MemberState, adopt, family, fork_as};
use procession_sys::bytes::Bytes;
use procession_sys::process_status::ExitStatus;
use procession_sys::{Deadline, crash_point};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::os::fd::{BorrowedFd, OwnedFd};

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// As `waitpid` said.
    Status(ExitStatus),
    /// Nobody knows.
    Unknown,
}

/// The seat of a child that is about to start, runs, or has ended and was not released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    family: &'static Family,
    id: MemberId,
}

/// Arguments that lie in a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arguments(Handle);

impl Slot {
    /// A seat for a child that this process is about to start.
    pub(crate) fn reserve(name: &str) -> Result<Self, Error> {
        let family = family()?;
        let id = family.reserve()?;
        family.set_name(id, name);
        Ok(Self { family, id })
    }

    /// In the zygote, whose own seat this is: that of a child.
    pub(crate) fn beside(self, raw: u64) -> Self {
        Self { family: self.family, id: MemberId::from_word(raw) }
    }

    pub(crate) fn to_raw(self) -> u64 {
        self.id.to_word()
    }

    /// The arena, for a new image.
    pub(crate) fn arena(self) -> BorrowedFd<'static> {
        self.family.fd()
    }

    /// Whether both are in one family.
    pub(crate) fn is_beside(self, other: Self) -> bool {
        self.family == other.family
    }

    /// Whether it is in the family in which this process reserves seats now.
    pub(crate) fn is_at_home(self) -> bool {
        family().is_ok_and(|family| family == self.family)
    }

    /// Has the child of the next fork take this seat.
    pub(crate) fn leave_to_fork(self) {
        fork_as(self.id);
    }

    /// In the child: whether this process has the seat. It was withdrawn otherwise.
    pub(crate) fn is_taken(self) -> bool {
        self.family.state(self.id) == MemberState::Alive
    }

    /// In the parent: lays the arguments there.
    pub(crate) fn put_arguments<A, T>(self, value: &T) -> Result<Arguments, Error>
    where
        A: Serialize + DeserializeOwned,
        T: Serialize,
    {
        let handle = Parcel::to_be_read_as::<A, T>(self.family, value)?.hand_to(self.id);
        self.family.set_parcel(self.id, Some(handle));
        Ok(Arguments(handle))
    }

    /// In the parent: lays arguments there that Python reads.
    pub(crate) fn put_arguments_for_python<T: Serialize>(
        self,
        value: &T,
    ) -> Result<Arguments, Error> {
        let handle = Parcel::for_python(self.family, value)?.hand_to(self.id);
        self.family.set_parcel(self.id, Some(handle));
        Ok(Arguments(handle))
    }

    /// In the parent: lays arguments there that are a pickle already, with the objects that travel in it.
    pub(crate) fn put_pickled_arguments(
        self,
        pickle: &[u8],
        objects: &Objects,
    ) -> Result<Arguments, Error> {
        let handle = Parcel::with(self.family, PICKLE, pickle, objects)?.hand_to(self.id);
        self.family.set_parcel(self.id, Some(handle));
        Ok(Arguments(handle))
    }

    /// In the parent: takes the arguments back; false if the child was quicker.
    pub(crate) fn withdraw(self, arguments: Arguments) -> bool {
        match self.family.take_parcel(self.id) {
            Some(handle) if handle == arguments.0 => {
                self.family.give(handle);
                true
            }
            // So quick that the outcome is there already.
            Some(outcome) => {
                self.family.set_parcel(self.id, Some(outcome));
                false
            }
            None => false,
        }
    }

    /// In the parent: the process that has the seat; 0 if none ever had.
    pub(crate) fn pid(self) -> i32 {
        let members = self.family.members();
        members.iter().find(|member| member.id == self.id).map_or(0, |member| member.pid as i32)
    }

    /// In the parent: whether that process runs.
    pub(crate) fn is_running(self) -> bool {
        self.family.is_alive(self.id)
    }

    /// In the child: takes the arguments; `None` if the parent took them back.
    pub(crate) fn take_arguments<T: DeserializeOwned>(self) -> Result<Option<T>, Error> {
        let Some(handle) = self.family.take_parcel(self.id) else {
            return Ok(None);
        };
        Parcel::receive(self.family, handle)?.decode().map(Some)
    }

    /// In the child: takes the arguments as they are; `None` if the parent took them back.
    pub(crate) fn take_parcel(self) -> Result<Option<Parcel>, Error> {
        let handle = self.family.take_parcel(self.id);
        handle.map(|handle| Parcel::receive(self.family, handle)).transpose()
    }

    /// In the child: leaves an outcome that is a pickle already.
    pub(crate) fn put_pickled_outcome(self, pickle: &[u8]) -> Result<(), Error> {
        self.leave(Parcel::gather(self.family, PICKLE, &[Bytes::Still(pickle)], 1)?);
        Ok(())
    }

    /// In the child: leaves the outcome for the parent.
    pub(crate) fn put_outcome<T: Serialize + DeserializeOwned>(
        self,
        value: &T,
    ) -> Result<(), Error> {
        self.leave(Parcel::new(self.family, value)?);
        Ok(())
    }

    fn leave(self, parcel: Parcel) {
        // Without a parent nobody asks for it.
        if let Some(parent) = self.family.reserver(self.id) {
            // In this order: what is the parent's before it lies here is found by nobody.
            self.family.set_parcel(self.id, Some(parcel.handle()));
            crash_point!("start.child.before_hand_over");
            parcel.hand_to(parent);
        }
    }

    /// The family that it is a seat of.
    pub(crate) fn family(self) -> &'static Family {
        self.family
    }

    /// In the parent, after the end: takes the outcome, if the child left one.
    pub(crate) fn take_outcome<T: DeserializeOwned>(
        self,
        arguments: Arguments,
    ) -> Result<Option<T>, Error> {
        self.take_encoded_outcome(arguments)?.map(|parcel| parcel.decode()).transpose()
    }

    /// The same, without decoding it.
    pub(crate) fn take_encoded_outcome(
        self,
        arguments: Arguments,
    ) -> Result<Option<Parcel>, Error> {
        let handle = self.family.take_parcel(self.id).filter(|handle| *handle != arguments.0);
        // One that was not handed over went with the child.
        let handle = handle.filter(|handle| self.family.arena().block(*handle).is_ok());
        handle.map(|handle| Parcel::receive(self.family, handle)).transpose()
    }

    /// How the child ended, if that was told.
    pub(crate) fn ended(self) -> Option<End> {
        let ended = self.family.ended(self.id)?;
        Some(ended.status.map_or(End::Unknown, |raw| End::Status(ExitStatus::from_raw(raw))))
    }

    /// Waits until it is told.
    pub(crate) fn wait(self, deadline: Deadline) -> Option<End> {
        loop {
            let ended = self.ended();
            if ended.is_some() || deadline.expired() {
                return ended;
            }
            self.family.sleep_until_ended(self.id, deadline);
        }
    }

    /// Returns what the dead child held, and then tells how it ended; who has waited finds all returned.
    pub(crate) fn conclude(self, end: End) {
        self.family.bury(self.id);
        let status = match end {
            End::Status(status) => Some(status.to_raw()),
            End::Unknown => None,
        };
        self.family.set_ended(self.id, Ended { status });
    }

    /// Buries and frees the seat of a process that nobody joins: a zygote, or one that did not get far.
    pub(crate) fn abandon(self) {
        self.conclude(End::Unknown);
        self.release();
    }

    /// Frees the seat and whatever lies there. For the parent, after the end or if nothing was started.
    pub(crate) fn release(self) {
        self.family.release(self.id);
    }
}

/// In a new image: joins the family in the seat that was reserved for this process.
pub(crate) fn join_family(fd: OwnedFd, seat: u64) -> Result<Slot, Error> {
    let id = MemberId::from_word(seat);
    Ok(Slot { family: adopt(fd, id)?, id })
}
