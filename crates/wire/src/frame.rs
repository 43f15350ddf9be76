//! Messages in a stream of bytes: each is preceded by its length.
//!
//! ```text
//! length up to 2³¹-1     i32, big-endian, then the bytes
//! longer                 i32 of -1, u64, big-endian, then the bytes
//! ```
//!
//! As in `multiprocessing.connection` on POSIX, from CPython 3.8 on. A length that is negative and not -1 is an empty message
//! there, and so it is here.

use std::ops::Deref;

/// The longest message with a short header.
const SHORT: u64 = i32::MAX as u64;

/// What stands before a message, as bytes.
///
/// # Examples
/// ```
/// use procession_wire::frame::Header;
///
/// assert_eq!(*Header::of(5), [0, 0, 0, 5]);
/// assert_eq!(Header::of(1 << 31).len(), 12);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Header {
    bytes: [u8; 12],
    length: usize,
}

impl Header {
    /// Of a message of so many bytes.
    #[must_use]
    #[inline]
    pub fn of(length: u64) -> Self {
        let mut bytes = [0; 12];
        if length <= SHORT {
            bytes[..4].copy_from_slice(&(length as u32).to_be_bytes());
            Self { bytes, length: 4 }
        } else {
            bytes[..4].copy_from_slice(&(-1_i32).to_be_bytes());
            bytes[4..].copy_from_slice(&length.to_be_bytes());
            Self { bytes, length: 12 }
        }
    }
}

impl Deref for Header {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.length]
    }
}

/// Appends a frame to `to`; `write` appends the message to it.
///
/// # Examples
/// ```
/// use procession_wire::frame;
///
/// let mut bytes = Vec::new();
/// frame::append(&mut bytes, |to| to.extend(b"hello"));
/// assert_eq!(bytes, b"\0\0\0\x05hello");
/// ```
pub fn append<T>(to: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let start = to.len();
    to.extend([0; 4]);
    let result = write(to);
    let header = Header::of((to.len() - start - 4) as u64);
    if header.len() == 4 {
        to[start..start + 4].copy_from_slice(&header);
    } else {
        to.splice(start..start + 4, header.iter().copied());
    }
    result
}

/// What the bytes so far came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// A whole message.
    Message(&'a [u8]),
    /// A message begins that is longer than the limit. Its bytes are thrown away as they come; what follows them is decoded as
    /// if it had not been there.
    TooLong(u64),
    /// More bytes are needed. All that were there are taken.
    Pending,
}

/// Takes messages out of a stream, in whatever pieces it comes.
///
/// It keeps what has come of a message that is not complete, and nothing else: what a length says is not allocated before
/// half as many bytes are there.
///
/// # Examples
/// ```
/// use procession_wire::frame::{Decoded, Decoder};
///
/// let mut decoder = Decoder::new(1 << 20);
/// let mut input = &b"\0\0\0\x02hi\0\0\0\x05wor"[..];
/// assert_eq!(decoder.decode(&mut input), Decoded::Message(b"hi"));
/// assert_eq!(decoder.decode(&mut input), Decoded::Pending);
/// let mut input = &b"ld"[..];
/// assert_eq!(decoder.decode(&mut input), Decoded::Message(b"world"));
/// assert!(decoder.is_between());
/// ```
#[derive(Debug)]
pub struct Decoder {
    limit: u64,
    /// The header, as far as it has come.
    header: [u8; 12],
    header_length: usize,
    state: State,
    /// What has come of the message.
    partial: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Header,
    /// In a message of that length.
    Body(usize),
    /// In a message that was too long: so many bytes of it are still to come.
    Skip(u64),
    /// The message was handed out.
    Done,
}

