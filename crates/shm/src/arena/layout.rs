//! Where everything lies in the arena.
//!
//! ```text
//! 0         header      one page and a bit: magic, limits, the two locks, free lists
//! members   4096 seats  128 bytes each
//! blocks    2^20 descriptors, 64 bytes each
//! heap      blocks, to the end of the reservation
//! ```
//!
//! The file is sparse: a page of a table is committed when its first entry is used. The offsets are the same
//! whatever the machine's page is.

use super::classes::{CLASSES, LARGE, SLAB};
use super::descriptor::Descriptor;
use crate::{Error, RobustLock};
use procession_sys::atomic::{AtomicU32, AtomicU64, Ordering};
use procession_sys::mapping::page_size;

pub(crate) const MAGIC: u64 = u64::from_le_bytes(*b"procssn\x01");
/// How many seats the ledger has; seat 0 is nobody's.
pub(crate) const MEMBERS: usize = 4096;
/// How many blocks there may be.
pub(crate) const BLOCKS: usize = 1 << 20;
/// The classes whose blocks are cut from slabs.
pub(crate) const SMALL: usize = {
    assert!(CLASSES > 27);
    27
};
/// Bytes of a table that are committed at a time.
pub(crate) const STEP: usize = 64 << 10;
/// Room for the header, and for the first seats; a machine with larger pages commits more.
const PAGE: usize = 4096;

crate::shared_struct! {
    /// The first bytes of the arena.
    ///
    /// `heap_end`, `used`, `idle`, `free` and `slabs` are derived from the descriptors and rebuilt
    /// after a crash; `blocks` is the commit of a new descriptor.
    pub(crate) struct Header: 1136 {
        pub(crate) magic: AtomicU64,
        pub(crate) layout_hash: AtomicU64,
        pub(crate) id: AtomicU64,
        pub(crate) pid_namespace: AtomicU64,
        pub(crate) limit: AtomicU64,
        pub(crate) blocks: AtomicU64,
        pub(crate) blocks_committed: AtomicU64,
        pub(crate) members_committed: AtomicU64,
        pub(crate) heap_end: AtomicU64,
        pub(crate) used: AtomicU64,
        pub(crate) idle: AtomicU64,
        pub(crate) peak: AtomicU64,
        pub(crate) last_peak: AtomicU64,
        pub(crate) window: AtomicU64,
        /// When the members were last looked at for deaths, in milliseconds.
        pub(crate) checked: AtomicU64,
        /// Seats in use lie below this.
        pub(crate) seats: AtomicU64,
        pub(crate) arena_lock: RobustLock,
        pub(crate) ledger_lock: RobustLock,
        rest: [AtomicU32; 26],
        pub(crate) free: [AtomicU32; CLASSES],
        pub(crate) slabs: [AtomicU64; SMALL],
        /// Where in the table memory was last given back.
        pub(crate) trim_at: AtomicU32,
        reserved: AtomicU32,
    }
}

crate::shared_struct! {
    /// A seat in the ledger.
    ///
    /// | word | meaning | changed by |
    /// |---|---|---|
    /// | `state` | generation (32 bits), the process (24 bits, 0 before there is one), [`MemberState`](crate::MemberState) (8 bits) | reserver, member, burier: compare and swap |
    /// | `reserver` | who made the seat and reads the result; 0 for a seat that can be reserved | the reserver, before reservation; whoever frees the seat or buries the reserver |
    /// | `start` | when the process started (clock ticks since boot), 0 before it has noted that | the reserver, then the member once it sits |
    /// | `holdings` | first block of the list of what it holds | the member, under the ledger's lock |
    /// | `exit` | the generation's number for "has not ended", or how it ended | the reserver; whoever reaped it: compare and swap |
    /// | `parcel` | arguments before it runs, result after | reserver, then member |
    pub(crate) struct Member: 128 {
        pub(crate) state: AtomicU64,
        pub(crate) reserver: AtomicU64,
        pub(crate) start: AtomicU64,
        pub(crate) holdings: AtomicU64,
        pub(crate) parcel: AtomicU64,
        pub(crate) exit: AtomicU32,
        unused: AtomicU32,
        pub(crate) name: [AtomicU64; 4],
        pub(crate) rest: [AtomicU64; 6],
    }
}

