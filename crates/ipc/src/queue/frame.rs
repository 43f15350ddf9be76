//! One item in a chunk: a word, and the bytes.
//!
//! | bits of the word | meaning |
//! |---|---|
//! | 0..32 | length of the bytes that follow |
//! | 32..40 | format of the message (see [`codec`](crate::codec)), or one of the marks below |
//! | 40..64 | the item's number, as far as it fits |
//!
//! Frames are aligned to 8 bytes and never cross a chunk's end.

/// Mark: the rest of the chunk is empty.
const PAD: u8 = 0xff;
/// Mark: the bytes are the handle and the length of a parcel.
const PARCEL: u8 = 0xfe;
const NUMBER: u64 = (1 << 24) - 1;

/// What a frame's first word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame {
    /// A message of so many bytes in a format.
    Message { len: usize, format: u8 },
    /// A parcel.
    Parcel,
    /// The next item is in the next chunk.
    Pad,
}

/// Bytes that a parcel's frame has after its word.
pub(super) const PARCEL_LEN: usize = 16;

impl Frame {
    /// Bytes of the frame in the chunk.
    #[inline]
    pub(super) fn size(self) -> u64 {
        match self {
            Self::Message { len, .. } => 8 + (len as u64).next_multiple_of(8),
            Self::Parcel => 8 + PARCEL_LEN as u64,
            Self::Pad => 8,
        }
    }

    /// The word of item `number`.
    #[inline]
    pub(super) fn to_word(self, number: u64) -> u64 {
        let (len, mark) = match self {
            Self::Message { len, format } => (len as u64, format),
            Self::Parcel => (PARCEL_LEN as u64, PARCEL),
            Self::Pad => (0, PAD),
        };
        (number & NUMBER) << 40 | u64::from(mark) << 32 | len
    }

    /// What the word says, if it is the word of item `number`.
    #[inline]
    pub(super) fn from_word(word: u64, number: u64) -> Option<Self> {
        if word >> 40 != number & NUMBER {
            return None;
        }
        let len = (word & 0xffff_ffff) as usize;
        match (word >> 32) as u8 {
            PAD => Some(Self::Pad),
            PARCEL if len == PARCEL_LEN => Some(Self::Parcel),
            PARCEL => None,
            format => Some(Self::Message { len, format }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Frame;

    #[test]
    fn a_frame_of_another_item_is_refused() {
        for frame in [Frame::Message { len: 70_000, format: 1 }, Frame::Parcel, Frame::Pad] {
            let word = frame.to_word(1 << 24 | 5);
            assert_eq!(Frame::from_word(word, 5), Some(frame));
            assert_eq!(Frame::from_word(word, 6), None);
        }
    }
}
