//! A result as it came, to be decoded by whoever asked for it.
//!
//! Most results are small, and many come at a time: those lie in the job's own memory, and taking
//! one in allocates nothing.

use super::error::PoolError;
use super::wire::RESULT_HEAD;
use procession_ipc::message::{self, Parcel};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, SeqAccess, Visitor};
use std::fmt;
use std::marker::PhantomData;

/// Bytes of a value that need no memory of their own.
const FEW: usize = 29;
/// How many results of a chunk are believed without seeing them.
const BELIEVED: usize = 1024;

/// An encoded value.
#[derive(Debug)]
pub struct Reply(Room);

/// Where it lies.
#[derive(Debug)]
enum Room {
    Few { format: u8, len: u8, bytes: [u8; FEW] },
    Many { format: u8, bytes: Box<[u8]> },
    Parcel(Box<Parcel>),
}

const _: () = assert!(size_of::<Option<Outcome>>() == 32);

/// How a part ended.
pub type Outcome = Result<Reply, Box<PoolError>>;

impl Reply {
    /// Copies a value, without the head of its message.
    #[inline]
    pub fn of(format: u8, value: &[u8]) -> Self {
        if value.len() > FEW {
            return Self(Room::Many { format, bytes: value.into() });
        }
        let mut bytes = [0; FEW];
        bytes[..value.len()].copy_from_slice(value);
        Self(Room::Few { format, len: value.len() as u8, bytes })
    }

    /// The value that came in a parcel, behind the head of its message.
    pub(super) fn lent(parcel: Parcel) -> Self {
        Self(Room::Parcel(Box::new(parcel)))
    }

    /// The format, and the encoded value.
    pub fn value(&self) -> (u8, &[u8]) {
        match &self.0 {
            Room::Few { format, len, bytes } => (*format, &bytes[..usize::from(*len)]),
            Room::Many { format, bytes } => (*format, &**bytes),
            Room::Parcel(parcel) => (parcel.format(), &parcel.bytes()[RESULT_HEAD..]),
        }
    }

    /// The parcel in which it came, with the value from [`RESULT_HEAD`] on; what came in none is given back.
    ///
    /// # Errors
    /// The reply itself.
    pub fn into_parcel(self) -> Result<Parcel, Self> {
        match self.0 {
            Room::Parcel(parcel) => Ok(*parcel),
            room => Err(Self(room)),
        }
    }

    pub(super) fn decode<R: DeserializeOwned>(&self) -> Result<R, PoolError> {
        let value = match (&self.0, self.value()) {
            (Room::Parcel(parcel), _) => parcel.decode_from(RESULT_HEAD),
            (_, (format, value)) => message::decode(format, value),
        };
        value.map_err(|error| PoolError::Transfer(format!("the result cannot be read: {error}")))
    }
}

/// The results of a part, as a vector arrives: often one, which then needs no vector.
#[derive(Debug)]
pub(super) enum Results<R> {
    One(R),
    Many(Vec<R>),
}

impl<'de, R: Deserialize<'de>> Deserialize<'de> for Results<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(InOrder(PhantomData))
    }
}

struct InOrder<R>(PhantomData<R>);

impl<'de, R: Deserialize<'de>> Visitor<'de> for InOrder<R> {
    type Value = Results<R>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the results of a chunk")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut sequence: S) -> Result<Self::Value, S::Error> {
        let Some(first) = sequence.next_element()? else { return Ok(Results::Many(Vec::new())) };
        let Some(second) = sequence.next_element()? else { return Ok(Results::One(first)) };
        let mut all = Vec::with_capacity(2 + sequence.size_hint().unwrap_or(0).min(BELIEVED));
        all.extend([first, second]);
        while let Some(next) = sequence.next_element()? {
            all.push(next);
        }
        Ok(Results::Many(all))
    }
}
