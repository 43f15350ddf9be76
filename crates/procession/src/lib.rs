//! Parallel work in processes, with the vocabulary of Python's `multiprocessing`.
//!
//! ```no_run
//! use procession::{Pool, Process, Queue};
//!
//! fn main() -> Result<(), procession::Error> {
//!     procession::init(); // the first line: a child never returns from it
//!
//!     let queue = Queue::new()?;
//!     let writer = Process::spawn(|queue: Queue<u32>| (0..3).for_each(|n| queue.put(&n).unwrap()), queue.clone())?;
//!     for n in 0..3 {
//!         assert_eq!(queue.get()?, n);
//!     }
//!     writer.join()?;
//!
//!     let squares = Pool::new(4)?.map(|n: u64| n * n, 0..1000)?;
//!     assert_eq!(squares[31], 961);
//!     Ok(())
//! }
//! ```
//!
//! | chapter | names |
//! |---|---|
//! | processes | [`init`], [`init_with`], [`Tasks`], [`Process`], [`current_process`], [`parent_process`], [`active_children`], [`cpu_count`], [`fork`], [`Raised`] |
//! | pools | [`Pool`], [`AsyncResult`], [`MapResult`], [`Imap`] |
//! | programs | [`subprocess`] |
//! | messages | [`Queue`], [`JoinableQueue`], [`SimpleQueue`], [`Connection`], [`duplex`], [`simplex`], [`wait`] |
//! | shared state | [`Value`], [`Array`], [`Buffer`], [`Mutex`], [`Lock`], [`RLock`], [`Semaphore`], [`BoundedSemaphore`], [`Condition`], [`Event`], [`Barrier`] |
//! | other machines | [`manager`] |
//! | the host | [`inspect`], [`host`] |
//!
//! Python processes may belong to the same family: [`Process::python`] starts one, and [`Tasks`] are what a Python
//! program may start.
//!
//! All shared objects may travel in the arguments of processes and tasks, and in messages.
//!
//! # If a process dies
//! Nobody waits for it for ever, no message of another is lost or torn, and whoever asked for its work
//! is told. What it held goes back.
#![forbid(unsafe_code)]

#[cfg(feature = "indicatif")]
mod bar;
mod error;
pub mod host;
pub mod inspect;
pub mod manager;

#[cfg(feature = "indicatif")]
pub use bar::bar;
pub use error::Error;
pub use procession_ipc::{
    Array, Barrier, BoundedSemaphore, Buffer, BufferMut, Condition, Connection, Event,
    JoinableQueue, Lock, Mutex, Payload, Plain, Queue, QueueBuilder, RLock, Semaphore, SimpleQueue,
    Value, Waitable, array, duplex, simplex, sync, value, wait,
};
pub use procession_process::{
    AsyncResult, Child, CurrentProcess, Fork, ForkError, Imap, MapBuilder, MapResult, Panic,
    ParentProcess, Pool, PoolBuilder, PoolError, Process, ProcessBuilder, Signal, StartMethod,
    Stdio, Tasks, WorkerLost, active_children, cpu_count, current_process, fork, init, init_with,
    parent_process, python::Raised, subprocess,
};