impl Decoder {
    /// For messages of at most `limit` bytes.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        Self { limit, header: [0; 12], header_length: 0, state: State::Header, partial: Vec::new() }
    }

    /// The longest message that it takes.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// From now on messages of at most `limit` bytes; one that has begun is not concerned.
    pub fn set_limit(&mut self, limit: u64) {
        self.limit = limit;
    }

    /// How long the message is that has begun, if it is not complete.
    #[must_use]
    pub fn expects(&self) -> Option<usize> {
        match self.state {
            State::Body(length) => Some(length),
            State::Header | State::Skip(_) | State::Done => None,
        }
    }

    /// Goes on with the message that has begun in this memory, of which the contents are thrown away.
    ///
    /// ```
    /// use procession_wire::frame::{Decoded, Decoder};
    ///
    /// let mut decoder = Decoder::new(100);
    /// assert_eq!(decoder.decode(&mut &b"\0\0\0\x05hel"[..]), Decoded::Pending);
    /// assert_eq!(decoder.expects(), Some(5));
    /// decoder.move_to(Vec::with_capacity(1000));
    /// assert_eq!(decoder.decode(&mut &b"lo"[..]), Decoded::Message(b"hello"));
    /// assert_eq!(decoder.into_memory().capacity(), 1000);
    /// ```
    pub fn move_to(&mut self, mut memory: Vec<u8>) {
        memory.clear();
        memory.extend_from_slice(&self.partial);
        self.partial = memory;
    }

    /// The memory in which it kept what had come.
    #[must_use]
    pub fn into_memory(self) -> Vec<u8> {
        self.partial
    }

    /// Throws away what has come of a message that is not complete, and the rest of it as it comes.
    ///
    /// ```
    /// use procession_wire::frame::{Decoded, Decoder};
    ///
    /// let mut decoder = Decoder::new(100);
    /// assert_eq!(decoder.decode(&mut &b"\0\0\0\x05hel"[..]), Decoded::Pending);
    /// decoder.abandon();
    /// assert_eq!(decoder.decode(&mut &b"lo\0\0\0\x02hi"[..]), Decoded::Message(b"hi"));
    /// ```
    pub fn abandon(&mut self) {
        if let State::Body(length) = self.state {
            self.state = State::Skip((length - self.partial.len()) as u64);
            self.partial = Vec::new();
        }
    }

    /// Whether nothing of another message has come: the stream may end here. CPython takes an end between a header and its
    /// message for a good one too.
    #[must_use]
    pub fn is_between(&self) -> bool {
        matches!(self.state, State::Header | State::Done) && self.header_length == 0
    }

    /// How many bytes it keeps.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.partial.capacity()
    }

    /// Takes bytes from the front of `input`, up to the end of the first message in it. A message that lies in `input` whole is
    /// not copied.
    pub fn decode<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Decoded<'a> {
        if self.state == State::Done {
            self.state = State::Header;
            self.partial = Vec::new();
        }
        loop {
            match self.state {
                State::Header | State::Done => match self.header(input) {
                    None => return Decoded::Pending,
                    Some(length) if length > self.limit => {
                        self.state = State::Skip(length);
                        return Decoded::TooLong(length);
                    }
                    Some(length) => match usize::try_from(length) {
                        Ok(length) => self.state = State::Body(length),
                        Err(_) => {
                            self.state = State::Skip(length);
                            return Decoded::TooLong(length);
                        }
                    },
                },
                State::Body(length) => return self.body(length, input),
                State::Skip(length) => {
                    let skipped = length.min(input.len() as u64);
                    *input = &input[skipped as usize..];
                    if skipped < length {
                        self.state = State::Skip(length - skipped);
                        return Decoded::Pending;
                    }
                    self.state = State::Header;
                }
            }
        }
    }

    /// The length that a header says, once it is complete.
    fn header(&mut self, input: &mut &[u8]) -> Option<u64> {
        self.fill_header(4, input)?;
        let [a, b, c, d, ..] = self.header;
        let length = match i32::from_be_bytes([a, b, c, d]) {
            -1 => {
                self.fill_header(12, input)?;
                let [_, _, _, _, long @ ..] = self.header;
                u64::from_be_bytes(long)
            }
            length => u64::try_from(length).unwrap_or(0),
        };
        self.header_length = 0;
        Some(length)
    }

    fn fill_header(&mut self, length: usize, input: &mut &[u8]) -> Option<()> {
        let missing = length.saturating_sub(self.header_length);
        let taken = missing.min(input.len());
        let (now, later) = input.split_at(taken);
        self.header[self.header_length..self.header_length + taken].copy_from_slice(now);
        self.header_length += taken;
        *input = later;
        (taken == missing).then_some(())
    }

    fn body<'a, 'i: 'a>(&'a mut self, length: usize, input: &mut &'i [u8]) -> Decoded<'a> {
        if self.partial.is_empty()
            && let Some((message, rest)) = input.split_at_checked(length)
        {
            *input = rest;
            self.state = State::Done;
            return Decoded::Message(message);
        }
        let missing = length - self.partial.len();
        let (now, later) = input.split_at(missing.min(input.len()));
        *input = later;
        let there = self.partial.len() + now.len();
        if self.partial.capacity() < there {
            let room = length.min(there.saturating_mul(2));
            self.partial.reserve_exact(room - self.partial.len());
        }
        self.partial.extend_from_slice(now);
        if there < length {
            return Decoded::Pending;
        }
        self.state = State::Done;
        Decoded::Message(&self.partial)
    }
}
