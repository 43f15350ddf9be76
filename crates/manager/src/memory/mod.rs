//! Clients of the same host in the server's memory.
//!
//! | room | what it holds |
//! |---|---|
//! | [`join()`] | how a client comes into the server's family |
//! | [`Cell`] | where a value lies |
//! | `numbers` | where the numbers of an array lie |
//! | `code` | what the type code of an array says of them |
//! | `offer` | how the server lets it in, and buries it |
//! | `bells` | how the server hears of objects that others use without it |
//!
//! The steps, and what follows if one of the two is killed, are in the README of this crate.

pub(crate) mod bells;
mod cell;
pub(crate) mod code;
mod join;
pub(crate) mod numbers;
pub(crate) mod offer;

pub use cell::Cell;
pub use join::{NotShared, join};

/// The format of a queue's item that is with the server: the number of the ticket for it, eight bytes.
pub const TICKET: u8 = 5;
