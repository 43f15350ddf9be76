//! The server, seen from its clients: stock CPython, and raw bytes.

mod interop;
#[path = "../interop/interpreters.rs"]
mod interpreters;
mod ours;
mod raw;
mod running;
