//! Returning what a dead member held, and freeing what nobody holds.
//!
//! Burying is safe to do twice and at once: every step is a compare and swap, or is done under a
//! lock and leaves a mark. A burier that is killed half-way leaves the seat `Dying`; the next one
//! begins anew.

use super::{Family, MemberId, MemberInfo, MemberState, ObjectHead};
use crate::arena::{Arena, Descriptor, HOLDS, Handle, Kind, MEMBERS, Owner};
use crate::gate::{Gate, Side};
use procession_sys::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use procession_sys::{crash_point, pid};

/// The members are looked at for deaths at most once in this many milliseconds.
const LOOK: u64 = 500;

impl Family {
    /// Returns everything that a member held. Its process must have ended.
    ///
    /// What it did when it died is finished or undone: locks that are robust go to the next owner
    /// with word of the death, items it had begun to put are gone, items it had taken are freed, and
    /// all who wait anywhere look again. The seat stays until [`Family::release`], if whoever
    /// reserved it still lives.
    pub fn bury(&'static self, id: MemberId) {
        // What is dropped is first the burier's, so a fork that found no seat leaves it to others.
        if !self.has_seat() {
            return;
        }
        loop {
            match self.state(id) {
                MemberState::Free | MemberState::Ended => return,
                MemberState::Dying => break,
                state if self.change(id, state, MemberState::Dying) => break,
                _ => {}
            }
        }
        self.finish_burial(id);
    }

    /// The burial of a member that is marked as dying.
    fn finish_burial(&'static self, id: MemberId) {
        self.drop_holdings(id);
        crash_point!("ledger.bury.after_holdings");
        self.settle_transits(id);
        self.free_blocks(Owner::Member(id.to_word()));
        self.tell_objects(id);
        self.orphan_seats(id);
        crash_point!("ledger.bury.before_end");
        let reserver = self.reserver(id).filter(|who| self.state(*who) == MemberState::Alive);
        if reserver.is_some() {
            self.change(id, MemberState::Dying, MemberState::Ended);
        } else {
            self.vacate(id, MemberState::Dying);
        }
    }

    /// Frees a seat whose result was read. For whoever reserved it, after the member has ended.
    ///
    /// A seat that no process ever took is withdrawn.
    pub fn release(&'static self, id: MemberId) {
        self.withdraw(id);
        self.vacate(id, MemberState::Ended);
    }

    /// Buries a seat that no process has taken, unless one is quicker.
    fn withdraw(&'static self, id: MemberId) {
        if self.change(id, MemberState::Reserved, MemberState::Dying) {
            self.finish_burial(id);
        }
    }

    /// Makes a seat nobody's that was reserved a moment ago, and holds nothing.
    pub(super) fn take_back(&self, id: MemberId) {
        if self.change(id, MemberState::Reserved, MemberState::Dying) {
            self.free_blocks(Owner::Member(id.to_word()));
            self.vacate(id, MemberState::Dying);
        }
    }

    /// Makes a seat in the state `from` nobody's, with the parcel that lies there.
    fn vacate(&self, id: MemberId, from: MemberState) {
        let Some(seat) = self.seat(id) else { return };
        let (parcel, reserver) = (seat.parcel.load(Acquire), seat.reserver.load(Acquire));
        // What was read is another member's if the seat is.
        if self.state(id) != from {
            return;
        }
        if let Some(handle) = Handle::from_bits(parcel)
            && seat.parcel.compare_exchange(parcel, 0, AcqRel, Relaxed).is_ok()
        {
            self.give(handle);
        }
        if self.change(id, from, MemberState::Free) {
            crash_point!("ledger.vacate.before_reserver");
            self.unreserve(id.seat() as usize, reserver);
        }
    }

    /// Buries the member whose process was `pid`, if it has ended and was reaped. For whoever reaped it.
    pub fn bury_process(&'static self, pid: u32) {
        let theirs = |member: &MemberInfo| {
            member.pid == pid && matches!(member.state, MemberState::Alive | MemberState::Dying)
        };
        for member in self.members().into_iter().filter(theirs) {
            if !self.is_alive(member.id) {
                self.bury(member.id);
            }
        }
    }

    /// Buries the members whose processes have ended, and gives memory back that was not used lately. For
    /// those who wait; looks at most twice a second in the whole family.
    pub fn look_for_deaths(&'static self) {
        let checked = &self.arena.header().checked;
        let (last, now) = (checked.load(Relaxed), pid::milliseconds());
        if now.saturating_sub(last) < LOOK
            || checked.compare_exchange(last, now, AcqRel, Relaxed).is_err()
        {
            return;
        }
        for member in self.members() {
            match member.state {
                MemberState::Alive | MemberState::Dying if !self.is_alive(member.id) => {
                    self.bury(member.id);
                }
                // It ended while whoever reserved it was buried.
                MemberState::Ended if self.reserver(member.id).is_none() => self.release(member.id),
                _ => {}
            }
        }
        self.arena.trim_unused();
    }

