//! One process serves, many machines work: shared objects in the protocol of CPython's managers.
//!
//! | room | what it holds |
//! |---|---|
//! | [`memory`] | clients of the same host in the server's memory |
//! | [`transport`] | where a manager is, and the bytes between it and its clients: Unix, TCP, TLS |
//! | [`client`] | connecting, and proxies for the objects of any manager, of ours or stock |
//! | [`server`] | one thread that serves every connection |
//! | `hosted` | what it hosts: queues, locks, dicts and the others |
//!
//! Parties, states and steps, and what follows if one of them is killed or cut off, are in the README.
#![forbid(unsafe_code)]

pub mod client;
mod hosted;
pub mod memory;
pub mod server;
pub mod transport;

pub use hosted::typeid::{Type, UnknownType};
