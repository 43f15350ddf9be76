//! The server, seen from its clients: stock CPython, and raw bytes.

mod crowd;
mod deaths;
mod guests;
mod interop;
mod oracle;
mod ours;
mod places;
mod raw;
mod refusals;
mod running;
mod secret;
