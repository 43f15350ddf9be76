//! Python's equality, and a hash that goes with it.

use super::large::negated;
use super::{Object, Value};
use crate::pickle::emit::shortest;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::LazyLock;

/// A number in the one form that it has in all of its types.
#[derive(PartialEq, Eq, Hash)]
enum Number<'a> {
    Int(i128),
    /// Two's complement of the least length.
    Large(Cow<'a, [u8]>),
    /// The bits of a float that is no int.
    Fraction(u64),
}

impl<'a> Number<'a> {
    fn of(value: &'a Value) -> Option<Self> {
        Some(match value {
            Value::Bool(value) => Self::Int(i128::from(*value)),
            Value::Int(value) => Self::Int(*value),
            Value::Large(value) => Self::Large(Cow::Borrowed(value.as_bytes())),
            Value::Float(value) => Self::of_float(*value),
            _ => return None,
        })
    }

    fn of_float(value: f64) -> Self {
        const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
        if value.is_nan() {
            return Self::Fraction(f64::NAN.to_bits());
        }
        if value.is_infinite() || value.fract() != 0.0 {
            return Self::Fraction(value.to_bits());
        }
        if (-BEYOND..BEYOND).contains(&value) {
            return Self::Int(value as i128);
        }
        // An int as large as this is its 53 digits, shifted.
        let bits = value.abs().to_bits();
        let shift = (bits >> 52) as usize - 1075;
        let digits = (bits & ((1 << 52) - 1)) | (1 << 52);
        let mut bytes = vec![0; shift / 8];
        bytes.extend((digits << (shift % 8)).to_le_bytes());
        bytes.push(0);
        if value < 0.0 {
            bytes = negated(&bytes);
        }
        Self::Large(Cow::Owned(shortest(&bytes).to_vec()))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::None, Self::None) => true,
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Str(one), Self::Str(other)) => one == other,
            (
                Self::Bytes(one) | Self::ByteArray(one),
                Self::Bytes(other) | Self::ByteArray(other),
            ) => one == other,
            (Self::List(one), Self::List(other)) | (Self::Tuple(one), Self::Tuple(other)) => {
                one == other
            }
            (Self::Set(one) | Self::FrozenSet(one), Self::Set(other) | Self::FrozenSet(other)) => {
                let members: HashSet<_> = other.iter().collect();
                one.len() == other.len() && one.iter().all(|value| members.contains(value))
            }
            (Self::Dict(one), Self::Dict(other)) => same_pairs(one, other),
            (Self::Slice(one), Self::Slice(other)) => one == other,
            (Self::Class(one), Self::Class(other)) => one == other,
            (Self::Object(one), Self::Object(other)) => one == other,
            (Self::Payload(one), Self::Payload(other)) => one == other,
            _ => match (Number::of(self), Number::of(other)) {
                (Some(one), Some(other)) => one == other,
                _ => false,
            },
        }
    }
}

impl Eq for Value {}

fn same_pairs(one: &[(Value, Value)], other: &[(Value, Value)]) -> bool {
    let values: HashMap<_, _> = other.iter().map(|(key, value)| (key, value)).collect();
    one.len() == other.len() && one.iter().all(|(key, value)| values.get(key) == Some(&value))
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.class == other.class
            && self.is_bare == other.is_bare
            && self.args == other.args
            && self.state == other.state
            && self.items == other.items
            && same_pairs(&self.pairs, &other.pairs)
    }
}

impl Eq for Object {}

/// What is unordered is hashed by the sum of its parts' hashes, with keys of this process that nobody can guess.
static UNORDERED: LazyLock<RandomState> = LazyLock::new(RandomState::new);

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        if let Some(number) = Number::of(self) {
            return number.hash(state);
        }
        match self {
            Self::Str(text) => text.hash(state),
            Self::Bytes(bytes) | Self::ByteArray(bytes) => bytes.hash(state),
            Self::Tuple(values) | Self::List(values) => values.hash(state),
            Self::Set(values) | Self::FrozenSet(values) => {
                let hashes = values.iter().map(|value| UNORDERED.hash_one(value));
                hashes.fold(0, u64::wrapping_add).hash(state);
            }
            Self::Class(class) => class.hash(state),
            Self::Object(object) => {
                object.class.hash(state);
                object.args.hash(state);
            }
            Self::Payload(payload) => payload.as_pickle().hash(state),
            // What Python does not hash is not looked up.
            _ => {}
        }
    }
}
