//! What cannot be mapped, and where in the value it is.

use std::fmt::{self, Display};

/// Why a value cannot be written as a pickle, or a pickle not be read as a value.
///
/// # Examples
/// ```
/// use procession_wire::pickle;
///
/// let pickle = pickle::to_vec(&(1, ["text"])).unwrap();
/// let error = pickle::from_slice::<(u8, [u16; 1])>(&pickle).unwrap_err();
/// assert_eq!(error.place(), "[1][0]");
/// assert_eq!(error.to_string(), r#"[1][0]: invalid type: string "text", expected u16"#);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    place: String,
    reason: String,
}

impl Error {
    #[cold]
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(Box::new(Inner { place: String::new(), reason: reason.into() }))
    }

    /// The bytes are no pickle, from this one on.
    #[cold]
    pub(super) fn malformed(at: usize, reason: impl Display) -> Self {
        Self::new(format!("not a pickle: byte {at}: {reason}"))
    }

    /// The error was met in this part of a value.
    #[cold]
    pub(super) fn within(mut self, part: &Part<'_>) -> Self {
        self.0.place.insert_str(0, &part.to_string());
        self
    }

    /// Where in the value, as one would write it in Python: `[3].name` is what is under `name`, in
    /// the fourth item. Empty if it is the value itself.
    pub fn place(&self) -> &str {
        &self.0.place
    }

    /// What is wrong there.
    pub fn reason(&self) -> &str {
        &self.0.reason
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.place.is_empty() {
            write!(f, "{}: ", self.0.place)?;
        }
        f.write_str(&self.0.reason)
    }
}

impl std::error::Error for Error {}

impl serde::ser::Error for Error {
    #[cold]
    fn custom<M: Display>(message: M) -> Self {
        Self::new(message.to_string())
    }
}

impl serde::de::Error for Error {
    #[cold]
    fn custom<M: Display>(message: M) -> Self {
        Self::new(message.to_string())
    }
}

/// A part of a list or a dict.
pub(super) enum Part<'a> {
    Index(usize),
    Name(&'a str),
    Number(i64),
    /// Under a key that is neither a name nor a number.
    Key,
}

impl Display for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Longer keys are cut.
        const CHARS: usize = 40;
        match self {
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Number(number) => write!(f, "[{number}]"),
            Self::Name(name) if is_identifier(name) => write!(f, ".{name}"),
            Self::Name(name) => write!(f, "[{:?}]", name.chars().take(CHARS).collect::<String>()),
            Self::Key => f.write_str("[key]"),
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let is_part = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    !name.is_empty()
        && name.len() <= 40
        && name.bytes().all(is_part)
        && !name.as_bytes()[0].is_ascii_digit()
}
