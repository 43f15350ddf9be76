//! Format 3: pickle, which Python writes and reads by itself; what maps to what is said in
//! [`procession_wire::pickle`].
//!
//! Nothing is read back at the sender: the reader is Python, or a type that asks what comes. Shared
//! objects do not travel in messages, for Python does not look for them in its own pickles. In the
//! arguments of a process they do, as persistent ids.

use super::travel;
use crate::Error;
use procession_shm::Family;
use procession_wire::pickle;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What is said of format 4.
pub(super) const BUFFERS: &str = "it holds an object of Python's with buffers of its own, such as an array of numpy, \
                                  which cannot be mapped to Rust data; send its bytes";

/// Appends the value to `bytes`.
#[inline(never)]
pub(super) fn write<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), Error> {
    travel::without_objects(|| pickle::append(value, bytes))
        .map_err(|error| Error::encode::<T>(error.to_string()))
}

/// Appends the arguments of a process to `bytes`.
pub(super) fn write_arguments<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    travel::outward_to_python(|| pickle::append(value, bytes))
        .map_err(|error| Error::encode::<T>(error.to_string()))
}

/// The arguments of a process in `bytes`, all of them, with objects of `family`.
pub(super) fn read_arguments<T: DeserializeOwned>(
    family: &'static Family,
    bytes: &[u8],
) -> Result<T, Error> {
    travel::inward_from_python(family, || pickle::from_slice(bytes))
        .map_err(|error| Error::decode::<T>(error.to_string()))
}

/// The value in `bytes`, all of them.
#[inline(never)]
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    travel::without_objects(|| pickle::from_slice(bytes))
        .map_err(|error| Error::decode::<T>(error.to_string()))
}
