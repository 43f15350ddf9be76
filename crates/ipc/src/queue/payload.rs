//! The bytes of a message, where they are.

use crate::message::Parcel;
use std::ops::Deref;

/// The bytes of one message.
///
/// A large message stays in shared memory, where it was written once, and this lends it; its memory
/// is used again when this is dropped. A small one was copied.
///
/// # If a process dies
/// The memory of a payload that its reader held goes back with the reader.
#[derive(Debug)]
pub struct Payload(Bytes);

#[derive(Debug)]
enum Bytes {
    Own(Vec<u8>),
    Lent(Parcel),
}

impl Payload {
    pub(crate) fn own(bytes: Vec<u8>) -> Self {
        Self(Bytes::Own(bytes))
    }

    pub(crate) fn lent(parcel: Parcel) -> Self {
        Self(Bytes::Lent(parcel))
    }

    /// Whether the bytes lie in shared memory, not copied.
    pub fn is_lent(&self) -> bool {
        matches!(self.0, Bytes::Lent(_))
    }

    /// The bytes as a vector of this process: without copying if they were copied before.
    pub fn into_vec(self) -> Vec<u8> {
        match self.0 {
            Bytes::Own(bytes) => bytes,
            Bytes::Lent(parcel) => parcel.bytes().to_vec(),
        }
    }
}

impl Deref for Payload {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Bytes::Own(bytes) => bytes,
            Bytes::Lent(parcel) => parcel.bytes(),
        }
    }
}

impl AsRef<[u8]> for Payload {
    fn as_ref(&self) -> &[u8] {
        self
    }
}
