//! How values become bytes: every value arrives as it was sent, or the sender is told why not.
//!
//! serde lets a type's two halves disagree in ways that a compact format cannot see: a field that is
//! skipped when written and expected when read, a variant that counts on one side only, an untagged
//! enum that must ask what comes next. [postcard](https://postcard.jamesmunns.com) then fails at the
//! reader or, worse, reads something else. MessagePack carries names and kinds and has no such
//! trouble, but cannot tell `Some(None)` from `None`, and takes two to four times as long.
//!
//! | room | holds |
//! |---|---|
//! | `compact` | format 0, postcard: the first choice |
//! | `describing` | format 1, MessagePack with names: for types that the compact format cannot carry |
//! | `pickle` | format 3: where Python takes part |
//! | `guard` | a serializer that forwards, and sees which types write themselves how |
//! | `notes` | what it has seen in one value |
//! | `known` | the shapes that were read back once in this process, a table that all threads share |
//! | `rehearsal` | reading back, at the sender, a value of a shape that is not known |
//! | `travel` | the shared objects in a message, while it is encoded or decoded |
//!
//! A *shape* is a type with the number of its fields, or with one of its variants. The first value
//! of a shape costs a few times its encoding, and its copy is dropped; every later one costs a look
//! into the table. Numbers, strings and the containers of the standard library need none.
//!
//! What no format can carry stays with the type's author: variants of an untagged enum that are
//! written alike. Both ends must mean the same type; bytes of another one are an error only where
//! they differ in form. A `Vec<u8>` is read byte by byte, as serde does it, at about a nanosecond each:
//! large data goes in a `Buffer`, by `put_bytes`, or as `serde_bytes`.

mod compact;
mod describing;
mod guard;
mod known;
mod notes;
mod pickle;
mod rehearsal;
#[cfg(test)]
mod tests;
pub(crate) mod travel;

use crate::Error;
use notes::Notes;
use procession_shm::Family;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The format of postcard 1.
const COMPACT: u8 = 0;
/// MessagePack, structs with the names of their fields.
const DESCRIBING: u8 = 1;
/// No value, only bytes.
pub(crate) const BYTES: u8 = 2;
/// The format of a pickle of plain data.
pub const PICKLE: u8 = 3;
/// A pickle, and buffers that objects of Python's have apart.
const BUFFERS: u8 = 4;

/// Appends the encoded value to `bytes`; the format it is in. Reads the first value of each shape
/// back.
///
/// # Errors
/// [`Error::Encode`] if the value would not arrive; `bytes` is as before.
#[inline]
pub(crate) fn encode<T: Serialize + DeserializeOwned>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<u8, Error> {
    encode_as::<T, T>(value, bytes)
}

/// As [`encode`], for a value that is read as one of another type, such as one of references.
///
/// # Errors
/// As [`encode`].
#[inline]
pub(crate) fn encode_as<R, T>(value: &T, bytes: &mut Vec<u8>) -> Result<u8, Error>
where
    R: Serialize + DeserializeOwned,
    T: Serialize + ?Sized,
{
    let start = bytes.len();
    let describing = known::describing::<T>();
    if describing.is_some_and(known::knows) {
        return rehearsal::describe_checked::<R, T>(value, bytes, start);
    }
    let notes = Notes::new(COMPACT);
    let written = compact::write(value, &notes, bytes);
    if written.is_ok() && notes.is_clear() {
        return Ok(COMPACT);
    }
    let format = rehearsal::settle::<R, T>(value, written.is_ok(), &notes, bytes, start)?;
    if format == DESCRIBING {
        describing.into_iter().for_each(known::learn);
    }
    Ok(format)
}

/// Appends the value to `bytes` as Python reads it; the format.
///
/// # Errors
/// [`Error::Encode`] if Python could not have it; `bytes` is as before.
pub(crate) fn encode_for_python<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<u8, Error> {
    pickle::write(value, bytes)?;
    Ok(PICKLE)
}

/// Appends the arguments of a process to `bytes` as Python reads them, with the objects in them.
///
/// # Errors
/// As [`encode_for_python`].
pub(crate) fn encode_arguments_for_python<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    pickle::write_arguments(value, bytes)
}

/// The arguments of a process that Python wrote, with objects of `family`.
///
/// # Errors
/// As [`decode`].
pub(crate) fn decode_arguments_from_python<T: DeserializeOwned>(
    family: &'static Family,
    bytes: &[u8],
) -> Result<T, Error> {
    pickle::read_arguments(family, bytes)
}

/// The value in `bytes`.
///
/// # Errors
/// [`Error::Decode`] if they are no such value, or more than one.
#[inline]
pub(crate) fn decode<T: DeserializeOwned>(format: u8, bytes: &[u8]) -> Result<T, Error> {
    match format {
        COMPACT => compact::read(bytes),
        DESCRIBING => describing::read(bytes),
        PICKLE => pickle::read(bytes),
        BYTES => Err(Error::decode::<T>("the message is bytes; take it with get_bytes".into())),
        BUFFERS => Err(Error::decode::<T>(pickle::BUFFERS.into())),
        other => Err(Error::decode::<T>(format!("format {other} is not known to this build"))),
    }
}
