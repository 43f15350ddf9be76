//! Processes: start one, wait for it, end it, and never lose one.
//!
//! | room | what it holds |
//! |---|---|
//! | [`init`] | the first line of `main` |
//! | `process`, `builder`, `stdio` | [`Process`], a typed process, and its settings: [`ProcessBuilder`], [`Stdio`] |
//! | `children` | the children of this process, untyped: [`Child`], [`active_children`] |
//! | `current` | [`current_process`], [`parent_process`], [`cpu_count`] |
//! | `exit` | what happens to children at the end of a process |
//! | `panic` | [`Panic`], a panic as a value |
//! | `start` | [`StartMethod`]: zygote, exec, fork; the protocol is in `start/README.md` |
//! | [`python`] | processes that run Python, and Python's that run Rust |
//! | `error` | [`Error`], what can go wrong |

#![forbid(unsafe_code)]

mod builder;
mod children;
mod current;
mod error;
mod exit;
mod init;
mod panic;
mod pool;
mod process;
pub mod python;
mod start;
mod stdio;
pub mod subprocess;

pub use builder::ProcessBuilder;
pub use children::{Child, active_children};
pub use current::{CurrentProcess, ParentProcess, cpu_count, current_process, parent_process};
pub use error::Error;
pub use init::{init, init_with};
pub use panic::Panic;
pub use pool::{
    AsyncResult, Imap, MapBuilder, MapResult, Pool, PoolBuilder, PoolError, WorkerLost, byte_pool,
};
pub use process::Process;
pub use procession_sys::fork::{Fork, ForkError};
pub use procession_sys::image::ImageError;
pub use procession_sys::signal_name::Signal;
pub use python::Tasks;
pub use start::StartMethod;
pub use start::fork::fork;
pub use stdio::Stdio;
