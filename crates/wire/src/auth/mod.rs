//! How two sides show each other that they know the same key, without saying it: the mutual challenge of
//! `multiprocessing.connection`, as every CPython from 3.8 to 3.14 knows it.
//!
//! ```text
//! 1  server  #CHALLENGE# and a challenge       4  client  #CHALLENGE# and a challenge
//! 2  client  the response                      5  server  the response
//! 3  server  #WELCOME# or #FAILURE#            6  client  #WELCOME# or #FAILURE#
//! ```
//!
//! Each is a frame of at most [`LONGEST`] bytes. A response is an HMAC under the key, of the whole challenge.
//!
//! | | CPython to 3.11 | from 3.12, and here |
//! |---|---|---|
//! | challenges with | 20 random bytes | `{sha256}` and 40 random bytes |
//! | responds to 20 bytes with | HMAC-MD5 | HMAC-MD5 |
//! | to anything else | HMAC-MD5, of the prefix too | the prefix, and an HMAC with the hash that it names |
//! | takes as a response | HMAC-MD5 | that, or one with a prefix |
//!
//! So with one older side both responses are HMAC-MD5. MD5 is no good hash, but nobody is known who finds an HMAC of it without the
//! key; [`Policy::Modern`] refuses it and with it CPython up to 3.11.
//!
//! | room | holds |
//! |---|---|
//! | `handshake` | [`Handshake`]: either side, step by step |
//! | `digest` | the hashes and their prefixes |
//! | `error` | [`Error`] |
//!
//! Random bytes are given by the caller. *Not here:* time and the limits of patience, which belong to who waits.

mod digest;
mod error;
mod handshake;

pub use error::Error;
pub use handshake::{Handshake, LONGEST, NONCE, Policy, Step};
