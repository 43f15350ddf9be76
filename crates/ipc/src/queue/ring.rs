//! The byte stream of a queue: chunks, and where each of them lies.
//!
//! The stream is cut into chunks of 256 KiB, numbered from 0. The map says for each number which
//! block holds it. A chunk below the getters' position is used again for the next number; the
//! putters' record says how far that has gone, so recycling commits together with the items.

use super::control::{CHUNK, Control, Entry, OWN_MAP};
use crate::Error;
use procession_shm::{Family, GateGuard, Handle, Held, Kind, Record, Region};
use procession_sys::atomic::AtomicU64;
use procession_sys::atomic::Ordering::{Acquire, Relaxed, Release};
use procession_sys::crash_point;

/// Chunks that a queue keeps for use again, beyond those that hold items.
const KEEP: u64 = 16;

/// The stream of one queue, as this process sees it.
#[derive(Debug)]
pub(super) struct Ring {
    pub(super) held: Held,
    pub(super) control: &'static Control,
    put_at: Cached,
    get_at: Cached,
}

/// The chunk that this process used last at one side. Written under that side's lock.
#[derive(Debug)]
struct Cached {
    number: AtomicU64,
    /// Where it lies in the arena. The chunk stays the queue's for as long as it is the side's
    /// current one, so it needs no second look.
    offset: AtomicU64,
}

impl Cached {
    fn new() -> Self {
        Self { number: AtomicU64::new(u64::MAX), offset: AtomicU64::new(0) }
    }
}

/// What a putter must bring before it can go on; taken while it holds no lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Chunk,
    Map(u64),
}

/// What a putter brings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spare {
    pub(super) need: Need,
    pub(super) block: Handle,
}

impl Ring {
    pub(super) fn new(held: Held) -> Self {
        let control = held.words(0);
        Self { held, control, put_at: Cached::new(), get_at: Cached::new() }
    }

