//! The words of a queue.

use super::tally::GROUPS;
use procession_shm::{Gate, ObjectHead, shared_struct};
use procession_sys::atomic::{AtomicU32, AtomicU64};

/// Bytes of a chunk.
pub(super) const CHUNK: u64 = 256 << 10;
/// Messages above this many bytes are parcels.
pub(super) const INLINE_MAX: usize = 64 << 10;
/// Entries of the chunk map that lie in the queue's own block.
pub(super) const OWN_MAP: u64 = 64;
/// What a queue is tagged with; the layout is the same for every type of item.
pub(super) const TAG: u32 = 0x7175_6575;

/// Bit of `state`: shut down, no more is put.
pub(super) const SHUT: u32 = 1;
/// Bit of `state`: there are bounds.
pub(super) const BOUNDED: u32 = 2;
/// Bit of `state`: there is a tally of what each process has in hand.
pub(super) const TALLIED: u32 = 4;
/// Bit of `state`: Python takes part, so values are put as pickles.
pub(super) const PICKLED: u32 = 8;

shared_struct! {
    /// A chunk map's entry: which chunk of the stream it is, and the block that holds it.
    #[derive(Debug)]
    pub(super) struct Entry: 16 {
        pub(super) number: AtomicU64,
        pub(super) block: AtomicU64,
    }
}

shared_struct! {
    /// A queue.
    ///
    /// | word | meaning | written by |
    /// |---|---|---|
    /// | `head.waits[0]`, `[1]` | getters that wait for an item, putters that wait for room | see [`EventCount`](procession_shm::EventCount) |
    /// | `head.waits[2]` | joiners, who wait for all items to be done | the same |
    /// | `max_items`, `max_bytes` | bounds; 0 is none | the maker |
    /// | `state` | [`SHUT`], [`BOUNDED`], [`TALLIED`], [`PICKLED`]; without the first two it is the common case | who shuts down; the maker; who hands it to Python |
    /// | `map` | block of the chunk map; 0: `own_map` | a putter, under its lock |
    /// | `map_entries` | how many entries it has | with `map` |
    /// | `done` | how many items were declared done, ever | `task_done`, under the getters' lock |
    /// | `lost` | how many died with their getter, ever | a joiner, under the getters' lock |
    /// | `tallies` | where each group of tallies lies in the arena; 0: not made | a getter, under its lock |
    /// | `put`, `get` | the two sides | see [`Gate`] |
    #[derive(Debug)]
    pub(super) struct Control: 1408 {
        pub(super) head: ObjectHead,
        pub(super) max_items: AtomicU64,
        pub(super) max_bytes: AtomicU64,
        pub(super) state: AtomicU32,
        unused: AtomicU32,
        pub(super) map: AtomicU64,
        pub(super) done: AtomicU64,
        pub(super) lost: AtomicU64,
        pub(super) tallies: [AtomicU64; GROUPS],
        rest: [AtomicU64; 6 - GROUPS],
        pub(super) put: Gate,
        pub(super) get: Gate,
        pub(super) own_map: [Entry; OWN_MAP as usize],
    }
}

const _: () = {
    assert!(std::mem::offset_of!(Control, put) == Gate::PUT_AT);
    assert!(std::mem::offset_of!(Control, get) == Gate::GET_AT);
};
