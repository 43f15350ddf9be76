//! A reply, as a client reads it.

use super::node::{Id, Message};
use super::{Argument, Error, Exception, Token};

/// What a server answers.
#[derive(Debug)]
pub enum Reply<'a> {
    /// What the call returned.
    Return(Argument<'a>),
    /// What it raised.
    Error(Exception),
    /// It returned a new object of the server.
    Proxy {
        /// The methods that may be called.
        exposed: Vec<&'a str>,
        /// Which object.
        token: Token,
    },
    /// The server could not carry it out: its traceback.
    Traceback(&'a str),
    /// What it returned cannot be sent: the server's traceback.
    Unserializable(&'a str),
}

impl<'a> Reply<'a> {
    pub(super) fn of(message: Message<'a>, root: Id) -> Result<Self, Error> {
        let wrong = Error::Shape;
        let mut parts = message.tuple(root).ok_or(wrong("a reply is a tuple"))?;
        let (Some(kind), Some(id), None) = (parts.next(), parts.next(), parts.next()) else {
            return Err(wrong("a reply has two parts"));
        };
        let value = Argument { message, id };
        let text = || value.as_str().ok_or(wrong("a traceback is a str"));
        match message.name(kind) {
            Some("#RETURN") => Ok(Self::Return(value)),
            Some("#ERROR") => Ok(Self::Error(Exception::of(&value)?)),
            Some("#TRACEBACK") => Ok(Self::Traceback(text()?)),
            Some("#UNSERIALIZABLE") => Ok(Self::Unserializable(text()?)),
            Some("#PROXY") => {
                Self::proxy(&value).ok_or(wrong("a proxy is its methods and a token"))
            }
            _ => Err(wrong("the kind of the reply is not known")),
        }
    }

    fn proxy(value: &Argument<'a>) -> Option<Self> {
        let parts = value.elements()?;
        let [exposed, token] = parts.as_slice() else { return None };
        let exposed = exposed.elements()?.iter().map(Argument::as_str).collect::<Option<_>>()?;
        Some(Self::Proxy { exposed, token: Token::of(token)? })
    }
}
