//! What a process says that does one task again and again.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};

/// A pickle in a message: Python's `bytes`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pickle(pub Vec<u8>);

/// What came of one call: whether it returned; the pickle of what it returned, or of the exception that it raised; and then what
/// people are to read of that.
pub type Answer = (bool, Pickle, String);

impl Serialize for Pickle {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Pickle {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Takes;
        impl Visitor<'_> for Takes {
            type Value = Pickle;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Pickle, E> {
                Ok(Pickle(bytes.to_vec()))
            }

            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Pickle, E> {
                Ok(Pickle(bytes))
            }
        }
        from.deserialize_byte_buf(Takes)
    }
}
