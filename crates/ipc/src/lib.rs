//! Locks, queues, pipes and shared values between processes.
//!
//! | room | holds |
//! |---|---|
//! | `queue` | [`Queue`], [`JoinableQueue`], [`SimpleQueue`] |
//! | `connection` | [`Connection`], the end of a pipe |
//! | `select` | [`wait`] for the first of several |
//! | `message` | values as bytes, and the shared objects that travel in them |
//! | `codec` | which bytes |
//! | `bell` | telling pollers |
#![forbid(unsafe_code)]
#![cfg(not(loom))]

mod bell;
mod codec;
mod connection;
mod error;
pub mod message;
mod queue;
mod select;

pub use connection::{Connection, duplex, simplex};
pub use error::Error;
pub use queue::byte_queue;
pub use queue::{JoinableQueue, Payload, Queue, QueueBuilder, SimpleQueue};
pub use select::{Waitable, wait};
