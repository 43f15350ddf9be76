//! This process's place in its families.

mod bury;
mod fork;
mod head;
mod held;
mod holdings;
pub mod inspect;
mod join;
mod joined;
mod local;
mod member;

pub use fork::{call_around_forks, fork_as};
pub use head::ObjectHead;
pub use held::Held;
pub use join::{adopt, family, join};
pub use joined::{families, joined, own_family};
pub use member::{Ended, MemberId, MemberInfo, MemberState};

use crate::arena::{Arena, Block, Descriptor, Handle, Kind};
use crate::{Error, Region};
use local::Local;
use procession_sys::atomic::{AtomicU64, Ordering};
use std::os::fd::BorrowedFd;
use std::sync::OnceLock;

/// A family that this process belongs to: its arena, this process's seat, what it holds there.
///
/// There is one value for each family, for as long as the process runs; two are equal if they are
/// the same one.
#[derive(Debug)]
pub struct Family {
    arena: Arena,
    me: AtomicU64,
    local: Local,
    /// The family that this process joined next.
    next: OnceLock<&'static Family>,
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Family {}

impl Family {
    /// The family of an arena, before this process has a seat there.
    fn over(arena: Arena) -> Self {
        let (me, local) = (AtomicU64::new(0), Local::default());
        Self { arena, me, local, next: OnceLock::new() }
    }

    /// The arena.
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// The memfd of the arena, to pass to a process that is to join.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.arena.fd()
    }

    /// This process's seat.
    #[inline]
    pub fn me(&self) -> MemberId {
        let word = self.me.load(Ordering::Relaxed);
        assert_ne!(word, 0, "this process has no seat: the ledger was full when it was forked");
        MemberId::from_word(word)
    }

    /// Whether this process has a seat: a fork has none if the ledger was full.
    fn has_seat(&self) -> bool {
        self.me.load(Ordering::Relaxed) != 0
    }

    /// Sets how many bytes of a block are in use; what a parcel lists lies behind them.
    pub fn set_len(&self, handle: Handle, len: u64) {
        if let Some(descriptor) = self.arena.descriptor(handle.index()) {
            descriptor.len.store(len, Ordering::Release);
        }
    }

    /// How many bytes of a block are in use.
    pub fn len_of(&self, handle: Handle) -> u64 {
        self.arena
            .descriptor(handle.index())
            .map_or(0, |descriptor| descriptor.len.load(Ordering::Acquire))
    }

    /// Hands a block that this member owns to another member, whole.
    pub fn hand_to(&self, handle: Handle, to: MemberId) {
        if let Some(descriptor) = self.arena.descriptor(handle.index()) {
            descriptor.owner.store(to.to_word(), Ordering::Release);
        }
    }

    /// Takes a block that nobody else knows of. Its bytes are whatever was there.
    ///
    /// # Errors
    /// [`Error::ArenaFull`], [`Error::OutOfMemory`], [`Error::TooManyBlocks`].
    ///
    /// # If a process dies
    /// The block is freed when this member is buried, unless it was handed over.
    pub fn take(&self, kind: Kind, len: u64) -> Result<Block, Error> {
        self.arena.take(kind, len, self.me())
    }

    /// Whether this member owns the block. A child of `fork` owns nothing of what its parent does.
    pub fn owns(&self, handle: Handle) -> bool {
        let me = self.me.load(Ordering::Relaxed);
        let is_mine = |it: &Descriptor| it.is(handle) && it.owner.load(Ordering::Acquire) == me;
        me != 0 && self.arena.descriptor(handle.index()).is_some_and(is_mine)
    }

    /// Frees a block that this member owns, with all that hangs on it.
    pub fn give(&self, handle: Handle) {
        self.destroy(handle);
    }

    /// Makes a shared object of `len` zeroed bytes and lets `init` fill it in; the caller holds it.
    ///
    /// `tag` says what type it is (see [`Held::tag`]).
    ///
    /// # Errors
    /// As [`Family::take`].
    pub fn make(
        &'static self,
        kind: Kind,
        len: u64,
        tag: u32,
        init: impl FnOnce(Region) -> Result<(), Error>,
    ) -> Result<Held, Error> {
        let block = self.take(kind, len)?;
        block.region.part(0, len as usize).clear();
        init(block.region).inspect_err(|_| self.give(block.handle))?;
        if let Some(descriptor) = self.arena.descriptor(block.handle.index()) {
            descriptor.tag.store(tag, Ordering::Release);
        }
        self.hold(block.handle, true).inspect_err(|_| self.give(block.handle))?;
        Ok(Held::new(self, block))
    }

    /// Turns a block that this member owns into one that is held: by this member, by its children after
    /// a fork, and freed when nobody holds it any more.
    ///
    /// # Errors
    /// As [`Family::take`].
    pub fn count(&'static self, handle: Handle) -> Result<Held, Error> {
        let block = self.arena.block(handle)?;
        self.hold(handle, true)?;
        Ok(Held::new(self, block))
    }

    /// Of which kind an object is, and its tag; `None` if it is gone.
    pub fn nature(&self, handle: Handle) -> Option<(Kind, u32)> {
        self.arena.block(handle).ok()?;
        let descriptor = self.arena.descriptor(handle.index())?;
        Some((descriptor.kind()?, descriptor.tag.load(Ordering::Acquire)))
    }

    /// Holds the object that somebody else made and whose handle came in a message.
    ///
    /// # Errors
    /// [`Error::BadHandle`] if it is gone, or of another kind or type.
    pub fn attach(&'static self, handle: Handle, kind: Kind, tag: u32) -> Result<Held, Error> {
        let bad = |problem| Error::BadHandle { handle: handle.to_bits(), problem };
        let block = self.arena.block(handle)?;
        let descriptor = self.arena.descriptor(handle.index()).ok_or(bad("gone"))?;
        if descriptor.kind() != Some(kind) {
            return Err(bad("of another kind"));
        }
        if descriptor.tag.load(Ordering::Acquire) != tag {
            return Err(bad("of another type"));
        }
        self.hold(handle, false)?;
        Ok(Held::new(self, block))
    }
}
