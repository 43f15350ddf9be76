//! CPython's bytes, without I/O: nothing here waits, opens or knows of processes.
//!
//! | room | holds |
//! |---|---|
//! | [`pickle`] | plain data as pickles |
//! | [`frame`] | messages in a stream of bytes |
//! | [`auth`] | how two sides show each other that they know the same key |
//! | [`value`] | plain Python data as a tree, with Python's equality |
//! | [`message`] | what a manager and its clients say: requests, replies, and opaque payloads in them |
//! | `payload` | the bytes of an opaque payload, and how they are put into a message |
#![forbid(unsafe_code)]

pub mod auth;
pub mod frame;
pub mod message;
mod payload;
pub mod pickle;
pub mod value;
