//! Where a manager is, and the bytes between it and a client.
//!
//! | room | what it holds |
//! |---|---|
//! | [`address`] | [`Address`]: a host and a port, a path, or a name in Linux's abstract namespace |
//! | [`stream`] | [`Stream`]: the bytes of one connection, with or without TLS, waiting or not |
//! | [`listener`] | [`Listener`]: accepts them |
//! | [`tls`] | [`TlsServer`] and [`TlsClient`]: certificates, keys, and whom to believe |
//!
//! Nothing here knows what the bytes mean.

pub mod address;
pub mod listener;
pub mod stream;
pub mod tls;

pub use address::Address;
pub use listener::Listener;
pub use stream::Stream;
pub use tls::{TlsClient, TlsServer};
