//! What can be asked of a payload, and what one is made of.

use super::decode::Decode;
use super::node::NONE;
use super::{Argument, Error, Payload, Scanner, Token, cut};
use crate::payload::Builder;
use crate::pickle::{self, op};
use crate::value::Value;
use serde::{Serialize, de::DeserializeOwned};

impl Payload {
    /// Of a Rust value that [maps](pickle) to Python data.
    ///
    /// # Errors
    /// [`Error::Data`] names the place of what cannot be mapped.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        Ok(Self::plain(&pickle::to_vec(value)?))
    }

    /// Of a value.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        if let Value::Payload(payload) = value {
            return payload.clone();
        }
        let pickle = value.to_pickle();
        if value.is_plain() {
            return Self::plain(&pickle);
        }
        // Payloads in it may use the memo, objects in it be tokens.
        Self::from_pickle(&pickle).unwrap_or_else(|_| Self::plain(&pickle))
    }

    /// Of a pickle without frames and memo.
    fn plain(pickle: &[u8]) -> Self {
        let mut builder = Builder::new(pickle.len());
        builder.copy(&pickle[2..pickle.len() - 1]);
        builder.end(false)
    }

    /// Of a whole pickle, of any protocol from 0 to 5.
    ///
    /// # Errors
    /// If the bytes are no pickle.
    pub fn from_pickle(pickle: &[u8]) -> Result<Self, Error> {
        let mut scanner = Scanner::new();
        let root = scanner.scan(pickle)?;
        cut::payload(scanner.message(pickle), root)
    }

    /// What it is, if it is plain data.
    ///
    /// # Errors
    /// As [`Argument::value`].
    pub fn value(&self) -> Result<Value, Error> {
        let mut scanner = Scanner::new();
        let root = scanner.scan(self.as_pickle())?;
        Decode::plain(scanner.message(self.as_pickle())).value(root)
    }

    /// What it is, with classes, functions and objects of classes as data.
    ///
    /// # Errors
    /// As [`Argument::describe`].
    pub fn describe(&self) -> Result<Value, Error> {
        let mut scanner = Scanner::new();
        let root = scanner.scan(self.as_pickle())?;
        Decode::objects(scanner.message(self.as_pickle())).value(root)
    }

    /// The Rust value that it [maps to](pickle).
    ///
    /// # Errors
    /// [`Error::Data`] names the place of what cannot be mapped.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(pickle::from_slice(self.as_pickle())?)
    }

    /// The tokens in it: the objects of servers that the proxies in it stand for.
    #[must_use]
    pub fn tokens(&self) -> Vec<Token> {
        if !self.names_tokens() {
            return Vec::new();
        }
        let mut scanner = Scanner::new();
        if scanner.scan(self.as_pickle()).is_err() {
            return Vec::new();
        }
        let message = scanner.message(self.as_pickle());
        let made = |(id, node): (usize, &super::node::Node)| {
            let id = u32::try_from(id).unwrap_or(NONE);
            let is_object = matches!(node.code, op::REDUCE | op::NEWOBJ);
            is_object.then(|| Token::of(&Argument { message, id })).flatten()
        };
        message.nodes.iter().enumerate().filter_map(made).collect()
    }
}
