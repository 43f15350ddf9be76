//! Taking blocks and giving them back.

use super::classes::{LARGE, SLAB, class_of};
use super::descriptor::{Descriptor, Handle, Kind, Owner, PRESENT};
use super::layout::{BLOCKS, SMALL, STEP};
use super::{Arena, Block, Header, Region};
use crate::robust_lock::RobustGuard;
use crate::{Error, MemberId};
use procession_sys::atomic::Ordering::{Acquire, Relaxed, Release};
use procession_sys::{crash_point, pid};

/// Free memory that is kept for the next who wants it, whatever the recent use was.
const KEEP: u64 = 32 << 20;
/// How many entries of the table are looked at for one that is freed.
const TRIM_LOOKS: u32 = 64;
/// The use of the last two windows of this length decides how much more is kept. Milliseconds.
const WINDOW: u64 = 1000;

/// What a block is, for those who look from outside.
#[derive(Clone, Copy, Debug)]
pub struct BlockInfo {
    /// Its handle.
    pub handle: Handle,
    /// What it is for.
    pub kind: Kind,
    /// Who owns it.
    pub owner: Owner,
    /// Bytes in use.
    pub len: u64,
    /// Bytes it takes.
    pub capacity: u64,
    /// Members and messages that hold it, for shared objects.
    pub refs: u32,
    /// What type a shared object is of.
    pub tag: u32,
}

impl Arena {
    /// Takes a block of `len` bytes, owned by `member`. Its bytes are whatever was there.
    pub(crate) fn take(&self, kind: Kind, len: u64, member: MemberId) -> Result<Block, Error> {
        let (class, capacity) = class_of(len, self.layout.page).ok_or_else(|| self.full(len))?;
        let header = self.header();
        let (index, descriptor) = loop {
            let guard = self.lock_arena();
            if header.used.load(Relaxed) + capacity > header.limit.load(Relaxed) {
                return Err(self.full(len));
            }
            match self.pop_free(class) {
                Some(found) => {
                    self.claim(found.1, kind, len, member);
                    drop(guard);
                    break found;
                }
                None => self.new_block(class, capacity, guard)?,
            }
        };
        crash_point!("arena.take.after_claim");
        let handle = Handle::new(index, descriptor.generation());
        if descriptor.flags.load(Relaxed) & PRESENT == 0 {
            self.make_room(capacity);
            let offset = descriptor.offset.load(Relaxed);
            if let Err(source) = self.mapping.commit(offset as usize, capacity as usize) {
                self.give(handle, member);
                return Err(Error::OutOfMemory { wanted: len, source });
            }
            descriptor.flags.fetch_or(PRESENT, Relaxed);
        }
        Ok(Block { handle, region: self.region(descriptor) })
    }

    /// Gives a block back, which nobody else uses any more; for `giver`.
    ///
    /// Several may give the same block back at once, if it was a dead member's: one of them does.
    pub(crate) fn give(&self, handle: Handle, giver: MemberId) {
        let Some(descriptor) = self.descriptor(handle.index()) else { return };
        let capacity = descriptor.capacity.load(Relaxed);
        let guard = self.lock_arena();
        if !descriptor.is(handle) {
            return;
        }
        let too_much = capacity >= LARGE && self.is_too_much(capacity);
        if too_much && self.header().idle.load(Relaxed) < capacity {
            // Still in use, so nobody gets it while it has no memory; and under a name that only the
            // giver knows, so nobody else gives it back or takes its memory meanwhile.
            descriptor.owner.store(giver.to_word(), Relaxed);
            descriptor.rename(Kind::Part);
            drop(guard);
            descriptor.flags.fetch_and(!PRESENT, Relaxed);
            let offset = descriptor.offset.load(Relaxed) as usize;
            let _ = self.mapping.punch(offset, capacity as usize);
            crash_point!("arena.give.after_punch");
            let _guard = self.lock_arena();
            self.push_free(handle.index(), descriptor);
            return;
        }
        self.push_free(handle.index(), descriptor);
        crash_point!("arena.give.before_unlock");
        drop(guard);
        if too_much {
            self.trim_colder(handle.index(), capacity);
        }
    }

