//! How a lock travels in a message: as its handle.

/// Implements serde's traits for a type with a field `held` and a function `of(Held)`.
macro_rules! travels {
    ($name:ident, $kind:expr, $tag:expr) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::message::serialize_handle(&self.held, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::message::deserialize_handle(deserializer, $kind, $tag).map(Self::of)
            }
        }
    };
}

pub(super) use travels;
