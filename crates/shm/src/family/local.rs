//! What this process knows of its own holdings: how many handles to each object it has, and where
//! in its list in the ledger the object stands.
//!
//! Private memory, under a lock that the fork hooks take before a fork and give back after it on
//! both sides; so a child never finds it taken by a thread that it does not have.

use super::holdings::{CHAIN_BYTES, ENTRIES, link};
use super::{Family, MemberId, MemberState};
use crate::arena::{COUNTED, Descriptor, Handle, Kind, Region};
use crate::{Error, OwnedLock};
use procession_sys::Deadline;
use procession_sys::atomic::Ordering::{Relaxed, Release};
use procession_sys::crash_point;
use std::cell::UnsafeCell;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(super) struct Local {
    lock: OwnedLock,
    state: UnsafeCell<State>,
}

// SAFETY: `state` is touched only through `with`, under `lock`, or by the fork hooks, which hold it.
unsafe impl Sync for Local {}

#[derive(Debug, Default)]
struct State {
    held: BTreeMap<Handle, (usize, usize)>,
    blocks: Vec<Region>,
    vacant: Vec<usize>,
    heir: Option<MemberId>,
}

impl State {
    fn set_entry(&self, spot: usize, value: u64) {
        self.blocks[spot / ENTRIES].set_word((spot % ENTRIES + 1) * 8, value);
    }
}

impl Local {
    fn lock(&self) {
        // Within one process, so the stamp only has to be some number.
        let _ = self.lock.lock(1, Deadline::never(), |_| false);
    }

    fn with<R>(&self, work: impl FnOnce(&mut State) -> R) -> R {
        self.lock();
        // SAFETY: the lock is held until the next statement, and `work` cannot reach `self` again
        // with a second borrow: `State` has no way back.
        let result = work(unsafe { &mut *self.state.get() });
        self.lock.unlock();
        result
    }

    pub(super) fn hold(
        &self,
        family: &Family,
        handle: Handle,
        object: impl FnOnce() -> Result<(&'static Descriptor, bool), Error>,
    ) -> Result<(), Error> {
        self.with(|state| {
            if let Some((count, _)) = state.held.get_mut(&handle) {
                *count += 1;
                return Ok(());
            }
            let (descriptor, fresh) = object()?;
            let spot = match state.vacant.pop() {
                Some(spot) => spot,
                None => lengthen(family, state)?,
            };
            let guard = family.lock_ledger();
            if !descriptor.is(handle) || (!fresh && descriptor.owner.load(Relaxed) != COUNTED) {
                drop(guard);
                state.vacant.push(spot);
                return Err(Error::BadHandle { handle: handle.to_bits(), problem: "gone" });
            }
            state.set_entry(spot, handle.to_bits());
            crash_point!("ledger.hold.before_count");
            descriptor.refs.store(descriptor.refs.load(Relaxed) + 1, Relaxed);
            if fresh {
                descriptor.owner.store(COUNTED, Release);
            }
            crash_point!("ledger.hold.before_unlock");
            drop(guard);
            state.held.insert(handle, (1, spot));
            Ok(())
        })
    }

    /// `true` if nobody holds the object any more: it is the caller's then.
    pub(super) fn let_go(&self, family: &Family, handle: Handle) -> bool {
        self.with(|state| {
            let Some((count, spot)) = state.held.get_mut(&handle) else { return false };
            *count -= 1;
            if *count > 0 {
                return false;
            }
            let spot = *spot;
            state.held.remove(&handle);
            let guard = family.lock_ledger();
            let last = family.drop_ref(handle);
            crash_point!("ledger.let_go.before_entry");
            state.set_entry(spot, 0);
            drop(guard);
            state.vacant.push(spot);
            last
        })
    }

    pub(super) fn before_fork(&self, family: &Family, inherits: bool) {
        self.lock();
        // SAFETY: the lock is held, until `after_fork` in the parent or the child.
        let state = unsafe { &mut *self.state.get() };
        state.heir = (inherits && family.has_seat()).then(|| bequeath(family).ok()).flatten();
    }

    pub(super) fn after_fork(&self) {
        self.lock.unlock();
    }

    /// In the child: the seat that inherits, with the copied list; or an empty list.
    pub(super) fn inherit(&self, family: &Family) -> Option<MemberId> {
        // SAFETY: the lock was taken before the fork and this is the child's only thread.
        let state = unsafe { &mut *self.state.get() };
        let heir = state.heir.take();
        match heir.and_then(|id| family.seat(id)) {
            Some(seat) => {
                let first = seat.holdings.load(Relaxed);
                state.blocks = family.chain_blocks(first).map(|(_, region)| region).collect();
            }
            None => *state = State::default(),
        }
        heir
    }
}

/// One more block at the end of this member's chain; its first spot.
fn lengthen(family: &Family, state: &mut State) -> Result<usize, Error> {
    let block = family.take(Kind::Part, CHAIN_BYTES)?;
    block.region.clear();
    let next = block.handle.to_bits();
    match state.blocks.last() {
        // (L) release.
        Some(last) => link(*last).store(next, Release),
        None => {
            if let Some(seat) = family.seat(family.me()) {
                seat.holdings.store(next, Release);
            }
        }
    }
    let first = state.blocks.len() * ENTRIES;
    state.blocks.push(block.region);
    state.vacant.extend((first + 1..first + ENTRIES).rev());
    Ok(first)
}

/// A seat for the child of a fork, which holds all that this process holds.
fn bequeath(family: &Family) -> Result<MemberId, Error> {
    let heir = family.reserve()?;
    copy_holdings(family, heir).inspect_err(|_| family.take_back(heir))?;
    debug_assert_eq!(family.state(heir), MemberState::Reserved);
    Ok(heir)
}

fn copy_holdings(family: &Family, heir: MemberId) -> Result<(), Error> {
    let mine = family.seat(family.me()).map_or(0, |seat| seat.holdings.load(Relaxed));
    let mut copies: Vec<(Handle, Region)> = Vec::new();
    for _ in family.chain_blocks(mine) {
        let block = family.arena.take(Kind::Part, CHAIN_BYTES, heir)?;
        block.region.clear();
        if let Some((_, last)) = copies.last() {
            link(*last).store(block.handle.to_bits(), Release);
        }
        copies.push((block.handle, block.region));
    }
    let _guard = family.lock_ledger();
    for ((_, from), (_, to)) in family.chain_blocks(mine).zip(&copies) {
        for at in 1..=ENTRIES {
            let Some(handle) = Handle::from_bits(from.word(at * 8)) else { continue };
            to.set_word(at * 8, handle.to_bits());
            if let Some(object) = family.arena.descriptor(handle.index()) {
                object.refs.store(object.refs.load(Relaxed) + 1, Relaxed);
            }
        }
    }
    if let (Some(seat), Some((first, _))) = (family.seat(heir), copies.first()) {
        seat.holdings.store(first.to_bits(), Release);
    }
    Ok(())
}
