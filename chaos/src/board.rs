//! What survives the dead: a shared block of words that members write and the parent reads.
//!
//! | words | meaning | written by |
//! |---|---|---|
//! | counters | see [`Count`] | anybody |
//! | seats | eight for each member, see [`Seat`] | the member in it; the parent clears them |
//! | records | one for each item of the queue, by its number: who put it, and which of his | the consumer |

use procession_ipc::message;
use procession_shm::{CLAIM_SURE, Error, Held, Kind, Region, family};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;

/// How many items one queue may see.
pub(crate) const ITEMS: usize = 1 << 20;
const SEATS: usize = 64;
const COUNTS: usize = 16;
const WORDS: usize = COUNTS + SEATS * 8 + ITEMS;
const HEAD: usize = 64;
const TAG: u32 = 0x6368_616f;

/// What is counted.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    Received,
    Doubled,
    Corrupt,
    OwnerDied,
    Locks,
    Arrays,
    Values,
    Torn,
    Tasks,
    TasksLost,
    Spawned,
    Permits,
    Letters,
    Failed,
}

/// The block, held.
#[derive(Debug, Clone)]
pub(crate) struct Board(Held);

/// The words of one member.
pub(crate) struct Seat<'a> {
    /// Number of the item that it took last.
    pub(crate) claim: &'a AtomicU64,
    /// How many of its puts have returned.
    pub(crate) acknowledged: &'a AtomicU64,
}

impl Board {
    pub(crate) fn new() -> Result<Self, Error> {
        family()?.make(Kind::Pool, (HEAD + WORDS * 8) as u64, TAG, |_| Ok(())).map(Self)
    }

    fn words(&self) -> &'static [AtomicU64] {
        self.0.region().objects(HEAD, WORDS)
    }

    pub(crate) fn add(&self, what: Count) {
        self.words()[what as usize].fetch_add(1, SeqCst);
    }

    pub(crate) fn count(&self, what: Count) -> u64 {
        self.words()[what as usize].load(SeqCst)
    }

    /// Whether there is no room for many more records.
    pub(crate) fn is_crowded(&self) -> bool {
        self.count(Count::Received) as usize > ITEMS - 20_000
    }

    pub(crate) fn seat(&self, number: usize) -> Seat<'static> {
        let words = &self.words()[COUNTS + number * 8..];
        Seat { claim: &words[0], acknowledged: &words[1] }
    }

    pub(crate) fn clear_seat(&self, number: usize) {
        let first = COUNTS + number * 8;
        self.words()[first..first + 8].iter().for_each(|word| word.store(0, SeqCst));
    }

    /// Where the claim cell of a seat lies in the arena.
    pub(crate) fn claim_at(&self, number: usize) -> u64 {
        let region: Region = self.0.region();
        let part = region.part(HEAD + (COUNTS + number * 8) * 8, 8);
        self.0.family().arena().offset_of(part)
    }

    /// Records that item `number` arrived, which is the `place`th of `putter`.
    pub(crate) fn record(&self, number: u64, putter: u64, place: u64) {
        let word = &self.words()[COUNTS + SEATS * 8 + number as usize % ITEMS];
        let entry = putter << 40 | (place + 1);
        if word.compare_exchange(0, entry, SeqCst, SeqCst).is_err() {
            self.add(Count::Doubled);
        }
        self.add(Count::Received);
    }

    /// Who put item `number`, and which of his it is, if it arrived.
    pub(crate) fn recorded(&self, number: u64) -> Option<(u64, u64)> {
        let entry = self.words()[COUNTS + SEATS * 8 + number as usize % ITEMS].load(SeqCst);
        (entry != 0).then(|| (entry >> 40, (entry & ((1 << 40) - 1)) - 1))
    }
}

impl Seat<'_> {
    /// The number of the item that the member took for sure, if it did.
    pub(crate) fn claimed(&self) -> Option<u64> {
        let claim = self.claim.load(SeqCst);
        (claim & CLAIM_SURE != 0).then_some(claim >> 1)
    }
}

impl Serialize for Board {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        message::serialize_handle(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Board {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        message::deserialize_handle(deserializer, Kind::Pool, TAG).map(Self)
    }
}
