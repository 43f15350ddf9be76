//! Who starts a pool's workers, and what the pool knows of one.

use super::post::Post;
use super::worker::{Seed, work};
use crate::{Process, ProcessBuilder, StartMethod};
use std::os::fd::BorrowedFd;

/// Starts the workers of a pool.
pub trait Crew: Send + Sync {
    /// Starts a process that works at `post`.
    ///
    /// # Errors
    /// Why there is none; the pool ends with it.
    fn start(&self, post: Post) -> Result<Box<dyn Hand>, String>;
}

/// A worker, as its pool knows it.
///
/// All but [`reap`](Self::reap) are called under a lock of the pool: they must not wait, and run no code of a
/// user.
pub trait Hand: Send {
    /// Its process.
    fn pid(&self) -> i32;

    /// Readable once it has ended.
    fn sentinel(&self) -> BorrowedFd<'_>;

    /// Whether it has ended.
    fn has_ended(&self) -> bool;

    /// Asks it to end, in the way of those who started it.
    fn terminate(&self);

    /// Ends it now.
    fn kill(&self);

    /// Takes its exit code, minus the signal if one killed it, after it has ended.
    fn reap(self: Box<Self>) -> i32;
}

/// Workers that are processes of ours and run functions of this program.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) method: StartMethod,
    pub(super) initializer: Option<(u8, Vec<u8>)>,
    pub(super) most: Option<u64>,
    pub(super) max_memory: Option<u64>,
}

impl Crew for Typed {
    fn start(&self, post: Post) -> Result<Box<dyn Hand>, String> {
        let name = format!("PoolWorker-{}", post.number() + 1);
        let Self { method, initializer, most, max_memory } = self;
        let seed =
            Seed { post, initializer: initializer.clone(), most: *most, max_memory: *max_memory };
        ProcessBuilder::new()
            .name(name)
            .daemon(true)
            .start_method(*method)
            .spawn(work, seed)
            .map(|worker| Box::new(worker) as Box<dyn Hand>)
            .map_err(|error| error.to_string())
    }
}

impl Hand for Process<()> {
    fn pid(&self) -> i32 {
        self.pid()
    }

    fn sentinel(&self) -> BorrowedFd<'_> {
        self.sentinel()
    }

    fn has_ended(&self) -> bool {
        !self.is_alive()
    }

    fn terminate(&self) {
        Hand::kill(self);
    }

    fn kill(&self) {
        let _ = self.kill();
    }

    fn reap(self: Box<Self>) -> i32 {
        let exitcode = self.exitcode().unwrap_or(255);
        // Takes the seat back and buries what it held.
        let _ = self.join();
        exitcode
    }
}
