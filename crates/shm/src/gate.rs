//! One side of a queue: a robust lock, a commit, and what is being handed over.
//!
//! A parcel that goes through a queue changes its owner: from the putter to the queue, from the
//! queue to the getter. Whether it has is decided by the commit alone. Who does it writes the
//! parcel's name (and that of a claim cell) into the gate, sets the owner, commits, and clears the
//! name. If it is killed between those steps, the next owner of the lock finds the name and undoes
//! what was not committed: it compares the commit with the index noted there. After the commit nobody
//! on this side touches the parcel: the other side may have it by then.

use crate::arena::{Handle, Kind};
use crate::commit::{Commit, Record};
use crate::family::{Family, MemberId};
use crate::robust_lock::{RobustGuard, RobustLock};
use crate::seen::Seen;
use procession_sys::atomic::Ordering::{AcqRel, Relaxed, Release};
use procession_sys::atomic::{AtomicU32, AtomicU64};
use procession_sys::crash_point;
use std::mem::ManuallyDrop;

crate::shared_struct! {
    /// One side of a queue.
    ///
    /// | word | meaning | written by |
    /// |---|---|---|
    /// | `lock` | who works at this side | see [`RobustLock`] |
    /// | `cpu` | the processor of the last who did, plus one | the lock's owner |
    /// | `commit` | what has happened here | the lock's owner |
    /// | `parcel`, `claim`, `index` | what is being handed over, 0 if nothing | the lock's owner |
    /// | `released_chunk`, `passed_bytes` | for the other side to see; they may lag | the lock's owner |
    #[derive(Debug)]
    pub struct Gate: 128 {
        lock: RobustLock,
        /// The processor of whoever worked here last, plus one; 0 if nobody has.
        pub cpu: AtomicU32,
        commit: Commit,
        parcel: AtomicU64,
        claim: AtomicU64,
        index: AtomicU64,
        /// The chunk that the next item to get lies in: chunks below it are free.
        pub released_chunk: AtomicU64,
        /// Bytes of payload that have passed here; may lag after a crash, never leads.
        pub passed_bytes: AtomicU64,
        rest: [AtomicU64; 3],
    }
}

/// Which side a gate is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Putters.
    Put,
    /// Getters.
    Get,
}

/// A gate whose lock the caller holds.
#[derive(Debug)]
pub struct GateGuard<'a> {
    gate: &'a Gate,
    family: &'static Family,
    queue: Handle,
    side: Side,
    /// A parcel that a dead putter had given to the queue and not committed: freed when the lock is.
    orphan: Option<Handle>,
    lock: ManuallyDrop<RobustGuard<'a>>,
}

/// Bit of a claim cell: the item is the claimer's for sure.
pub const CLAIM_SURE: u64 = 1;

impl Gate {
    /// Where the putters' gate lies in every block of kind [`Kind::Queue`].
    pub const PUT_AT: usize = 128;
    /// Where the getters' gate lies in every block of kind [`Kind::Queue`].
    pub const GET_AT: usize = 256;

    /// How many items were committed at this side.
    #[inline]
    pub fn index(&self) -> u64 {
        self.commit.index()
    }

    /// Whether more than `index` items were committed at this side; looks only if `seen` does not say.
    #[inline]
    pub fn is_past(&self, index: u64, seen: &Seen) -> bool {
        seen.is_past(index, &self.commit)
    }

    /// The thread that works here now, 0 if none.
    pub fn owner(&self) -> u32 {
        self.lock.owner()
    }

    /// Takes the side's lock, and finishes what a dead owner left half done.
    #[inline]
    pub fn lock(&self, family: &'static Family, queue: Handle, side: Side) -> GateGuard<'_> {
        let lock = self.lock.lock();
        let died = lock.owner_died();
        let lock = ManuallyDrop::new(lock);
        let mut guard = GateGuard { gate: self, family, queue, side, orphan: None, lock };
        if died {
            guard.settle();
        }
        guard
    }
}

impl Drop for GateGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: the lock is not touched again: this is the end of the guard.
        unsafe { ManuallyDrop::drop(&mut self.lock) };
        if let Some(orphan) = self.orphan {
            self.family.give(orphan);
        }
    }
}

