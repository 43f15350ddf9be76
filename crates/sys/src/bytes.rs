//! Bytes that somebody else may write while they are used.
//!
//! A Rust slice says that its bytes stay as they are. Memory that another language has exported, or another
//! thread of it writes, is reached as atomics, which say nothing of the kind; it is copied, or handed to the
//! kernel, by its address. What is copied while it is written is a mixture of old and new.

use std::ops::Range;
use std::sync::atomic::AtomicU8;

/// Bytes to be copied or sent.
#[derive(Clone, Copy, Debug)]
pub enum Bytes<'a> {
    /// They stay as they are.
    Still(&'a [u8]),
    /// Others may write them meanwhile.
    Moving(&'a [AtomicU8]),
}

impl<'a> From<&'a [u8]> for Bytes<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Still(bytes)
    }
}

impl<'a> Bytes<'a> {
    /// How many.
    #[inline]
    pub fn len(self) -> usize {
        match self {
            Self::Still(bytes) => bytes.len(),
            Self::Moving(bytes) => bytes.len(),
        }
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The address of the first, valid for reading all.
    #[inline]
    pub fn as_ptr(self) -> *const u8 {
        match self {
            Self::Still(bytes) => bytes.as_ptr(),
            Self::Moving(bytes) => bytes.as_ptr().cast(),
        }
    }

    /// Those of a range; `None` if it does not lie inside.
    #[inline]
    pub fn get(self, range: Range<usize>) -> Option<Self> {
        Some(match self {
            Self::Still(bytes) => Self::Still(bytes.get(range)?),
            Self::Moving(bytes) => Self::Moving(bytes.get(range)?),
        })
    }

    /// Those behind the first `count`; none if there are no more.
    #[inline]
    pub fn without(self, count: usize) -> Self {
        self.get(count..self.len()).unwrap_or(Self::Still(&[]))
    }

    /// Appends a copy to `vec`.
    pub fn append_to(self, vec: &mut Vec<u8>) {
        let (start, len) = (vec.len(), self.len());
        vec.reserve(len);
        let room = vec.spare_capacity_mut().as_mut_ptr().cast::<u8>();
        // SAFETY: "valid for reads": `as_ptr` is the address of `len` bytes of a slice. "Valid for writes":
        // `reserve` made room for as many. They do not overlap: the room is the vector's own. That others
        // write the source meanwhile is what `Moving` says; the copy is a mixture then.
        unsafe { std::ptr::copy_nonoverlapping(self.as_ptr(), room, len) };
        // SAFETY: `len` bytes from `start` on were written just now.
        unsafe { vec.set_len(start + len) };
    }
}

/// Bytes of one's own, where those of others would do.
#[inline]
pub fn moving(bytes: &mut [u8]) -> &[AtomicU8] {
    let (start, len) = (bytes.as_mut_ptr().cast::<AtomicU8>(), bytes.len());
    // SAFETY: `AtomicU8` "has the same size, alignment, and bit validity as the underlying integer type, u8";
    // the borrow is exclusive, so nobody reaches the bytes but through what is returned.
    unsafe { std::slice::from_raw_parts(start, len) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn parts_of_both_kinds_are_the_same_bytes() {
        let mut own = *b"some bytes";
        let still = own;
        for bytes in [Bytes::Still(&still), Bytes::Moving(moving(&mut own))] {
            let mut copy = b"-".to_vec();
            bytes.get(5..8).unwrap().append_to(&mut copy);
            assert_eq!(copy, b"-byt");
            assert_eq!((bytes.len(), bytes.is_empty()), (10, false));
            assert_eq!((bytes.without(4).len(), bytes.without(11).len()), (6, 0));
            assert!(bytes.get(5..11).is_none());
        }
    }

    #[test]
    fn what_others_write_is_seen_by_the_owner() {
        let mut own = [1, 2, 3];
        moving(&mut own)[1].store(7, Relaxed);
        assert_eq!(own, [1, 7, 3]);
    }
}
