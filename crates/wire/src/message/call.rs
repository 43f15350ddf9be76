//! A request, as a client writes it.

use super::Error;
use crate::pickle::{self, emit, op};
use crate::value::Value;
use serde::Serialize;

/// Writes a request: first the arguments that are given by their place, then those that are given by name, then
/// [`end`](Self::end). Dropping it without that leaves half a message.
///
/// # Examples
/// ```
/// use procession_wire::message::Call;
///
/// let mut bytes = Vec::new();
/// Call::new(&mut bytes, None, "dummy").end();
/// assert_eq!(bytes, b"\x80\x04(N\x8c\x05dummy(t}t.");
/// ```
#[derive(Debug)]
#[must_use = "a request ends with `end`"]
pub struct Call<'b> {
    to: &'b mut Vec<u8>,
    memos: u32,
    is_named: bool,
}

impl<'b> Call<'b> {
    /// Begins a request to that object, or to the server itself.
    pub fn new(to: &'b mut Vec<u8>, ident: Option<&str>, method: &str) -> Self {
        to.extend([op::PROTO, 4, op::MARK]);
        match ident {
            Some(ident) => emit::text(to, ident),
            None => to.push(op::NONE),
        }
        emit::text(to, method);
        to.push(op::MARK);
        Self { to, memos: 0, is_named: false }
    }

    /// An argument.
    ///
    /// # Panics
    /// If there was one with a name before.
    pub fn arg(mut self, value: &Value) -> Self {
        self.place();
        value.append(self.to, &mut self.memos);
        self
    }

    /// A Rust value as an argument, by the [mapping](pickle).
    ///
    /// # Errors
    /// [`Error::Data`] names the place of what cannot be mapped. What was written of the request is useless then.
    ///
    /// # Panics
    /// If there was one with a name before.
    pub fn item<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, Error> {
        self.place();
        pickle::append_opcodes(value, self.to)?;
        Ok(self)
    }

    fn place(&mut self) {
        assert!(!self.is_named, "arguments without a name come first");
    }

    /// An argument with a name.
    pub fn kwd(mut self, name: &str, value: &Value) -> Self {
        self.name();
        emit::text(self.to, name);
        value.append(self.to, &mut self.memos);
        self.to.push(op::SETITEM);
        self
    }

    fn name(&mut self) {
        if !self.is_named {
            self.to.extend([op::TUPLE, op::EMPTY_DICT]);
            self.is_named = true;
        }
    }

    /// Ends the request.
    pub fn end(mut self) {
        self.name();
        self.to.extend([op::TUPLE, op::STOP]);
    }
}