    /// Gives about as much memory back as was just freed, but of other blocks: the one at `fresh` is
    /// warm, and the next to be taken. Goes round through the table, a few entries at a time.
    fn trim_colder(&self, fresh: u32, wanted: u64) {
        let header = self.header();
        let count = header.blocks.load(Acquire) as u32;
        let enough = header.idle.load(Relaxed).saturating_sub(wanted);
        for _ in 0..TRIM_LOOKS.min(count) {
            let index = header.trim_at.fetch_add(1, Relaxed) % count + 1;
            if index != fresh
                && let Some(descriptor) = self.descriptor(index)
            {
                self.trim_block(descriptor);
            }
            if header.idle.load(Relaxed) <= enough {
                return;
            }
        }
    }

    /// The block that a handle names.
    ///
    /// # Errors
    /// [`Error::BadHandle`] if it is gone.
    pub fn block(&self, handle: Handle) -> Result<Block, Error> {
        let gone = Error::BadHandle { handle: handle.to_bits(), problem: "gone" };
        match self.descriptor(handle.index()) {
            Some(descriptor) if descriptor.is(handle) => {
                Ok(Block { handle, region: self.region(descriptor) })
            }
            _ => Err(gone),
        }
    }

    /// All blocks in use.
    pub fn blocks(&self) -> impl Iterator<Item = BlockInfo> {
        (1..=self.header().blocks.load(Acquire) as u32).filter_map(|index| {
            let descriptor = self.descriptor(index)?;
            Some(BlockInfo {
                kind: descriptor.kind()?,
                handle: Handle::new(index, descriptor.generation()),
                owner: descriptor.owner(),
                len: descriptor.len.load(Relaxed),
                capacity: descriptor.capacity.load(Relaxed),
                refs: descriptor.refs.load(Relaxed),
                tag: descriptor.tag.load(Relaxed),
            })
        })
    }

    /// Bytes in use, bytes free that are kept warm, and the limit.
    pub fn usage(&self) -> (u64, u64, u64) {
        let header = self.header();
        (header.used.load(Relaxed), header.idle.load(Relaxed), header.limit.load(Relaxed))
    }

    /// Gives the memory of free blocks back to the system until `keep` bytes of it are left.
    pub fn trim(&self, keep: u64) {
        for index in 1..=self.header().blocks.load(Acquire) as u32 {
            if self.header().idle.load(Relaxed) <= keep {
                return;
            }
            let Some(descriptor) = self.descriptor(index) else { return };
            self.trim_block(descriptor);
        }
    }

    /// Gives back what is kept warm and was not used lately. For when nobody takes or frees anything.
    pub(crate) fn trim_unused(&self) {
        let guard = self.lock_arena();
        let (used, idle, _) = self.usage();
        self.note_use(used);
        let keep = self.recent_use().saturating_sub(used);
        drop(guard);
        if idle > keep {
            self.trim(keep);
        }
    }

    /// Punches one free block, under the lock so that nobody takes it meanwhile.
    fn trim_block(&self, descriptor: &Descriptor) {
        let capacity = descriptor.capacity.load(Relaxed);
        let is_warm =
            || descriptor.kind().is_none() && descriptor.flags.load(Relaxed) & PRESENT != 0;
        if capacity < LARGE || !is_warm() {
            return;
        }
        let _guard = self.lock_arena();
        if is_warm() {
            descriptor.flags.fetch_and(!PRESENT, Relaxed);
            let idle = &self.header().idle;
            idle.store(idle.load(Relaxed).saturating_sub(capacity), Relaxed);
            let offset = descriptor.offset.load(Relaxed) as usize;
            let _ = self.mapping.punch(offset, capacity as usize);
        }
    }

    /// Before fresh memory is committed: what lies idle and the limit does not allow goes first.
    fn make_room(&self, capacity: u64) {
        let (used, idle, limit) = self.usage();
        if used + idle > limit {
            self.trim(idle.saturating_sub(used + idle - limit).saturating_sub(capacity));
        }
    }

    fn full(&self, wanted: u64) -> Error {
        let (used, _, limit) = self.usage();
        Error::ArenaFull { wanted, used, limit }
    }

