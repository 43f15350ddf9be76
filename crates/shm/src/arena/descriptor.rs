//! What the arena knows of a block.

use procession_sys::atomic::{AtomicU32, AtomicU64, Ordering};
use serde::{Deserialize, Serialize};

/// Names a block: its index in the table and how often that entry had been used before.
///
/// Eight bytes, the same in every member of the family; a handle of a block that is gone is
/// recognised as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Handle(u64);

impl Handle {
    pub(crate) fn new(index: u32, generation: u32) -> Self {
        Self(u64::from(generation) << 32 | u64::from(index))
    }

    /// From the number that [`Handle::to_bits`] gave.
    pub fn from_bits(bits: u64) -> Option<Self> {
        (bits as u32 != 0 && bits >> 32 != 0).then_some(Self(bits))
    }

    /// As a number; never 0.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    pub(crate) fn index(self) -> u32 {
        self.0 as u32
    }

    pub(crate) fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// What a block is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[non_exhaustive]
pub enum Kind {
    /// A part of a shared object or of the ledger.
    Part = 1,
    /// A message, or a large payload.
    Parcel = 2,
    /// A queue.
    Queue = 3,
    /// A `Lock`, or a `Mutex` or array's lock by itself.
    Lock = 4,
    /// A recursive lock.
    RLock = 5,
    /// A semaphore, bounded or not.
    Semaphore = 6,
    /// A condition variable.
    Condition = 7,
    /// An event.
    Event = 8,
    /// A barrier.
    Barrier = 9,
    /// A value under a lock.
    Value = 10,
    /// An array under a lock.
    Array = 11,
    /// One end of a pipe.
    Connection = 12,
    /// A buffer whose bytes the holders share.
    Buffer = 13,
    /// What a pool and its workers share.
    Pool = 14,
}

impl Kind {
    const ALL: [Self; 14] = [
        Self::Part,
        Self::Parcel,
        Self::Queue,
        Self::Lock,
        Self::RLock,
        Self::Semaphore,
        Self::Condition,
        Self::Event,
        Self::Barrier,
        Self::Value,
        Self::Array,
        Self::Connection,
        Self::Buffer,
        Self::Pool,
    ];

    pub(crate) fn from_bits(bits: u64) -> Option<Self> {
        Self::ALL.get((bits as usize).wrapping_sub(1)).copied()
    }

    /// Whether blocks of this kind are shared objects, which begin with an
    /// [`ObjectHead`](crate::ObjectHead) and are counted.
    pub fn is_object(self) -> bool {
        !matches!(self, Self::Part | Self::Parcel)
    }
}

/// Who owns a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody: the block is free, or counted.
    Counted,
    /// A member, by its number.
    Member(u64),
    /// Another block.
    Object(Handle),
}

/// The owner word of a block that is freed when nobody holds it any more.
pub(crate) const COUNTED: u64 = 0;
/// Set in the word of a [`MemberId`](crate::MemberId); a handle's index never reaches it.
pub(crate) const MEMBER: u64 = 1 << 31;
/// Flag: the handles that a parcel lists are counted for it.
pub(crate) const HOLDS: u32 = 1;
/// Flag: the block has memory.
pub(crate) const PRESENT: u32 = 2;

const USED: u64 = 1;
const KIND_SHIFT: u32 = 8;

crate::shared_struct! {
    /// One block.
    ///
    /// | word | meaning | changed by |
    /// |---|---|---|
    /// | `state` | generation, kind, in use or not: **the commit of alloc and free** | under the arena's lock |
    /// | `owner` | see [`Owner`] | the owner; whoever buries it; compare and swap |
    /// | `offset`, `capacity` | where and how large; fixed once the entry exists | under the arena's lock |
    /// | `len` | bytes in use | the owner |
    /// | `transit` | the queue a parcel is put to or taken from, 0 outside of that | the owner |
    /// | `refs` | members and parcels that hold it: derived, recounted after a crash | under the ledger's lock |
    /// | `next` | free list: derived, rebuilt after a crash | under the arena's lock |
    /// | `tag` | what type a shared object is of | its maker |
    pub(crate) struct Descriptor: 64 {
        pub(crate) state: AtomicU64,
        pub(crate) owner: AtomicU64,
        pub(crate) offset: AtomicU64,
        pub(crate) capacity: AtomicU64,
        pub(crate) len: AtomicU64,
        pub(crate) transit: AtomicU64,
        pub(crate) refs: AtomicU32,
        pub(crate) next: AtomicU32,
        pub(crate) tag: AtomicU32,
        pub(crate) flags: AtomicU32,
    }
}

impl Descriptor {
    pub(crate) fn generation(&self) -> u32 {
        (self.state.load(Ordering::Relaxed) >> 32) as u32
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        let state = self.state.load(Ordering::Acquire);
        if state & USED == 0 { None } else { Kind::from_bits(state >> KIND_SHIFT & 0xff) }
    }

    pub(crate) fn is(&self, handle: Handle) -> bool {
        let state = self.state.load(Ordering::Acquire);
        state & USED != 0 && (state >> 32) as u32 == handle.generation()
    }

    pub(crate) fn set_used(&self, kind: Kind) {
        let state = u64::from(self.generation()) << 32 | (kind as u64) << KIND_SHIFT | USED;
        self.state.store(state, Ordering::Release);
    }

    /// Makes all handles of the entry stale, and keeps it in use.
    pub(crate) fn rename(&self, kind: Kind) {
        let generation = self.generation().wrapping_add(1).max(1);
        let state = u64::from(generation) << 32 | (kind as u64) << KIND_SHIFT | USED;
        self.state.store(state, Ordering::Release);
    }

    /// Frees the entry; handles of it are stale from here on. Generation 0 is never given.
    pub(crate) fn set_free(&self) {
        let generation = self.generation().wrapping_add(1).max(1);
        self.state.store(u64::from(generation) << 32, Ordering::Release);
    }

    /// Whether it is a shared object that somebody holds.
    pub(crate) fn is_counted(&self) -> bool {
        self.owner.load(Ordering::Acquire) == COUNTED
    }

    pub(crate) fn owner(&self) -> Owner {
        match self.owner.load(Ordering::Acquire) {
            COUNTED => Owner::Counted,
            word if word & MEMBER != 0 => Owner::Member(word),
            word => Handle::from_bits(word).map_or(Owner::Counted, Owner::Object),
        }
    }
}