impl GateGuard<'_> {
    /// The side's numbers.
    #[inline]
    pub fn record(&self) -> Record {
        self.gate.commit.record()
    }

    /// Commits items that carry nothing but bytes.
    #[inline]
    pub fn commit(&self, record: Record) {
        self.gate.commit.publish(record);
    }

    /// Commits one item, and with it hands over a parcel, or notes it in a claim cell, or both.
    ///
    /// `record.index` is the index after the item. A claim cell is an [`AtomicU64`] at an offset of
    /// the arena; it becomes `record.index << 1 | CLAIM_SURE`.
    pub fn commit_handover(&self, record: Record, parcel: Option<Handle>, claim: Option<u64>) {
        let gate = self.gate;
        gate.index.store(record.index, Relaxed);
        if let Some(cell) = claim.and_then(|at| self.claim_cell(at)) {
            cell.store(record.index << 1, Relaxed);
            gate.claim.store(claim.unwrap_or(0), Release);
        }
        let descriptor = parcel.and_then(|handle| {
            self.family.arena().descriptor(handle.index()).filter(|found| found.is(handle))
        });
        if let (Some(handle), Some(descriptor)) = (parcel, descriptor) {
            descriptor.transit.store(self.queue.to_bits(), Relaxed);
            gate.parcel.store(handle.to_bits(), Release);
            // Before the commit: after it the other side may own the parcel, or have freed it.
            let owner = match self.side {
                Side::Put => self.queue.to_bits(),
                Side::Get => self.family.me().to_word(),
            };
            descriptor.owner.store(owner, Release);
        }
        crash_point!("gate.handover.before_commit");
        gate.commit.publish(record);
        crash_point!("gate.handover.after_commit");
        if let Some(descriptor) = descriptor {
            if self.side == Side::Get {
                descriptor.transit.store(0, Release);
            }
            gate.parcel.store(0, Release);
        }
        if let Some(cell) = claim.and_then(|at| self.claim_cell(at)) {
            cell.store(record.index << 1 | CLAIM_SURE, Release);
            gate.claim.store(0, Release);
        }
        crash_point!("gate.handover.before_unlock");
    }

    /// Finishes or undoes what the last owner left.
    #[cold]
    fn settle(&mut self) {
        let gate = self.gate;
        let happened = gate.commit.index() >= gate.index.load(Relaxed);
        let claim = gate.claim.load(Relaxed);
        if let Some(cell) = (claim != 0).then(|| self.claim_cell(claim)).flatten() {
            let index = gate.index.load(Relaxed);
            cell.store(if happened { index << 1 | CLAIM_SURE } else { 0 }, Release);
        }
        gate.claim.store(0, Release);
        let parcel = Handle::from_bits(gate.parcel.load(Relaxed));
        // What was committed is the other side's business by now.
        if let Some(handle) = parcel.filter(|_| !happened) {
            self.undo(handle);
        }
        gate.parcel.store(0, Release);
    }

    /// Gives a parcel back whose handing over was not committed: to the queue on the getters' side;
    /// to nobody on the putters', if the dead one had given it away already.
    fn undo(&mut self, handle: Handle) {
        let Some(descriptor) = self.family.arena().descriptor(handle.index()) else { return };
        if !descriptor.is(handle) || descriptor.kind() != Some(Kind::Parcel) {
            return;
        }
        match self.side {
            Side::Get => descriptor.owner.store(self.queue.to_bits(), Release),
            Side::Put => {
                let (queue, me) = (self.queue.to_bits(), self.family.me().to_word());
                let taken = descriptor.owner.compare_exchange(queue, me, AcqRel, Relaxed);
                self.orphan = taken.is_ok().then_some(handle);
            }
        }
    }

    fn claim_cell(&self, offset: u64) -> Option<&'static AtomicU64> {
        self.family.arena().at(offset as usize)
    }

    /// Gives a part that the caller owns to the queue; `false` if it is not the caller's any more.
    pub fn adopt_part(&self, part: Handle, from: MemberId) -> bool {
        self.family.arena().descriptor(part.index()).is_some_and(|descriptor| {
            descriptor.is(part)
                && descriptor
                    .owner
                    .compare_exchange(from.to_word(), self.queue.to_bits(), AcqRel, Relaxed)
                    .is_ok()
        })
    }

    /// Takes a part of the queue over, so that it is freed if the caller dies with it.
    pub fn disown_part(&self, part: Handle) -> bool {
        let me = self.family.me().to_word();
        self.family.arena().descriptor(part.index()).is_some_and(|descriptor| {
            descriptor.is(part)
                && descriptor
                    .owner
                    .compare_exchange(self.queue.to_bits(), me, AcqRel, Relaxed)
                    .is_ok()
        })
    }

    /// Whether `part` is there and the queue's.
    pub fn owns_part(&self, part: Handle) -> bool {
        self.family.arena().descriptor(part.index()).is_some_and(|descriptor| {
            descriptor.is(part) && descriptor.owner.load(Relaxed) == self.queue.to_bits()
        })
    }
}
