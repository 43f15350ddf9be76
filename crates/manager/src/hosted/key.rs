//! Keys of dicts and members of sets: plain values that Python can hash, found by Python's equality.

use super::call::{Fault, Turn, plain};
use super::raise;
use super::store::Kept;
use procession_wire::message::Argument;
use procession_wire::value::Value;
use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

const HASHES: &str = "hashing an object";

/// One key, as it was first given.
#[derive(Clone, Debug)]
pub(crate) struct Key(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    value: Value,
    kept: Rc<Kept>,
}

/// The value of an argument that is to be looked up.
pub(crate) fn wanted(argument: &Argument<'_>) -> Result<Value, Fault> {
    let value = plain(argument, HASHES)?;
    match value.unhashable() {
        None => Ok(value),
        Some(name) => Err(raise::type_error(format!("unhashable type: '{name}'")).into()),
    }
}

impl Key {
    /// Keeps an argument as a key.
    pub(crate) fn keep(argument: &Argument<'_>, turn: &Turn<'_>) -> Result<Self, Fault> {
        let value = wanted(argument)?;
        Ok(Self(Rc::new(Inner { value, kept: turn.store.keep(argument)? })))
    }

    /// Keeps what was kept for something else as a key.
    pub(crate) fn of(kept: Rc<Kept>) -> Result<Self, Fault> {
        let value = kept.value().ok_or(Fault::Beyond(HASHES))?;
        match value.unhashable() {
            None => Ok(Self(Rc::new(Inner { value, kept }))),
            Some(name) => Err(raise::type_error(format!("unhashable type: '{name}'")).into()),
        }
    }

    pub(crate) fn value(&self) -> &Value {
        &self.0.value
    }

    pub(crate) fn kept(&self) -> Rc<Kept> {
        Rc::clone(&self.0.kept)
    }
}

impl Borrow<Value> for Key {
    fn borrow(&self) -> &Value {
        &self.0.value
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.value == other.0.value
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.value.hash(state);
    }
}
