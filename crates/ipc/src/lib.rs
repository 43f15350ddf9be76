//! Locks, queues, pipes and shared values between processes.
//!
//! | room | holds |
//! |---|---|
//! | `queue` | [`Queue`], [`JoinableQueue`], [`SimpleQueue`] |
//! | `connection` | [`Connection`], the end of a pipe |
//! | `select` | [`wait`] for the first of several |
//! | `shareable` | [`Shareable`]: a shared object by its handle |
//! | `message` | values as bytes, and the shared objects that travel in them |
//! | `codec` | which bytes |
//! | [`counterpart`] | what Python has for a shared object |
//! | `bell` | telling pollers |
//! | [`sync`] | [`Lock`], [`RLock`], [`Semaphore`], [`Condition`], [`Event`], [`Barrier`], [`Mutex`] |
//! | [`mod@value`], [`mod@array`], `buffer` | [`Value`], [`Array`], [`Buffer`]: plain data that processes share |
#![forbid(unsafe_code)]
#![cfg_attr(
    loom,
    allow(dead_code, reason = "loom checks algorithms, without what is built of them")
)]

#[cfg(not(loom))]
pub mod array;
#[cfg(not(loom))]
mod bell;
#[cfg(not(loom))]
mod buffer;
#[cfg(not(loom))]
mod codec;
#[cfg(not(loom))]
mod connection;
#[cfg(not(loom))]
pub mod counterpart;
#[cfg(not(loom))]
mod error;
#[cfg(not(loom))]
pub mod message;
#[cfg(not(loom))]
mod plain;
#[cfg(not(loom))]
mod queue;
#[cfg(not(loom))]
mod select;
#[cfg(not(loom))]
mod shareable;
pub mod sync;
#[cfg(not(loom))]
pub mod value;

#[cfg(not(loom))]
pub use {
    array::Array,
    bell::Doorbell,
    buffer::{Buffer, BufferMut},
    connection::{Connection, PipeEnd, duplex, simplex},
    error::Error,
    plain::Plain,
    queue::{JoinableQueue, Payload, Queue, QueueBuilder, SimpleQueue, byte_queue},
    select::{Waitable, wait},
    shareable::Shareable,
    sync::{Barrier, BoundedSemaphore, Condition, Event, Lock, Mutex, RLock, Semaphore},
    value::Value,
};
