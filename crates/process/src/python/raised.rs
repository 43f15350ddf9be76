//! An exception as a value.

use std::fmt;

use serde::{Deserialize, Serialize};

/// An exception of a Python function, as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    class: String,
    message: String,
    traceback: String,
}

impl Raised {
    /// Its class, with its module unless that is `builtins`: `ValueError`, `json.decoder.JSONDecodeError`.
    #[must_use]
    pub fn class(&self) -> &str {
        &self.class
    }

    /// What `str` makes of it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the interpreter would print of it.
    #[must_use]
    pub fn traceback(&self) -> &str {
        &self.traceback
    }
}

/// The class and the message; the traceback with `{:#}`.
impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.class)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        if f.alternate() { write!(f, "\n{}", self.traceback) } else { Ok(()) }
    }
}
