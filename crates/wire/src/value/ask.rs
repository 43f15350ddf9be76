//! What Python would say of a value.

use super::Value;

impl Value {
    /// Whether it is true. An object is, unless something was put into it or it could not be asked.
    #[must_use]
    pub fn is_true(&self) -> bool {
        match self {
            Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(value) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::Str(value) => !value.is_empty(),
            Self::Bytes(value) | Self::ByteArray(value) => !value.is_empty(),
            Self::List(values)
            | Self::Tuple(values)
            | Self::Set(values)
            | Self::FrozenSet(values) => !values.is_empty(),
            Self::Dict(pairs) => !pairs.is_empty(),
            Self::Large(_)
            | Self::Slice(_)
            | Self::Class(_)
            | Self::Object(_)
            | Self::Payload(_) => true,
        }
    }

    /// An int or bool, if 128 bits hold it.
    #[must_use]
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Bool(value) => Some(i128::from(*value)),
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// Whether there are neither classes, objects of them, nor payloads in it.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Class(_) | Self::Object(_) | Self::Payload(_) => false,
            Self::List(values)
            | Self::Tuple(values)
            | Self::Set(values)
            | Self::FrozenSet(values) => values.iter().all(Self::is_plain),
            Self::Slice(parts) => parts.iter().all(Self::is_plain),
            Self::Dict(pairs) => {
                pairs.iter().all(|(key, value)| key.is_plain() && value.is_plain())
            }
            _ => true,
        }
    }

    /// A number as a float, the nearest if it is a large int.
    #[must_use]
    pub fn as_float(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Bool(value) => Some(f64::from(u8::from(*value))),
            Self::Int(value) => Some(*value as f64),
            Self::Large(value) => Some(value.to_f64()),
            _ => None,
        }
    }

    /// The text of a str.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The name of its type, as error messages have it.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Large(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::ByteArray(_) => "bytearray",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Set(_) => "set",
            Self::FrozenSet(_) => "frozenset",
            Self::Dict(_) => "dict",
            Self::Slice(_) => "slice",
            Self::Class(_) => "type",
            Self::Object(object) => &object.class.name,
            Self::Payload(_) => "object",
        }
    }

    /// The name of the type in it that keeps Python from hashing it; `None` if it can be a key.
    #[must_use]
    pub fn unhashable(&self) -> Option<&str> {
        match self {
            Self::List(_) | Self::Dict(_) | Self::Set(_) | Self::ByteArray(_) | Self::Slice(_) => {
                Some(self.type_name())
            }
            Self::Tuple(values) | Self::FrozenSet(values) => {
                values.iter().find_map(Self::unhashable)
            }
            _ => None,
        }
    }
}
