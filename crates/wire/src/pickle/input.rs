//! What follows an opcode: numbers, text, and bytes after their length, read from the front.
//!
//! No length is believed before that many bytes are there.

use super::op;

/// What is wrong with bytes that are no pickle.
pub(crate) type Wrong = &'static str;

pub(crate) const NUMBER: Wrong = "no number";

/// The bytes, read from the front.
pub(crate) struct Input<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The place of the next byte.
    #[inline]
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], Wrong> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or("the bytes end too early")?;
        self.at += len;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Wrong> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Result<u8, Wrong> {
        Ok(self.array::<1>()?[0])
    }

    /// Bytes after their length, a number of `N` bytes.
    #[inline]
    pub(crate) fn counted<const N: usize>(&mut self) -> Result<&'a [u8], Wrong> {
        let mut len = [0; 8];
        len[..N].copy_from_slice(self.take(N)?);
        self.take(usize::try_from(u64::from_le_bytes(len)).unwrap_or(usize::MAX))
    }

    /// The number under which an opcode finds or puts something in the memo.
    pub(crate) fn index(&mut self, code: u8) -> Result<u64, Wrong> {
        match code {
            op::BINGET | op::BINPUT => Ok(u64::from(self.byte()?)),
            op::LONG_BINGET | op::LONG_BINPUT => Ok(u64::from(u32::from_le_bytes(self.array()?))),
            _ => parse(self.line()?),
        }
    }

    /// Text up to a newline.
    pub(crate) fn line(&mut self) -> Result<&'a [u8], Wrong> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|byte| *byte == b'\n').ok_or("a line does not end")?;
        self.at += len + 1;
        Ok(&rest[..len])
    }
}

/// A number as text.
pub(crate) fn parse<T: std::str::FromStr>(line: &[u8]) -> Result<T, Wrong> {
    str::from_utf8(line).ok().and_then(|line| line.parse().ok()).ok_or(NUMBER)
}
