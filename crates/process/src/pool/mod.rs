//! Pools: a number of worker processes, and functions for them to run.
//!
//! | room | holds |
//! |---|---|
//! | [`Pool`], [`PoolBuilder`] | the doors |
//! | `map`, `imap` | maps, in chunks, with a bounded number under way |
//! | `result`, `job`, `reply` | what a caller waits for |
//! | `ledger` | which task is whose, and that it ends once |
//! | [`byte_pool`] | the pool below its types; taking results in |
//! | `crew` | who starts workers |
//! | `supervisor` | workers that end, new ones, timeouts, callbacks |
//! | `block`, `wire` | what is shared with the workers, and the messages |
//! | `post`, `worker`, `call` | the workers' side |
//!
//! The README beside this file has the parties, the steps, and what happens if one is killed at
//! each of them.

mod block;
mod builder;
pub mod byte_pool;
mod call;
mod crew;
mod error;
mod imap;
mod job;
mod ledger;
mod map;
#[expect(clippy::module_inception, reason = "the room's main piece has its name")]
mod pool;
mod post;
mod reply;
mod result;
mod supervisor;
mod wire;
mod worker;

pub use builder::PoolBuilder;
pub use error::{PoolError, WorkerLost};
pub use imap::Imap;
pub use map::MapBuilder;
pub use pool::Pool;
pub use result::{AsyncResult, MapResult};
