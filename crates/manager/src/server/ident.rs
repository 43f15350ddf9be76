//! The names of objects on the wire: hexadecimal numbers, as CPython's are.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The name of one object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Ident(u64);

/// The longest name.
const DIGITS: usize = u64::BITS as usize / 4;

impl Ident {
    /// Reads a name. Each object has one spelling.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.starts_with('0') || !(1..=DIGITS).contains(&text.len()) {
            return None;
        }
        let digit = |number: u64, byte: u8| {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'a'..=b'f' => byte - b'a' + 10,
                _ => return None,
            };
            Some(number << 4 | u64::from(digit))
        };
        text.bytes().try_fold(0, digit).map(Self)
    }
}

impl fmt::Display for Ident {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:x}", self.0)
    }
}

impl fmt::Debug for Ident {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{self}")
    }
}

/// Where names come from, for the server and its guest. It begins anywhere, so that a proxy that has outlived its
/// server does not find another object in the next one.
#[derive(Clone, Debug)]
pub(super) struct Idents(Arc<AtomicU64>);

/// How far apart names are: as far as addresses of objects.
const STEP: u64 = 0x10;

impl Idents {
    pub(super) fn new() -> Self {
        let start = procession_sys::random::number() & 0x7fff_ffff_fff0 | 1 << 46;
        Self(Arc::new(AtomicU64::new(start)))
    }

    pub(super) fn next(&self) -> Ident {
        Ident(self.0.fetch_add(STEP, Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        let ident = Idents::new().next();
        assert_eq!(Ident::parse(&ident.to_string()), Some(ident));
        for other in ["", "0", "+1", "01", "A", "1 ", "fffffffffffffffff", "-1", "é"] {
            assert_eq!(Ident::parse(other), None, "{other:?}");
        }
    }
}