    pub(super) fn family(&self) -> &'static Family {
        self.held.family()
    }

    /// The chunk that was put into last, if it has that number.
    #[inline]
    pub(super) fn current_to_put(&self, number: u64) -> Option<Region> {
        let is_it = self.put_at.number.load(Relaxed) == number;
        is_it.then(|| self.at(self.put_at.offset.load(Relaxed)))
    }

    /// The chunk that was got from last, if it has that number.
    #[inline]
    pub(super) fn current_to_get(&self, number: u64) -> Option<Region> {
        let is_it = self.get_at.number.load(Relaxed) == number;
        is_it.then(|| self.at(self.get_at.offset.load(Relaxed)))
    }

    /// The chunk that the next item to get lies in.
    #[inline]
    pub(super) fn chunk_to_get(&self, number: u64) -> Result<Region, Error> {
        match self.current_to_get(number) {
            Some(current) => Ok(current),
            None => self.next_to_get(number),
        }
    }

    #[cold]
    fn next_to_get(&self, number: u64) -> Result<Region, Error> {
        let entry = self.entry(number)?;
        if entry.number.load(Acquire) != number {
            return Err(Error::Corrupt("a chunk that a queue's map does not name"));
        }
        self.remember(&self.get_at, number, entry.block.load(Relaxed))
    }

    /// The chunk that the next item is put into, if it was begun before.
    #[inline]
    pub(super) fn chunk_to_put(&self, number: u64) -> Result<Region, Error> {
        match self.current_to_put(number) {
            Some(current) => Ok(current),
            None => self.next_to_put(number),
        }
    }

    #[cold]
    fn next_to_put(&self, number: u64) -> Result<Region, Error> {
        let entry = self.entry(number)?;
        if entry.number.load(Relaxed) != number {
            return Err(Error::Corrupt("a chunk that a queue's map does not name"));
        }
        self.remember(&self.put_at, number, entry.block.load(Relaxed))
    }

    /// Makes chunk `number` ready to be put into: begun by a putter that died, used before, or
    /// brought along. `Err(need)` if there is none.
    pub(super) fn begin_chunk(
        &self,
        gate: &GateGuard<'_>,
        number: u64,
        record: &mut Record,
        spare: &mut Option<Spare>,
    ) -> Result<Result<Region, Need>, Error> {
        let (entries, count) = self.map()?;
        if number - record.recycle >= count {
            match spare.take_if(|spare| matches!(spare.need, Need::Map(size) if size > count)) {
                Some(bigger) => self.install_map(gate, bigger, record.recycle, number)?,
                None => return Ok(Err(Need::Map(count * 2))),
            }
            return self.begin_chunk(gate, number, record, spare);
        }
        let entry = entry_at(entries, number, count);
        let begun = Handle::from_bits(entry.block.load(Relaxed))
            .filter(|block| entry.number.load(Relaxed) == number && gate.owns_part(*block));
        let before = record.recycle;
        let block = match (begun, self.used_chunk(gate, record)) {
            // The dead putter took it from the used ones, which did not commit: it is still there.
            (Some(begun), Some(used)) if begun == used => begun,
            (Some(begun), _) => {
                record.recycle = before;
                begun
            }
            (None, Some(used)) => used,
            (None, None) => match spare.take_if(|spare| spare.need == Need::Chunk) {
                Some(fresh) => fresh.block,
                None => return Ok(Err(Need::Chunk)),
            },
        };
        entry.block.store(block.to_bits(), Relaxed);
        entry.number.store(number, Release);
        crash_point!("queue.chunk.before_adopt");
        gate.adopt_part(block, self.family().me());
        crash_point!("queue.chunk.after_adopt");
        self.remember(&self.put_at, number, block.to_bits()).map(Ok)
    }

    /// The oldest chunk that all items were taken from.
    fn used_chunk(&self, gate: &GateGuard<'_>, record: &mut Record) -> Option<Handle> {
        let released = self.control.get.released_chunk.load(Acquire);
        while record.recycle < released {
            let entry = self.entry(record.recycle).ok()?;
            record.recycle += 1;
            let block = Handle::from_bits(entry.block.load(Relaxed));
            if let Some(block) = block.filter(|block| gate.owns_part(*block)) {
                return Some(block);
            }
        }
        None
    }

    /// Takes chunks out of the queue that it will not need soon; the caller gives them back after
    /// it has let go of the lock.
    pub(super) fn surplus(&self, gate: &GateGuard<'_>) -> Vec<Handle> {
        let mut record = gate.record();
        let released = self.control.get.released_chunk.load(Acquire);
        let mut surplus = Vec::new();
        while record.recycle + KEEP < released {
            match self.used_chunk(gate, &mut record) {
                Some(block) if gate.disown_part(block) => surplus.push(block),
                _ => break,
            }
        }
        crash_point!("queue.trim.before_commit");
        gate.commit(record);
        surplus
    }

    /// Whether the queue keeps more used chunks than it should, as far as the getters know.
    pub(super) fn has_surplus(&self, released: u64) -> bool {
        released.is_multiple_of(KEEP / 2)
    }

    pub(super) fn bring(&self, need: Need) -> Result<Spare, Error> {
        let len = match need {
            Need::Chunk => CHUNK,
            Need::Map(entries) => 8 + entries * size_of::<Entry>() as u64,
        };
        let block = self.family().take(Kind::Part, len)?;
        if let Need::Map(entries) = need {
            block.region.clear();
            block.region.set_word(0, entries);
        }
        Ok(Spare { need, block: block.handle })
    }

    fn install_map(
        &self,
        gate: &GateGuard<'_>,
        spare: Spare,
        from: u64,
        to: u64,
    ) -> Result<(), Error> {
        let new = self.family().arena().block(spare.block)?.region;
        let count = new.word(0);
        for number in from..to {
            let old = self.entry(number)?;
            let entry = entry_at(Map::Block(new), number, count);
            entry.block.store(old.block.load(Relaxed), Relaxed);
            entry.number.store(old.number.load(Relaxed), Release);
        }
        // The old map stays the queue's: a getter may be reading it.
        gate.adopt_part(spare.block, self.family().me());
        crash_point!("queue.map.before_publish");
        self.control.map.store(spare.block.to_bits(), Release);
        Ok(())
    }

    fn entry(&self, number: u64) -> Result<&'static Entry, Error> {
        let (map, count) = self.map()?;
        Ok(entry_at(map, number, count))
    }

    fn map(&self) -> Result<(Map, u64), Error> {
        match Handle::from_bits(self.control.map.load(Acquire)) {
            None => Ok((Map::Own(self.control), OWN_MAP)),
            Some(handle) => {
                let region = self.family().arena().block(handle)?.region;
                let count = region.word(0);
                if count == 0 || 8 + count * size_of::<Entry>() as u64 > region.len() as u64 {
                    return Err(Error::Corrupt("a queue's map larger than its block"));
                }
                Ok((Map::Block(region), count))
            }
        }
    }

    #[cold]
    fn remember(&self, cached: &Cached, number: u64, block: u64) -> Result<Region, Error> {
        let handle = Handle::from_bits(block).ok_or(Error::Corrupt("a chunk without a block"))?;
        let region = self.family().arena().block(handle)?.region;
        cached.offset.store(self.family().arena().offset_of(region), Relaxed);
        cached.number.store(number, Relaxed);
        Ok(region)
    }

    #[inline]
    fn at(&self, offset: u64) -> Region {
        self.family().arena().region_at(offset, CHUNK)
    }
}

#[derive(Clone, Copy)]
enum Map {
    Own(&'static Control),
    Block(Region),
}

fn entry_at(map: Map, number: u64, count: u64) -> &'static Entry {
    let index = (number % count) as usize;
    match map {
        Map::Own(control) => &control.own_map[index],
        Map::Block(region) => region.object(8 + index * size_of::<Entry>()),
    }
}
