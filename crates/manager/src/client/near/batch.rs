//! Items that are put together.

use procession_ipc::Error;
use procession_ipc::byte_queue::{ByteQueue, Item, is_large};
use procession_ipc::message::{PICKLE, Parcel};
use procession_shm::Family;
use procession_sys::Deadline;
use procession_sys::bytes::Bytes;
use std::ops::Range;

/// Bytes of items that are put together.
const BATCH: usize = 32 << 10;

/// Pickles that are put together; a large one lies in memory of its own.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    /// Where each begins among the bytes and ends, or its parcel.
    parts: Vec<Part>,
}

enum Part {
    Inline(Range<usize>),
    Whole(Parcel),
}

impl Part {
    fn item<'a>(&'a self, bytes: &'a [u8]) -> Item<'a> {
        match self {
            Self::Inline(range) => Item::Message { format: PICKLE, bytes: &bytes[range.clone()] },
            Self::Whole(parcel) => Item::Parcel(parcel),
        }
    }
}

impl Batch {
    /// Adds a pickle, which names no object.
    ///
    /// # Errors
    /// Of the arena, for one that is large.
    pub(super) fn add(&mut self, family: &'static Family, pickle: &[u8]) -> Result<(), Error> {
        self.parts.push(if is_large(pickle.len()) {
            Part::Whole(Parcel::gather(family, PICKLE, &[Bytes::Still(pickle)], 1)?)
        } else {
            let start = self.bytes.len();
            self.bytes.extend_from_slice(pickle);
            Part::Inline(start..self.bytes.len())
        });
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether more should wait for the next one.
    pub(super) fn is_full(&self) -> bool {
        self.bytes.len() >= BATCH || matches!(self.parts.last(), Some(Part::Whole(_)))
    }

    /// Puts all of them in order, waiting for room; how many were put, and why not all.
    pub(super) fn put(
        self,
        queue: &ByteQueue,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> (usize, Option<Error>) {
        let items: Vec<Item<'_>> = self.parts.iter().map(|part| part.item(&self.bytes)).collect();
        let (count, failed) = match queue.put_until(&items, deadline, interrupt) {
            Ok(_) => (items.len(), None),
            Err((count, error)) => (count, Some(error)),
        };
        for part in self.parts.into_iter().take(count) {
            if let Part::Whole(parcel) = part {
                parcel.keep();
            }
        }
        (count, failed)
    }
}
