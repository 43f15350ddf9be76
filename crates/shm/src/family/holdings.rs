//! Who holds what: lists in the ledger, and the counts derived from them.
//!
//! A member's seat names a chain of blocks with the handles that it holds; a parcel lists the
//! handles that travel in it. Both are changed under the ledger's lock only. The count in an object's
//! descriptor is a sum over them; whoever takes the lock after its owner died counts anew.

use super::{Family, MemberState};
use crate::Error;
use crate::arena::{COUNTED, Descriptor, HOLDS, Handle, Kind, Region};
use crate::robust_lock::RobustGuard;
use procession_sys::atomic::AtomicU64;
use procession_sys::atomic::Ordering::{Acquire, Relaxed, Release};
use procession_sys::crash_point;

/// Handles in one block of a chain; before them lies the handle of the next block.
pub(super) const ENTRIES: usize = 127;
pub(super) const CHAIN_BYTES: u64 = (ENTRIES as u64 + 1) * 8;

impl Family {
    pub(super) fn lock_ledger(&self) -> RobustGuard<'static> {
        let guard = self.arena.header().ledger_lock.lock();
        if guard.owner_died() {
            self.recount();
        }
        guard
    }

    /// Notes that this member holds `handle`; `fresh` if it has just made it.
    pub(super) fn hold(&self, handle: Handle, fresh: bool) -> Result<(), Error> {
        self.local.hold(self, handle, || {
            let gone = Error::BadHandle { handle: handle.to_bits(), problem: "gone" };
            let descriptor = self.arena.descriptor(handle.index()).ok_or(gone)?;
            Ok((descriptor, fresh))
        })
    }

    /// Notes that this member holds `handle` no more.
    pub(super) fn let_go(&self, handle: Handle) {
        if self.local.let_go(self, handle) {
            self.destroy(handle);
        }
    }

    /// Counts one holder less; `true` if that was the last, and the object is now the caller's.
    pub(super) fn drop_ref(&self, handle: Handle) -> bool {
        let Some(descriptor) = self.arena.descriptor(handle.index()) else { return false };
        if !descriptor.is(handle) {
            return false;
        }
        let refs = descriptor.refs.load(Relaxed).saturating_sub(1);
        descriptor.refs.store(refs, Relaxed);
        if refs == 0 && descriptor.owner.load(Relaxed) == COUNTED {
            descriptor.owner.store(self.me().to_word(), Release);
            return true;
        }
        false
    }

    /// Has a parcel hold the handles it lists, as one step.
    ///
    /// `handles` lie in the parcel at `at`; the caller holds each of them.
    ///
    /// # Errors
    /// [`Error::BadHandle`] if one is gone.
    pub fn list_in_parcel(&self, parcel: Handle, handles: &[Handle]) -> Result<(), Error> {
        let bad = || Error::BadHandle { handle: parcel.to_bits(), problem: "gone" };
        let descriptor = self.arena.descriptor(parcel.index()).ok_or_else(bad)?;
        let region = self.arena.block(parcel)?.region;
        let at = list_at(descriptor);
        for (number, handle) in handles.iter().enumerate() {
            region.set_word(at + number * 8, handle.to_bits());
        }
        descriptor.tag.store(handles.len() as u32, Relaxed);
        let _guard = self.lock_ledger();
        for handle in handles {
            if let Some(object) = self.arena.descriptor(handle.index()) {
                object.refs.store(object.refs.load(Relaxed) + 1, Relaxed);
            }
        }
        crash_point!("ledger.list.before_flag");
        descriptor.flags.fetch_or(HOLDS, Release);
        Ok(())
    }

    /// Drops what a parcel holds; the objects that nobody holds any more.
    pub(super) fn unlist_parcel(&self, handle: Handle, parcel: &Descriptor) -> Vec<Handle> {
        let _guard = self.lock_ledger();
        // Somebody else may have done it, and the block be another parcel by now.
        if parcel.flags.load(Acquire) & HOLDS == 0 || !parcel.is(handle) {
            return Vec::new();
        }
        let last = listed(parcel, self.arena.region(parcel))
            .filter(|handle| self.drop_ref(*handle))
            .collect();
        parcel.flags.fetch_and(!HOLDS, Release);
        crash_point!("ledger.unlist.after_flag");
        last
    }

    /// All handles of a chain.
    pub(super) fn chain(&self, first: u64) -> impl Iterator<Item = Handle> {
        self.chain_blocks(first).flat_map(|(_, region)| {
            (1..=ENTRIES).filter_map(move |at| Handle::from_bits(region.word(at * 8)))
        })
    }

    pub(super) fn chain_blocks(&self, first: u64) -> impl Iterator<Item = (Handle, Region)> {
        let mut next = first;
        std::iter::from_fn(move || {
            let handle = Handle::from_bits(next)?;
            let region = self.arena.block(handle).ok()?.region;
            // (L) acquire.
            next = link(region).load(Acquire);
            Some((handle, region))
        })
    }

    /// Counts all holders anew, from the lists.
    fn recount(&self) {
        let counted = || self.arena.blocks().filter(|block| block.kind != Kind::Part);
        let descriptor = |handle: Handle| self.arena.descriptor(handle.index());
        for block in counted() {
            if let Some(found) = descriptor(block.handle) {
                found.refs.store(0, Relaxed);
            }
        }
        let add = |handle: Handle| {
            if let Some(found) = descriptor(handle).filter(|found| found.is(handle)) {
                found.refs.store(found.refs.load(Relaxed) + 1, Relaxed);
            }
        };
        for member in self.members() {
            if member.state == MemberState::Ended {
                continue;
            }
            if let Some(seat) = self.seat(member.id) {
                self.chain(seat.holdings.load(Acquire)).for_each(add);
            }
        }
        for block in self.arena.blocks().filter(|block| block.kind == Kind::Parcel) {
            if let Some(found) = descriptor(block.handle)
                && found.flags.load(Acquire) & HOLDS != 0
            {
                listed(found, self.arena.region(found)).for_each(add);
            }
        }
    }
}

/// The word that names the next block of a chain; 0 in the last. A member lengthens its chain while others
/// may count anew: (L) release, so that who finds the block finds it empty.
pub(super) fn link(block: Region) -> &'static AtomicU64 {
    block.object(0)
}

/// Where a parcel's list begins: after its payload.
fn list_at(parcel: &Descriptor) -> usize {
    (parcel.len.load(Relaxed) as usize).next_multiple_of(8)
}

fn listed(parcel: &Descriptor, region: Region) -> impl Iterator<Item = Handle> + use<> {
    let at = list_at(parcel);
    let count = (parcel.tag.load(Relaxed) as usize).min(region.len().saturating_sub(at) / 8);
    (0..count).filter_map(move |number| Handle::from_bits(region.word(at + number * 8)))
}