    pub(crate) fn region(&self, descriptor: &Descriptor) -> Region {
        let offset = descriptor.offset.load(Relaxed) as usize;
        let capacity = descriptor.capacity.load(Relaxed) as usize;
        let inside = offset.checked_add(capacity).is_some_and(|end| end <= self.mapping.len());
        assert!(inside, "a block's descriptor names bytes outside the arena");
        Region::new(self.mapping.base().as_ptr().wrapping_add(offset), capacity)
    }

    /// Where a region lies in the arena.
    pub fn offset_of(&self, region: Region) -> u64 {
        (region.address() - self.mapping.base().addr().get()) as u64
    }

    /// `len` bytes at an offset that [`Arena::offset_of`] gave.
    ///
    /// # Panics
    /// If they do not lie inside the arena.
    #[inline]
    pub fn region_at(&self, offset: u64, len: u64) -> Region {
        let inside = offset.checked_add(len).is_some_and(|end| end <= self.mapping.len() as u64);
        assert!(inside, "a region outside the arena");
        Region::new(self.mapping.base().as_ptr().wrapping_add(offset as usize), len as usize)
    }

    fn lock_arena(&self) -> RobustGuard<'static> {
        let guard = self.header().arena_lock.lock();
        if guard.owner_died() {
            self.rebuild();
        }
        guard
    }

    fn claim(&self, descriptor: &Descriptor, kind: Kind, len: u64, member: MemberId) {
        let header = self.header();
        let capacity = descriptor.capacity.load(Relaxed);
        descriptor.owner.store(member.to_word(), Relaxed);
        descriptor.len.store(len, Relaxed);
        descriptor.refs.store(0, Relaxed);
        descriptor.transit.store(0, Relaxed);
        descriptor.tag.store(0, Relaxed);
        let was_warm = descriptor.flags.load(Relaxed) & PRESENT;
        descriptor.flags.store(was_warm, Relaxed);
        descriptor.set_used(kind);
        if was_warm != 0 {
            header.idle.store(header.idle.load(Relaxed).saturating_sub(capacity), Relaxed);
        }
        let used = header.used.load(Relaxed) + capacity;
        header.used.store(used, Relaxed);
        if capacity >= LARGE {
            self.note_use(used);
        }
    }

    fn note_use(&self, used: u64) {
        let header = self.header();
        let now = pid::milliseconds();
        if now.saturating_sub(header.window.load(Relaxed)) >= WINDOW {
            header.window.store(now, Relaxed);
            header.last_peak.store(header.peak.load(Relaxed), Relaxed);
            header.peak.store(used, Relaxed);
        } else if used > header.peak.load(Relaxed) {
            header.peak.store(used, Relaxed);
        }
    }

    /// Whether freeing `capacity` more would keep more than recent use justifies.
    fn is_too_much(&self, capacity: u64) -> bool {
        let header = self.header();
        let used = header.used.load(Relaxed);
        self.note_use(used);
        used + header.idle.load(Relaxed) > self.recent_use()
            || capacity > header.limit.load(Relaxed) / 2
    }

    /// The most that was in use in the last two windows, and at least what is always kept.
    fn recent_use(&self) -> u64 {
        let header = self.header();
        header.peak.load(Relaxed).max(header.last_peak.load(Relaxed)).max(KEEP)
    }

    fn pop_free(&self, class: usize) -> Option<(u32, &'static Descriptor)> {
        let head = &self.header().free[class];
        let index = head.load(Relaxed);
        let descriptor = self.descriptor(index)?;
        head.store(descriptor.next.load(Relaxed), Relaxed);
        Some((index, descriptor))
    }

    fn push_free(&self, index: u32, descriptor: &Descriptor) {
        let header = self.header();
        let capacity = descriptor.capacity.load(Relaxed);
        descriptor.set_free();
        header.used.store(header.used.load(Relaxed).saturating_sub(capacity), Relaxed);
        self.list_free(header, index, descriptor);
    }

    fn list_free(&self, header: &Header, index: u32, descriptor: &Descriptor) {
        let capacity = descriptor.capacity.load(Relaxed);
        let Some((class, _)) = class_of(capacity, self.layout.page) else { return };
        if descriptor.flags.load(Relaxed) & PRESENT != 0 {
            header.idle.store(header.idle.load(Relaxed) + capacity, Relaxed);
        }
        descriptor.next.store(header.free[class].load(Relaxed), Relaxed);
        header.free[class].store(index, Relaxed);
    }

    /// Makes a free block of the class and puts it on its list. Lets go of the lock while the table
    /// grows, so the caller looks again.
    fn new_block(&self, class: usize, capacity: u64, guard: RobustGuard<'_>) -> Result<(), Error> {
        let header = self.header();
        let index = header.blocks.load(Relaxed) + 1;
        if index as usize >= BLOCKS {
            return Err(Error::TooManyBlocks(BLOCKS));
        }
        let end = self.layout.descriptors as u64 + (index + 1) * size_of::<Descriptor>() as u64;
        let committed = header.blocks_committed.load(Relaxed);
        if end > committed {
            drop(guard);
            return self.commit_step(&header.blocks_committed, committed);
        }
        let offset = self.place(class, capacity)?;
        let descriptor = self.descriptor(index as u32).expect("below the table's end");
        descriptor.offset.store(offset, Relaxed);
        descriptor.capacity.store(capacity, Relaxed);
        // What is cut from a slab has the slab's memory.
        descriptor.flags.store(if capacity < LARGE { PRESENT } else { 0 }, Relaxed);
        descriptor.set_free();
        crash_point!("arena.new.before_commit");
        header.blocks.store(index, Release);
        self.list_free(header, index as u32, descriptor);
        Ok(())
    }

    /// Commits the next step of a table.
    pub(crate) fn commit_step(
        &self,
        committed: &procession_sys::atomic::AtomicU64,
        from: u64,
    ) -> Result<(), Error> {
        self.mapping
            .commit(from as usize, STEP)
            .map_err(|source| Error::OutOfMemory { wanted: STEP as u64, source })?;
        let _ = committed.compare_exchange(from, from + STEP as u64, Relaxed, Relaxed);
        Ok(())
    }

    /// Finds addresses for a new block.
    fn place(&self, class: usize, capacity: u64) -> Result<u64, Error> {
        let header = self.header();
        if class >= SMALL {
            return self.extend_heap(capacity);
        }
        let slab = &header.slabs[class];
        let at = slab.load(Relaxed);
        if at != 0 && at % SLAB + capacity <= SLAB && !at.is_multiple_of(SLAB) {
            slab.store(at + capacity, Relaxed);
            return Ok(at);
        }
        let start = self.extend_heap(SLAB)?;
        self.mapping
            .commit(start as usize, SLAB as usize)
            .map_err(|source| Error::OutOfMemory { wanted: SLAB, source })?;
        slab.store(start + capacity, Relaxed);
        Ok(start)
    }

    fn extend_heap(&self, bytes: u64) -> Result<u64, Error> {
        let header = self.header();
        let align = if bytes == SLAB { SLAB } else { self.layout.page };
        let start = header.heap_end.load(Relaxed).next_multiple_of(align);
        if start + bytes > self.layout.len as u64 {
            return Err(self.full(bytes));
        }
        header.heap_end.store(start + bytes, Relaxed);
        Ok(start)
    }

    /// Derives the lists and sums from the descriptors anew.
    fn rebuild(&self) {
        let header = self.header();
        header.free.iter().for_each(|head| head.store(0, Relaxed));
        header.slabs.iter().for_each(|slab| slab.store(0, Relaxed));
        header.used.store(0, Relaxed);
        header.idle.store(0, Relaxed);
        let mut heap_end = self.layout.heap as u64;
        for index in 1..=header.blocks.load(Relaxed) as u32 {
            let Some(descriptor) = self.descriptor(index) else { return };
            let offset = descriptor.offset.load(Relaxed);
            let capacity = descriptor.capacity.load(Relaxed);
            match class_of(capacity, self.layout.page) {
                Some((class, _)) if class < SMALL => {
                    let slab = &header.slabs[class];
                    slab.store(slab.load(Relaxed).max(offset + capacity), Relaxed);
                    heap_end = heap_end.max(offset / SLAB * SLAB + SLAB);
                }
                _ => heap_end = heap_end.max(offset + capacity),
            }
            if descriptor.kind().is_none() {
                self.list_free(header, index, descriptor);
            } else {
                header.used.store(header.used.load(Relaxed) + capacity, Relaxed);
            }
        }
        header.heap_end.store(heap_end, Relaxed);
    }
}
