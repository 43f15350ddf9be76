//! What a manager and its clients say: requests and replies of `multiprocessing.managers`, each one pickle.
//!
//! ```text
//! request  (ident, method, args, kwds)    ident: None, or the str that names an object
//! reply    (kind, value)                  kind: #RETURN, #ERROR, #PROXY, #TRACEBACK or #UNSERIALIZABLE
//! ```
//!
//! A message is looked through once. No class in it is looked up and nothing is called; what an argument means is asked for
//! argument by argument, and what is an object of somebody's class stays opaque, as a [`Payload`].
//!
//! | room | holds |
//! |---|---|
//! | `scan` | [`Scanner`]: the one pass, with a stack of places instead of objects |
//! | `node` | what the pass finds: where in the bytes an object is made, and of what |
//! | `argument` | [`Argument`]: one object in a message |
//! | `cut` | taking an object out of a message, with what it refers to |
//! | `decode` | an object in a message as a value |
//! | `payload` | [`Payload`]: what can be asked of one |
//! | `request`, `call` | [`Request`] as it is read; [`Call`], which writes one |
//! | `reply`, `answer` | [`Reply`] as it is read; functions that write one |
//! | `exception`, `token` | [`Exception`] and [`Token`], as data |
//! | `error` | [`Error`] |
//!
//! # Limits
//!
//! What is refused though CPython would take it: messages from 4 GiB; the opcode `DUP`, which no pickler writes; trailing
//! bytes; keeping objects of classes from a pickle of protocol 0 to 2. Two
//! arguments, or two elements of one, that share an object get a copy each; a tuple that contains itself and is shared so is
//! equal to what it was, and may not be identical in all its parts.

pub mod answer;
mod argument;
mod call;
mod cut;
mod decode;
mod error;
mod exception;
mod node;
mod payload;
mod reply;
mod request;
mod scan;
mod token;

pub use crate::payload::Payload;
pub use argument::Argument;
pub use call::Call;
pub use error::Error;
pub use exception::Exception;
pub use reply::Reply;
pub use request::Request;
pub use scan::Scanner;
pub use token::Token;
