//! One object in a message.

use super::cut;
use super::decode::Decode;
use super::node::{Id, Message, is_dict, is_list, is_tuple};
use super::{Error, Payload};
use crate::pickle::{self, op};
use crate::value::Value;
use serde::de::DeserializeOwned;
use std::fmt;

/// One object in a message: an argument, the value of a reply, or a part of one. It is a place in the bytes; what it means is
/// found out when it is asked.
#[derive(Clone, Copy)]
pub struct Argument<'a> {
    pub(super) message: Message<'a>,
    pub(super) id: Id,
}

impl<'a> Argument<'a> {
    fn part(&self, id: Id) -> Self {
        Self { id, ..*self }
    }

    /// The object, whatever it is, by itself: to be kept, and to go into another message.
    ///
    /// # Errors
    /// [`Error::Limit`] if it refers to other parts of its message in a way that no pickler writes.
    pub fn payload(&self) -> Result<Payload, Error> {
        cut::payload(self.message, self.id)
    }

    /// What it is, if it is plain data.
    ///
    /// # Errors
    /// [`Error::Opaque`] names the class of what is not plain; [`Error::Limit`] if it is nested deeper than
    /// [`DEPTH`](pickle::DEPTH), contains itself, or refers to its parts so often that the value would be out of proportion.
    pub fn value(&self) -> Result<Value, Error> {
        Decode::plain(self.message).value(self.id)
    }

    /// What it is, with classes, functions and objects of classes as data.
    ///
    /// # Errors
    /// As [`value`](Self::value), but only what CPython's picklers do not write is opaque.
    pub fn describe(&self) -> Result<Value, Error> {
        Decode::objects(self.message).value(self.id)
    }

    /// The Rust value that it [maps to](pickle).
    ///
    /// # Errors
    /// [`Error::Data`] names the place of what cannot be mapped.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match cut::opcodes(self.message, self.id) {
            Some(opcodes) => Ok(pickle::from_opcodes(opcodes)?),
            None => self.payload()?.read(),
        }
    }

    /// The text, if it is a str without lone surrogates.
    #[must_use]
    pub fn as_str(&self) -> Option<&'a str> {
        self.message.name(self.id)
    }

    /// What is in a list, tuple, set or frozenset.
    #[must_use]
    pub fn elements(&self) -> Option<Vec<Self>> {
        let id = self.message.resolve(self.id);
        let node = self.message.node(id);
        let is_set = matches!(node.code, op::EMPTY_SET | op::FROZENSET);
        if node.is_changed || !(is_list(node.code) || is_tuple(node.code) || is_set) {
            return None;
        }
        Some(self.message.parts(id).map(|id| self.part(id)).collect())
    }

    /// Keys and values of a dict, as they were put in: of two for a key the later one counts.
    #[must_use]
    pub fn pairs(&self) -> Option<Vec<(Self, Self)>> {
        let id = self.message.resolve(self.id);
        let node = self.message.node(id);
        if node.is_changed || !is_dict(node.code) {
            return None;
        }
        let mut parts = self.message.parts(id);
        let pair = || Some((self.part(parts.next()?), self.part(parts.next()?)));
        Some(std::iter::from_fn(pair).collect())
    }
}

impl fmt::Debug for Argument<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.message.node(self.id);
        write!(f, "Argument(bytes {} to {})", node.start, node.end)
    }
}
