//! Queues between processes: any number of putters and getters, in any mixture of processes and
//! threads.
//!
//! | room | holds |
//! |---|---|
//! | `control` | the words in shared memory |
//! | `frame` | one item in a chunk |
//! | `ring` | the stream of chunks: begun, used again, given back |
//! | [`byte_queue`] | the queue of bytes: bounds, waiting, its end |
//! | `put`, `get` | the two sides |
//! | `fast` | the common case of both, short |
//! | `polled` | the descriptors of pollers |
//! | `tally`, `join` | what each process has in hand, and waiting until all is done |
//! | `patience` | when to spin and when to sleep |
//! | [`Queue`], [`JoinableQueue`], [`SimpleQueue`] | typed doors |
//!
//! The README beside this file has the parties, the steps, and what happens if one is killed at
//! each of them.

pub mod byte_queue;
mod control;
mod fast;
mod frame;
mod get;
mod join;
mod joinable;
mod patience;
mod payload;
mod polled;
mod put;
mod ring;
mod scratch;
mod simple;
mod tally;
mod typed;

pub use joinable::JoinableQueue;
pub use payload::Payload;
pub use simple::SimpleQueue;
pub use typed::{Queue, QueueBuilder};
