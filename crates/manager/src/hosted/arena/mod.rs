//! Objects that lie in the arena, where clients that share it use them without the server.
//!
//! The server is one user among others here: it tries, and does not wait. Clients that wait through it stand in a line of
//! the object's, and a doorbell hangs at the object for as long as there is anybody in that line; see `memory::bells`.
//!
//! | room | what it holds |
//! |---|---|
//! | [`queue`], [`value`] | `Queue`, `JoinableQueue`, `Value` |
//! | [`word`] | what makes a `Lock` one that lies there |
//! | [`line`] | a doorbell that hangs while somebody waits |
//!
//! `Lock` and `Array` are the same there and elsewhere, but for where their words lie.

pub(super) mod line;
pub(crate) mod queue;
pub(crate) mod value;
pub(super) mod word;

use procession_shm::Handle;

/// Where an object lies in the arena, and what it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) handle: Handle,
    /// `Queue`, `Lock`, `Value` or `Array`.
    pub(crate) kind: &'static str,
    /// The type code of an array.
    pub(crate) code: Option<char>,
}
