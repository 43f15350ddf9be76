//! What pollers see of a queue: a descriptor that is readable while an item is there, or room.
//!
//! Who is told that an item is there takes it without looking, as from a pipe; so a ring must not come
//! when the item has been taken. It is given under the gate of those who put, if the item is still
//! there, and a bell is silenced under the same gate: a ring for an item that this process has taken
//! is heard before it is silenced, or not given. For room it is the gate of those who get.
//!
//! Where several processes take items, one of them may be told of an item that another takes. A poller that
//! waits until all is done has a bell of another kind, so that it is told nothing else, and nobody else is
//! told that.

use super::byte_queue::ByteQueue;
use crate::select::Waitable;
use crate::{Doorbell, bell};
use procession_shm::Side;

impl ByteQueue {
    /// Has the descriptor of `bell` show whether an item, or the end, is there.
    pub fn show_items(&self, bell: &Doorbell) {
        bell.show(
            || self.is_ready(),
            |listen| {
                let _gate = self.lock(&self.control.put, Side::Put);
                listen();
            },
        );
    }

    /// Has the descriptor of `bell` show whether there is room, or nobody gets any more.
    pub fn show_room(&self, bell: &Doorbell) {
        bell.show(
            || self.has_room_or_end(),
            |listen| {
                let _gate = self.lock(&self.control.get, Side::Get);
                listen();
            },
        );
    }

    /// Has the descriptor of `bell`, which [a joiner](Doorbell::hang_for_joiner) hung up, show whether all
    /// items are done.
    pub fn show_done(&self, bell: &Doorbell) {
        bell.show(|| self.unfinished() == 0, |listen| listen());
    }

    /// Tells the joiners among the pollers that all is done.
    #[inline]
    pub(super) fn ring_for_joiners(&self) {
        if bell::is_asked_when_done(self.held()) {
            bell::ring_when_done(self.held());
        }
    }

    /// Tells pollers of the items that the caller has put.
    #[inline]
    pub(super) fn ring_for_items(&self) {
        if bell::is_asked_for(self.held()) {
            let _gate = self.lock(&self.control.put, Side::Put);
            if self.is_ready() {
                bell::ring(self.held());
            }
        }
    }

    /// Tells pollers of the room that the caller has made.
    #[inline]
    pub(super) fn ring_for_room(&self) {
        if bell::is_asked_for(self.held()) {
            let _gate = self.lock(&self.control.get, Side::Get);
            if self.has_room_or_end() {
                bell::ring(self.held());
            }
        }
    }

    fn has_room_or_end(&self) -> bool {
        !self.is_full() || self.is_over()
    }
}
