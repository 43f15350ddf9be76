//! How one side of a queue commits: one store, and with it several numbers.
//!
//! | bits of the word | meaning |
//! |---|---|
//! | 0 | which of the two records is the true one |
//! | 1..64 | how many items were committed, ever |
//!
//! The side's numbers (where its next item lies, and so on) are in two records. A change is written
//! to the record that is *not* true and becomes true with the store of the word (C). Only who holds
//! the side's lock reads or writes the records; the other side reads the word alone (D). A change
//! whose author is killed before the store has never happened.

use procession_sys::atomic::{AtomicU64, Ordering, in_order_for_heirs};

/// The numbers of one side.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Items committed so far.
    pub index: u64,
    /// Where the next item lies: a byte count from the queue's beginning.
    pub position: u64,
    /// Bytes of payload that have passed.
    pub bytes: u64,
    /// The oldest chunk that was not used again.
    pub recycle: u64,
}

/// The word and its two records.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Commit {
    word: AtomicU64,
    position: [AtomicU64; 2],
    bytes: [AtomicU64; 2],
    recycle: [AtomicU64; 2],
}

// SAFETY: seven atomic words, `repr(C)`, no padding.
#[cfg(not(loom))]
unsafe impl crate::Shared for Commit {}

impl Commit {
    /// Nothing committed.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many items were committed. For anybody.
    #[inline]
    pub fn index(&self) -> u64 {
        // (D) pairs with (C): what was written before the commit is seen after this.
        self.word.load(Ordering::Acquire) >> 1
    }

    /// The true record. For who holds the lock.
    #[inline]
    pub fn record(&self) -> Record {
        let word = self.word.load(Ordering::Relaxed);
        let which = (word & 1) as usize;
        Record {
            index: word >> 1,
            position: self.position[which].load(Ordering::Relaxed),
            bytes: self.bytes[which].load(Ordering::Relaxed),
            recycle: self.recycle[which].load(Ordering::Relaxed),
        }
    }

    /// Makes `record` the true one. For who holds the lock.
    #[inline]
    pub fn publish(&self, record: Record) {
        let which = self.prepare(record);
        // (C) pairs with (D).
        self.word.store(record.index << 1 | which, Ordering::Release);
    }

    /// Writes `record` to the place that is not the true one; which place that is.
    #[inline]
    pub(crate) fn prepare(&self, record: Record) -> u64 {
        // The other record was the true one until the last commit.
        in_order_for_heirs();
        let which = !self.word.load(Ordering::Relaxed) & 1;
        self.position[which as usize].store(record.position, Ordering::Relaxed);
        self.bytes[which as usize].store(record.bytes, Ordering::Relaxed);
        self.recycle[which as usize].store(record.recycle, Ordering::Relaxed);
        which
    }
}
