//! The parts of an argument that is a container, each kept by itself.

use super::call::{Fault, Turn};
use super::raise;
use super::store::Kept;
use procession_wire::message::Argument;
use procession_wire::value::Value;
use std::rc::Rc;

/// What Python's iteration over the argument gives.
pub(crate) fn elements(argument: &Argument<'_>, turn: &Turn<'_>) -> Result<Vec<Rc<Kept>>, Fault> {
    if let Some(pairs) = argument.pairs() {
        return pairs.iter().map(|(key, _)| Ok(turn.store.keep(key)?)).collect();
    }
    if let Some(children) = argument.elements() {
        return children.iter().map(|child| Ok(turn.store.keep(child)?)).collect();
    }
    let keep = |value: Value| Ok(turn.store.keep_value(&value)?);
    match argument.value() {
        Ok(Value::Str(text)) => text.chars().map(|one| keep(Value::Str(one.to_string()))).collect(),
        Ok(Value::Bytes(bytes) | Value::ByteArray(bytes)) => {
            bytes.into_iter().map(|byte| keep(Value::from(usize::from(byte)))).collect()
        }
        Ok(value) => {
            let name = value.type_name();
            Err(raise::type_error(format!("'{name}' object is not iterable")).into())
        }
        Err(_) => Err(Fault::Beyond("iterating over an object")),
    }
}

/// Key and value of everything in a dict, or in an iterable of pairs.
pub(crate) fn pairs<'a>(
    argument: &Argument<'a>,
) -> Result<Vec<(Argument<'a>, Argument<'a>)>, Fault> {
    if let Some(pairs) = argument.pairs() {
        return Ok(pairs);
    }
    let Some(children) = argument.elements() else {
        return match argument.value() {
            Ok(value) => {
                let name = value.type_name();
                Err(raise::type_error(format!("'{name}' object is not iterable")).into())
            }
            Err(_) => Err(Fault::Beyond("iterating over an object")),
        };
    };
    let pair = |(place, child): (usize, Argument<'a>)| {
        let mut parts = match (child.elements(), child.value()) {
            (Some(parts), _) => parts.into_iter(),
            (None, Ok(Value::Str(_) | Value::Bytes(_) | Value::ByteArray(_)) | Err(_)) => {
                return Err(Fault::Beyond("a pair"));
            }
            (None, Ok(_)) => {
                return Err(raise::type_error(format!(
                    "cannot convert dictionary update sequence element #{place} to a sequence"
                ))
                .into());
            }
        };
        match (parts.next(), parts.next(), parts.len()) {
            (Some(key), Some(value), 0) => Ok((key, value)),
            (key, value, more) => {
                let length = usize::from(key.is_some()) + usize::from(value.is_some()) + more;
                Err(raise::value_error(format!(
                    "dictionary update sequence element #{place} has length {length}; 2 is required"
                ))
                .into())
            }
        }
    };
    children.into_iter().enumerate().map(pair).collect()
}
