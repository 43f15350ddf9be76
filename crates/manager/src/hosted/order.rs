//! Which of two plain values comes first, in Python's rules.

use super::raise;
use procession_wire::message::Exception;
use procession_wire::value::Value;
use std::cmp::Ordering;

/// Compares as Python's `<` does.
pub(crate) fn compare(one: &Value, other: &Value) -> Result<Ordering, Exception> {
    if let (Some(one), Some(other)) = (one.as_int(), other.as_int()) {
        return Ok(one.cmp(&other));
    }
    if let (Some(one), Some(other)) = (one.as_float(), other.as_float()) {
        return Ok(one.partial_cmp(&other).unwrap_or(Ordering::Equal));
    }
    match (one, other) {
        (Value::Str(one), Value::Str(other)) => Ok(one.cmp(other)),
        (
            Value::Bytes(one) | Value::ByteArray(one),
            Value::Bytes(other) | Value::ByteArray(other),
        ) => Ok(one.cmp(other)),
        (Value::List(one), Value::List(other)) | (Value::Tuple(one), Value::Tuple(other)) => {
            for (one, other) in one.iter().zip(other) {
                if one != other {
                    return compare(one, other);
                }
            }
            Ok(one.len().cmp(&other.len()))
        }
        _ => {
            let (one, other) = (one.type_name(), other.type_name());
            Err(raise::type_error(format!(
                "'<' not supported between instances of '{one}' and '{other}'"
            )))
        }
    }
}
