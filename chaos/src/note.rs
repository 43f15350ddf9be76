//! Messages that show whether they are whole: who put it, which of his it is, and a sum over all.

use crate::random::Random;
use procession_ipc::Error;
use procession_ipc::byte_queue::{ByteQueue, Item, is_large};
use procession_ipc::message::{Objects, Parcel};
use procession_sys::Deadline;
use std::time::Duration;

const HEAD: usize = 24;
const FORMAT: u8 = 0;

/// Writes note `place` of `putter` to `bytes`, of a random size.
pub(crate) fn write(bytes: &mut Vec<u8>, putter: u64, place: u64, random: &mut Random) {
    let size = match random.below(100) {
        0..90 => random.below(200),
        90..97 => random.below(40_000),
        _ => 70_000 + random.below(150_000),
    };
    bytes.clear();
    bytes.extend_from_slice(&putter.to_le_bytes());
    bytes.extend_from_slice(&place.to_le_bytes());
    bytes.extend_from_slice(&[0; 8]);
    bytes.resize(HEAD + size as usize, (putter ^ place) as u8);
    let sum = sum(bytes);
    bytes[16..HEAD].copy_from_slice(&sum.to_le_bytes());
}

/// Who put the note and which of his it is; `None` if it is not whole.
pub(crate) fn read(bytes: &[u8]) -> Option<(u64, u64)> {
    let word = |at: usize| Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
    let (putter, place, found) = (word(0)?, word(8)?, word(16)?);
    (found == sum(bytes)).then_some((putter, place))
}

fn sum(bytes: &[u8]) -> u64 {
    let rest = bytes[HEAD..].chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    let head =
        [&bytes[..8], &bytes[8..16]].map(|word| u64::from_le_bytes(word.try_into().unwrap()));
    head.into_iter().chain(rest).fold(bytes.len() as u64, |sum, word| {
        (sum.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
    })
}

/// Puts a note, with `gifts` travelling in it.
pub(crate) fn put(queue: &ByteQueue, bytes: &[u8], gifts: &Objects) -> Result<(), Error> {
    let deadline = Deadline::after(Duration::from_secs(60));
    if gifts.is_empty() && !is_large(bytes.len()) {
        return queue.put_one(FORMAT, bytes, deadline);
    }
    let parcel = Parcel::with(queue.held().family(), FORMAT, bytes, gifts)?;
    queue.put(&[Item::Parcel(&parcel)], deadline).map_err(|(_, error)| error)?;
    parcel.keep();
    Ok(())
}
