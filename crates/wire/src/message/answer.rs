//! A reply, as a server writes it: each function appends one message, without its [frame](crate::frame).

use super::{Exception, Payload, Token};
use crate::frame::Header;
use crate::pickle::{emit, op};
use crate::value::Value;

fn reply(to: &mut Vec<u8>, kind: &str, value: impl FnOnce(&mut Vec<u8>)) {
    to.extend([op::PROTO, 4]);
    emit::text(to, kind);
    value(to);
    to.extend([op::TUPLE2, op::STOP]);
}

/// The call returned this.
///
/// # Examples
/// ```
/// use procession_wire::message::answer;
/// use procession_wire::value::Value;
///
/// let mut bytes = Vec::new();
/// answer::returned(&mut bytes, &Value::None);
/// assert_eq!(bytes, b"\x80\x04\x8c\x07#RETURNN\x86.");
/// ```
pub fn returned(to: &mut Vec<u8>, value: &Value) {
    reply(to, RETURN, |to| value.append(to, &mut 0));
}

/// The call raised this.
pub fn raised(to: &mut Vec<u8>, exception: &Exception) {
    reply(to, "#ERROR", |to| exception.to_value().append(to, &mut 0));
}

/// The call returned a new object of the server, with these methods.
pub fn proxy(to: &mut Vec<u8>, exposed: &[&str], token: &Token) {
    let exposed = exposed.iter().map(|name| Value::from(*name)).collect();
    let value = Value::Tuple(vec![Value::Tuple(exposed), token.to_value()]);
    reply(to, "#PROXY", |to| value.append(to, &mut 0));
}

/// The call could not be carried out. Python's clients show the text between two lines, so it should end with a newline.
pub fn traceback(to: &mut Vec<u8>, text: &str) {
    reply(to, "#TRACEBACK", |to| emit::text(to, text));
}

/// What the call returned cannot be sent.
pub fn unserializable(to: &mut Vec<u8>, text: &str) {
    reply(to, "#UNSERIALIZABLE", |to| emit::text(to, text));
}

const RETURN: &str = "#RETURN";
/// What stands before the opcodes of a payload that is the whole answer, and behind them.
const BEFORE: &[u8] = b"\x80\x04\x8c\x07#RETURN";
const BEHIND: &[u8] = &[op::TUPLE2, op::STOP];

/// The answer that the call returned a payload, as a whole frame in three pieces: what is large is not copied.
///
/// # Examples
/// ```
/// use procession_wire::message::{Payload, answer};
///
/// let payload = Payload::new("hello")?;
/// let frame = answer::Frame::new(&payload);
/// assert_eq!(frame.pieces().concat(), b"\0\0\0\x14\x80\x04\x8c\x07#RETURN\x8c\x05hello\x86.");
/// assert_eq!(frame.len(), 24);
/// # Ok::<(), procession_wire::message::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Frame<'p> {
    before: [u8; 12 + BEFORE.len()],
    before_length: usize,
    payload: &'p Payload,
}

impl<'p> Frame<'p> {
    /// The answer with that payload.
    #[must_use]
    pub fn new(payload: &'p Payload) -> Self {
        let length = BEFORE.len() + payload.opcodes().len() + BEHIND.len();
        let header = Header::of(length as u64);
        let before_length = header.len() + BEFORE.len();
        let mut before = [0; 12 + BEFORE.len()];
        before[..header.len()].copy_from_slice(&header);
        before[header.len()..before_length].copy_from_slice(BEFORE);
        Self { before, before_length, payload }
    }

    /// The frame, to be sent one after the other.
    #[must_use]
    pub fn pieces(&self) -> [&[u8]; 3] {
        [&self.before[..self.before_length], self.payload.opcodes(), BEHIND]
    }

    /// The second piece, which lies in the payload.
    #[must_use]
    pub fn middle(&self) -> &'p [u8] {
        self.payload.opcodes()
    }

    /// How long it is.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.before_length + self.payload.opcodes().len() + BEHIND.len()
    }
}