/// A number that differs when the layout does.
pub(crate) const HASH: u64 = {
    let parts = [
        size_of::<Header>(),
        size_of::<Member>(),
        size_of::<Descriptor>(),
        MEMBERS,
        BLOCKS,
        CLASSES,
        SMALL,
        LARGE as usize,
        SLAB as usize,
        // The version of what lies inside the seats and blocks.
        3,
    ];
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < parts.len() {
        hash = (hash ^ parts[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
};

/// Offsets of the parts, from the length of the file, and the machine's page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) members: usize,
    pub(crate) descriptors: usize,
    pub(crate) heap: usize,
    pub(crate) len: usize,
    pub(crate) page: u64,
}

impl Layout {
    pub(crate) fn new(len: usize) -> Self {
        let members = size_of::<Header>().next_multiple_of(PAGE);
        let descriptors = members + (MEMBERS * size_of::<Member>()).next_multiple_of(STEP);
        let heap = (descriptors + BLOCKS * size_of::<Descriptor>()).next_multiple_of(SLAB as usize);
        Self { members, descriptors, heap, len: len.max(heap), page: page_size() as u64 }
    }

    /// The bytes that a new arena needs from the start: header and first seats.
    pub(crate) fn first_pages(&self) -> usize {
        self.members + PAGE
    }
}

impl Header {
    pub(crate) fn init(&self, layout: &Layout, limit: u64) {
        let set = |word: &AtomicU64, value: u64| word.store(value, Ordering::Relaxed);
        set(&self.layout_hash, HASH);
        set(&self.id, procession_sys::random::number());
        set(&self.pid_namespace, procession_sys::pid::namespace());
        set(&self.limit, limit);
        set(&self.members_committed, (layout.members + PAGE) as u64);
        set(&self.blocks_committed, layout.descriptors as u64);
        set(&self.heap_end, layout.heap as u64);
        self.magic.store(MAGIC, Ordering::Release);
    }
}

/// How much memory the family may use: `PROCESSION_ARENA`, or half of the machine's.
pub(crate) fn limit() -> Result<u64, Error> {
    match std::env::var("PROCESSION_ARENA") {
        Ok(text) => parse_size(&text).ok_or(Error::BadSize(text)),
        Err(_) => Ok((procession_sys::pid::physical_memory() / 2).max(64 << 20)),
    }
}

/// Reads a size such as `512M` or `8G`; a bare number is bytes.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = text[..split].parse::<u64>().ok()?;
    let shift = match text[split..].trim_end_matches(['i', 'B', 'b']) {
        "" => 0,
        "k" | "K" => 10,
        "m" | "M" => 20,
        "g" | "G" => 30,
        "t" | "T" => 40,
        _ => return None,
    };
    number.checked_mul(1 << shift).filter(|bytes| *bytes > 0)
}

/// How many addresses to reserve for a limit: free blocks keep their class, so several times as
/// much, where the address space is not limited (`ulimit -v`).
pub(crate) fn reservation(limit: u64) -> usize {
    let plenty = limit.saturating_mul(8).clamp(1 << 30, 1 << 43);
    let allowed = procession_sys::pid::address_space_limit().map_or(plenty, |all| all / 4);
    let smallest = (Layout::new(0).heap as u64) + limit.min(1 << 20);
    (plenty.min(allowed).max(smallest) as usize).next_multiple_of(SLAB as usize)
}

const _: () = {
    // `class_of` cannot be called here; the test below ties SMALL to LARGE.
    assert!(size_of::<Header>() <= PAGE);
};

#[cfg(test)]
mod tests {
    use super::super::classes::{LARGEST_SMALL, class_of};
    use super::*;

    #[test]
    fn the_first_large_class_comes_after_the_small_ones() {
        assert_eq!(class_of(LARGE, 4096), Some((SMALL, LARGE)));
        for page in [4096, 16 << 10, 64 << 10] {
            assert_eq!(class_of(LARGEST_SMALL, page), Some((SMALL - 1, LARGEST_SMALL)));
            assert!(class_of(LARGEST_SMALL + 1, page).is_some_and(|found| found.0 >= SMALL));
        }
    }

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(parse_size("4096"), Some(4096));
        assert_eq!(parse_size("64M"), Some(64 << 20));
        assert_eq!(parse_size("8GiB"), Some(8 << 30));
        assert_eq!(parse_size("much"), None);
        assert_eq!(parse_size("0"), None);
    }
}
