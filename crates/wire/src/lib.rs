//! CPython's bytes, without I/O: nothing here waits, opens or knows of processes.
//!
//! | room | holds |
//! |---|---|
//! | [`pickle`] | plain data as pickles |
#![forbid(unsafe_code)]

pub mod pickle;
