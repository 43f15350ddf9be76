//! Format 0: postcard, without names, kinds or padding.

use super::guard::{self, Refused};
use super::notes::Notes;
use crate::Error;
use postcard::ser_flavors::{Flavor, Slice};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Appends the value to `bytes`; what is wrong with it is in the notes.
#[inline]
pub(super) fn write<T: Serialize + ?Sized>(
    value: &T,
    notes: &Notes,
    bytes: &mut Vec<u8>,
) -> Result<(), Refused> {
    let mut serializer = postcard::Serializer { output: Append(bytes) };
    guard::serialize(value, &mut serializer, notes)
}

/// Bytes that come one by one, together: in this format a sequence of them is written as bytes are.
pub(super) fn gather<I>(items: I, len: usize) -> postcard::Result<Vec<u8>>
where
    I: Iterator,
    I::Item: Serialize,
{
    let mut bytes = vec![0; len];
    let mut serializer = postcard::Serializer { output: Slice::new(&mut bytes) };
    for item in items {
        item.serialize(&mut serializer)?;
    }
    let written = serializer.output.finalize()?.len();
    bytes.truncate(written);
    Ok(bytes)
}

/// The value in `bytes`, all of them.
#[inline]
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let mut deserializer = postcard::Deserializer::from_bytes(bytes);
    let value = T::deserialize(&mut deserializer).map_err(unreadable::<T>)?;
    match deserializer.finalize().map_err(unreadable::<T>)? {
        [] => Ok(value),
        rest => Err(left_over::<T>(rest.len())),
    }
}

#[cold]
fn unreadable<T>(error: postcard::Error) -> Error {
    Error::decode::<T>(error.to_string())
}

#[cold]
fn left_over<T>(count: usize) -> Error {
    Error::decode::<T>(format!("{count} bytes are left over"))
}

/// Bytes go to the end of a vector that stays where it is.
struct Append<'b>(&'b mut Vec<u8>);

impl Flavor for Append<'_> {
    type Output = ();

    #[inline(always)]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.extend([byte]);
        Ok(())
    }

    #[inline(always)]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend(bytes.iter().copied());
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
