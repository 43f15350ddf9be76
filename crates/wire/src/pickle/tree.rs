//! What a pickle holds: a tree, or what should be one.
//!
//! Values are small and refer to the pickle's bytes, so that a value that is remembered and used
//! many times costs nothing here; what is in containers lies in one table, by number. Text and
//! numbers are looked at when they are asked for.

use super::Error;
use std::borrow::Cow;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    None,
    Bool(bool),
    Int(i64),
    /// Two's complement, little-endian, of any length.
    Long(&'a [u8]),
    /// Decimal digits, perhaps with a sign.
    Digits(&'a [u8]),
    Float(f64),
    /// str in UTF-8, where surrogates may be.
    Text(&'a [u8]),
    /// str as protocol 0 writes it.
    Escaped(&'a [u8]),
    Bytes(&'a [u8]),
    /// bytes as protocols below 3 write them: one character of a str each.
    Latin(&'a [u8]),
    EscapedLatin(&'a [u8]),
    List(usize),
    Tuple(usize),
    Set(usize),
    /// Keys and values in turn.
    Dict(usize),
    /// A class or function, by its number.
    Class(usize),
    /// An object of a class, or what a function would return.
    Object(usize),
    /// What a persistent id stands for; the id is the only part.
    Persistent(usize),
    /// What a pickle cannot hold by itself, or not for us.
    Foreign(&'static str),
}

#[derive(Default)]
pub(super) struct Tree<'a> {
    parts: Vec<Vec<Value<'a>>>,
    /// Modules and names.
    classes: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Tree<'a> {
    pub(super) fn add(&mut self, parts: Vec<Value<'a>>) -> usize {
        self.parts.push(parts);
        self.parts.len() - 1
    }

    pub(super) fn add_class(&mut self, module: &'a [u8], name: &'a [u8]) -> Value<'a> {
        self.classes.push((module, name));
        Value::Class(self.classes.len() - 1)
    }

    pub(super) fn parts(&self, number: usize) -> &[Value<'a>] {
        &self.parts[number]
    }

    pub(super) fn parts_mut(&mut self, number: usize) -> &mut Vec<Value<'a>> {
        &mut self.parts[number]
    }

    pub(super) fn class(&self, number: usize) -> (&'a [u8], &'a [u8]) {
        self.classes[number]
    }

    /// What cannot be mapped, in words.
    #[cold]
    pub(super) fn unmapped(&self, value: Value<'a>) -> Error {
        let what = match value {
            Value::Class(number) => format!("the class or function {}", self.path(number)),
            Value::Object(number) => self.path(number),
            Value::Persistent(_) => "a shared object".into(),
            Value::Foreign(what) => what.into(),
            _ => "it".into(),
        };
        Error::new(format!("{what} cannot be mapped to Rust data"))
    }

    fn path(&self, number: usize) -> String {
        /// Longer ones are cut.
        const BYTES: usize = 200;
        let (module, name) = self.class(number);
        let cut =
            |part: &[u8]| String::from_utf8_lossy(&part[..part.len().min(BYTES)]).into_owned();
        format!("{}.{}", cut(module), cut(name))
    }
}

impl<'a> Value<'a> {
    /// Whether it is a str, in whatever form.
    pub(super) fn is_text(self) -> bool {
        matches!(self, Self::Text(_) | Self::Escaped(_))
    }

    /// The characters of a str.
    ///
    /// # Errors
    /// If it is none, or has surrogates.
    pub(super) fn text(self) -> Result<Cow<'a, str>, Error> {
        const SURROGATE: &str = "a str with a lone surrogate cannot be mapped to Rust data";
        match self {
            Self::Text(bytes) => {
                let text = str::from_utf8(bytes).map_err(|_| Error::new(SURROGATE))?;
                Ok(Cow::Borrowed(text))
            }
            Self::Escaped(bytes) => {
                unescape(bytes).map(Cow::Owned).ok_or_else(|| Error::new(SURROGATE))
            }
            _ => Err(Error::new("it is no str")),
        }
    }

    /// Whether it is a bytes or bytearray, in whatever form.
    pub(super) fn is_bytes(self) -> bool {
        matches!(self, Self::Bytes(_) | Self::Latin(_) | Self::EscapedLatin(_))
    }

    /// The bytes of a bytes or bytearray.
    ///
    /// # Errors
    /// If it is none, or has characters that are no bytes.
    pub(super) fn bytes(self) -> Result<Cow<'a, [u8]>, Error> {
        let text = match self {
            Self::Bytes(bytes) => return Ok(Cow::Borrowed(bytes)),
            Self::Latin(bytes) => Self::Text(bytes),
            Self::EscapedLatin(bytes) => Self::Escaped(bytes),
            _ => return Err(Error::new("it is no bytes")),
        };
        let bytes: Result<Vec<u8>, _> = text.text()?.chars().map(u8::try_from).collect();
        bytes.map(Cow::Owned).map_err(|_| Error::new("a character above 255 is no byte"))
    }

    /// How many bytes it refers to.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Text(bytes)
            | Self::Escaped(bytes)
            | Self::Bytes(bytes)
            | Self::Latin(bytes)
            | Self::EscapedLatin(bytes)
            | Self::Long(bytes)
            | Self::Digits(bytes) => bytes.len(),
            _ => 0,
        }
    }
}

/// Python's raw-unicode-escape: Latin-1, and `\u` with four or `\U` with eight digits.
fn unescape(bytes: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        let digits = match (byte, after.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            // Only u and U are special, after an escape too.
            (b'\\', Some(other)) => {
                text.extend(['\\', char::from(*other)]);
                rest = &after[1..];
                continue;
            }
            _ => {
                text.push(char::from(*byte));
                rest = after;
                continue;
            }
        };
        let digits = str::from_utf8(after.get(1..=digits)?).ok()?;
        text.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
        rest = &after[1 + digits.len()..];
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_raw_unicode_escape() {
        let text = |escaped: &[u8]| unescape(escaped);
        assert_eq!(text(b"a\\u005cn\xe9").as_deref(), Some("a\\né"));
        assert_eq!(text(b"\\U0001f600\\\\u0041\\").as_deref(), Some("😀\\\\u0041\\"));
        assert_eq!(text(b"\\ud800"), None);
        assert_eq!(text(b"\\u12"), None);
        assert_eq!(text(b"\\U00110000"), None);
    }
}
