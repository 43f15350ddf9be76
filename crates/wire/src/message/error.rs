//! What is wrong with a message, or with what is asked of it.

use crate::pickle;

/// What is wrong with a message, or with what is asked of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no pickle.
    #[error("not a pickle: byte {at}: {reason}")]
    Malformed {
        /// The place of the opcode that is wrong.
        at: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The pickle is no request and no reply.
    #[error("not a message of a manager: {0}")]
    Shape(&'static str),
    /// A value was asked of an object that is not plain data.
    #[error("{0} is no plain data")]
    Opaque(String),
    /// It is nested too deeply, refers to its parts too often, or is too long.
    #[error("{0}")]
    Limit(&'static str),
    /// A Rust value cannot be made of it, or it not of a Rust value.
    #[error(transparent)]
    Data(#[from] pickle::Error),
}
