//! What can go wrong with shared memory.

use std::io;

/// An error of the shared memory floor.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system refused the arena.
    #[error("cannot {attempted} the shared memory arena: {source}; {remedy}")]
    System {
        /// What was attempted.
        attempted: &'static str,
        /// What to do about it.
        remedy: &'static str,
        /// Why.
        source: io::Error,
    },
    /// The arena's limit is reached.
    #[error(
        "the shared memory arena is full: {wanted} bytes wanted, {used} of {limit} in use; \
         free what is no longer needed or set PROCESSION_ARENA to a larger size (such as 8G) \
         before the first process of the family starts"
    )]
    ArenaFull {
        /// Bytes that were asked for.
        wanted: u64,
        /// Bytes in use.
        used: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// The system has no memory left for a block.
    #[error(
        "the system has no memory for {wanted} bytes of shared memory: {source}; \
         free memory or raise the limit of the control group"
    )]
    OutOfMemory {
        /// Bytes that were asked for.
        wanted: u64,
        /// Why.
        source: io::Error,
    },
    /// The arena was made by another build of procession.
    #[error(
        "the shared memory arena was made by another build of procession ({found} where this \
         build has {expected}); use the same version in all processes of a family"
    )]
    ForeignArena {
        /// What this build expects.
        expected: String,
        /// What the arena says.
        found: String,
    },
    /// The arena belongs to processes of another PID namespace.
    #[error(
        "the shared memory arena belongs to another PID namespace, where the same number is \
         another process; connect through a manager instead"
    )]
    ForeignNamespace,
    /// As many members as the ledger has seats for.
    #[error("the family has {0} members, which is the most; end some processes first")]
    TooManyMembers(usize),
    /// As many blocks as the table has room for.
    #[error("the arena has {0} blocks, which is the most; free some shared objects first")]
    TooManyBlocks(usize),
    /// The handle names an object that is gone, or of another kind.
    #[error("shared object {handle:#x} is {problem}")]
    BadHandle {
        /// The handle.
        handle: u64,
        /// Why it is bad.
        problem: &'static str,
    },
    /// `PROCESSION_ARENA` cannot be read.
    #[error("PROCESSION_ARENA={0:?} is not a size; write a number with K, M, G or T, such as 8G")]
    BadSize(String),
}

impl Error {
    /// Whether it is for want of memory.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::ArenaFull { .. } | Self::OutOfMemory { .. } | Self::TooManyBlocks(_))
    }
}
