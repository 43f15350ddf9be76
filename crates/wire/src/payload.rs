//! One Python object as the opcodes that make it, in a form that fits into any message.
//!
//! A pickle refers to what it has remembered by numbers, which count from its beginning; cut out of one message and put into
//! another they would mean something else. Here they are normal: only what is used is remembered, it is numbered from 0, and it
//! is known where the references are, so that putting it behind others is a copy with other numbers.

use crate::pickle::op;
use std::fmt;
use std::sync::Arc;

/// One Python object of any kind, as bytes that nobody here understands. Cheap to clone.
///
/// It comes out of a message ([`Argument::payload`](crate::message::Argument::payload)), out of a whole pickle
/// ([`from_pickle`](Self::from_pickle)) or of a value of one's own ([`new`](Self::new), [`of`](Self::of)), and goes into a
/// message as a [`Value`](crate::value::Value) or as the whole answer. Two are equal if their bytes are.
///
/// # Examples
/// ```
/// use procession_wire::message::Payload;
///
/// // What CPython writes for [x, x], where x is a str: with a frame, and everything remembered.
/// let pickle = b"\x80\x04\x95\x0d\0\0\0\0\0\0\0]\x94(\x8c\x02hi\x94h\x01e.";
/// let payload = Payload::from_pickle(pickle)?;
/// assert_eq!(payload.as_pickle(), b"\x80\x04](\x8c\x02hi\x94h\x00e.");
/// assert_eq!(payload.value()?.to_string(), "['hi', 'hi']");
/// # Ok::<(), procession_wire::message::Error>(())
/// ```
#[derive(Clone)]
pub struct Payload(Arc<Inner>);

struct Inner {
    /// A whole pickle: the protocol, the opcodes, `STOP`.
    pickle: Vec<u8>,
    /// Where in it something is taken from the memo.
    gets: Vec<u32>,
    /// How many things it puts into the memo.
    memos: u32,
    /// Whether it names the class of a token.
    names_tokens: bool,
}

/// What stands before the opcodes.
const BEFORE: [u8; 2] = [op::PROTO, 4];

/// Writes one payload.
#[derive(Debug)]
pub(crate) struct Builder {
    pickle: Vec<u8>,
    gets: Vec<u32>,
    memos: u32,
}

impl Builder {
    /// For about so many bytes.
    pub(crate) fn new(length: usize) -> Self {
        let mut pickle = Vec::with_capacity(length + BEFORE.len() + 1);
        pickle.extend(BEFORE);
        Self { pickle, gets: Vec::new(), memos: 0 }
    }

    /// Opcodes that neither use the memo nor are frames.
    #[inline]
    pub(crate) fn copy(&mut self, opcodes: &[u8]) {
        self.pickle.extend_from_slice(opcodes);
    }

    /// Drops the top value.
    pub(crate) fn pop(&mut self) {
        self.pickle.push(op::POP);
    }

    /// Remembers the top value; under which number.
    pub(crate) fn memoize(&mut self) -> u32 {
        self.pickle.push(op::MEMOIZE);
        self.memos += 1;
        self.memos - 1
    }

    /// Takes what has that number.
    pub(crate) fn get(&mut self, number: u32) {
        self.gets.push(self.pickle.len() as u32);
        get(&mut self.pickle, number);
    }

    pub(crate) fn end(mut self, names_tokens: bool) -> Payload {
        self.pickle.push(op::STOP);
        let Self { pickle, gets, memos } = self;
        Payload(Arc::new(Inner { pickle, gets, memos, names_tokens }))
    }
}

fn get(to: &mut Vec<u8>, number: u32) {
    match u8::try_from(number) {
        Ok(number) => to.extend([op::BINGET, number]),
        Err(_) => {
            to.push(op::LONG_BINGET);
            to.extend(number.to_le_bytes());
        }
    }
}

impl Payload {
    /// The object as a pickle of its own, which any reader of pickles reads.
    #[must_use]
    pub fn as_pickle(&self) -> &[u8] {
        &self.0.pickle
    }

    /// How many bytes [`as_pickle`](Self::as_pickle) has; never 0.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.0.pickle.len()
    }

    /// The opcodes alone, for a message that remembers nothing before them.
    pub(crate) fn opcodes(&self) -> &[u8] {
        let pickle = &self.0.pickle;
        &pickle[BEFORE.len()..pickle.len() - 1]
    }

    /// Whether there may be tokens in it.
    pub(crate) fn names_tokens(&self) -> bool {
        self.0.names_tokens
    }

    /// Appends the opcodes to a message that has remembered `memos` things so far.
    pub(crate) fn append(&self, to: &mut Vec<u8>, memos: &mut u32) {
        let inner = &*self.0;
        let before = *memos;
        *memos = memos.saturating_add(inner.memos);
        if before == 0 || inner.gets.is_empty() {
            to.extend_from_slice(self.opcodes());
            return;
        }
        let mut from = BEFORE.len();
        for &at in &inner.gets {
            let at = at as usize;
            to.extend_from_slice(&inner.pickle[from..at]);
            let (number, length) = match inner.pickle[at..] {
                [op::BINGET, number, ..] => (u32::from(number), 2),
                [_, a, b, c, d, ..] => (u32::from_le_bytes([a, b, c, d]), 5),
                _ => unreachable!("`Builder::get` has written the number there"),
            };
            get(to, number.saturating_add(before));
            from = at + length;
        }
        to.extend_from_slice(&inner.pickle[from..inner.pickle.len() - 1]);
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.pickle == other.0.pickle
    }
}

impl Eq for Payload {}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.len())
    }
}
