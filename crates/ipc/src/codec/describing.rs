//! Format 1: MessagePack, where structs are maps from names and variants go by name.

use super::guard::{self, Refused};
use super::notes::Notes;
use crate::Error;
use rmp_serde::decode::Error as DecodeError;
use rmp_serde::{Deserializer, Serializer};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::io::ErrorKind::UnexpectedEof;

/// Appends the value to `bytes`; what is wrong with it is in the notes.
pub(super) fn write<T: Serialize + ?Sized>(
    value: &T,
    notes: &Notes,
    bytes: &mut Vec<u8>,
) -> Result<(), Refused> {
    let start = bytes.len();
    let mut serializer = Serializer::new(&mut *bytes).with_struct_map();
    guard::serialize(value, &mut serializer, notes)?;
    let len = bytes.len() - start;
    // Lengths have 32 bits, and `rmp` cuts longer ones.
    if u32::try_from(len).is_err() {
        notes.complain("it is longer than 4 GiB".into());
        return Err(Refused::noted());
    }
    match notes.lost() {
        None => Ok(()),
        Some(name) => {
            notes.complain(format!("a {name} in it holds a value that would arrive as None"));
            Err(Refused::noted())
        }
    }
}

/// The value in `bytes`, all of them.
#[inline(never)]
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut deserializer = Deserializer::from_read_ref(bytes);
    let value =
        T::deserialize(&mut deserializer).map_err(|error| Error::decode::<T>(error.to_string()))?;
    // The deserializer does not tell where it stands, but that nothing more comes.
    match IgnoredAny::deserialize(&mut deserializer) {
        Err(DecodeError::InvalidMarkerRead(error)) if error.kind() == UnexpectedEof => Ok(value),
        _ => Err(Error::decode::<T>("bytes are left over".into())),
    }
}