    fn drop_holdings(&'static self, id: MemberId) {
        let Some(seat) = self.seat(id) else { return };
        let guard = self.lock_ledger();
        let first = seat.holdings.load(Acquire);
        // Another burier may have finished, and the seat be somebody else's by now: then so was what
        // was read. Else that other one is held up by the lock.
        if first == 0 || self.state(id) != MemberState::Dying {
            return;
        }
        let held: Vec<Handle> = self.chain(first).collect();
        let last: Vec<Handle> = held.into_iter().filter(|handle| self.drop_ref(*handle)).collect();
        seat.holdings.store(0, Release);
        drop(guard);
        last.into_iter().for_each(|handle| self.destroy(handle));
    }

    /// Has the queues decide about parcels that the dead one was putting or getting.
    fn settle_transits(&'static self, id: MemberId) {
        for block in self.arena.blocks() {
            if block.owner != Owner::Member(id.to_word()) || block.kind != Kind::Parcel {
                continue;
            }
            let queue = self
                .arena
                .descriptor(block.handle.index())
                .and_then(|found| Handle::from_bits(found.transit.load(Acquire)));
            // Held, so that its words stay its own while we take its locks.
            let Some(queue) = queue.filter(|queue| self.hold(*queue, false).is_ok()) else {
                continue;
            };
            if let Ok(found) = self.arena.block(queue) {
                for (at, side) in [(Gate::PUT_AT, Side::Put), (Gate::GET_AT, Side::Get)] {
                    drop(found.region.object::<Gate>(at).lock(self, queue, side));
                }
            }
            self.let_go(queue);
        }
    }

    fn tell_objects(&self, id: MemberId) {
        for block in self.arena.blocks().filter(|block| block.kind.is_object()) {
            // Objects are given up under this lock alone: the words stay the object's.
            let _guard = self.lock_ledger();
            if let Ok(found) = self.arena.block(block.handle)
                && self.arena.descriptor(block.handle.index()).is_some_and(Descriptor::is_counted)
            {
                found.region.object::<ObjectHead>(0).member_buried(id.stamp());
            }
        }
    }

    /// Seats that the dead one had reserved: nobody asks for them any more.
    fn orphan_seats(&'static self, id: MemberId) {
        for seat in 1..self.arena.header().seats.load(Acquire) as usize {
            let Some(member) = self.arena.member(seat) else { break };
            let (orphan, state) = self.in_seat(seat);
            // Read after who sits there: another burier may have freed the seat, and the next
            // reserver have it.
            if member.reserver.load(Acquire) != id.to_word() {
                continue;
            }
            match state {
                MemberState::Reserved => self.withdraw(orphan),
                MemberState::Ended => self.release(orphan),
                // The dead one was to bury it, or had begun.
                MemberState::Alive | MemberState::Dying if !self.is_alive(orphan) => {
                    self.bury(orphan);
                }
                _ => {}
            }
            crash_point!("ledger.orphan.before_reserver");
            self.unreserve(seat, id.to_word());
        }
        debug_assert!(id.seat() < MEMBERS as u32);
    }

    fn free_blocks(&self, owner: Owner) {
        let theirs: Vec<Handle> = self
            .arena
            .blocks()
            .filter(|block| block.owner == owner)
            .map(|block| block.handle)
            .collect();
        theirs.into_iter().for_each(|handle| self.destroy(handle));
    }

    /// Frees a block that is the caller's, or a dead member's, with its parts and what they held.
    pub(super) fn destroy(&self, handle: Handle) {
        // Nobody, in a fork that found no seat.
        let me = MemberId::from_word(self.me.load(Relaxed));
        let mut left = vec![handle];
        while let Some(handle) = left.pop() {
            let Some(descriptor) = self.arena.descriptor(handle.index()) else { continue };
            match descriptor.kind().filter(|_| descriptor.is(handle)) {
                None => continue,
                Some(Kind::Parcel) if descriptor.flags.load(Relaxed) & HOLDS != 0 => {
                    left.extend(self.unlist_parcel(handle, descriptor));
                }
                Some(kind) if has_parts(kind) => {
                    let parts: Vec<Handle> = parts_of(&self.arena, handle).collect();
                    if !parts.is_empty() {
                        left.push(handle);
                        left.extend(parts);
                        continue;
                    }
                }
                Some(_) => {}
            }
            self.arena.give(handle, me);
        }
    }
}

fn has_parts(kind: Kind) -> bool {
    matches!(kind, Kind::Queue | Kind::Connection | Kind::Pool)
}

fn parts_of(arena: &Arena, object: Handle) -> impl Iterator<Item = Handle> {
    arena
        .blocks()
        .filter(move |block| block.owner == Owner::Object(object))
        .map(|block| block.handle)
}
