//! What can go wrong between processes.

use procession_shm::Family;
use std::any::type_name;

/// An error of a queue, a pipe, a lock or a shared value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Shared memory.
    #[error(transparent)]
    Shm(#[from] procession_shm::Error),
    /// Nothing came within the time.
    #[error("{what}: nothing within the time given")]
    TimedOut {
        /// What was waited for.
        what: &'static str,
    },
    /// Nothing is there now.
    #[error("the queue is empty")]
    Empty,
    /// There is no room now.
    #[error("the queue is full")]
    Full,
    /// The queue was shut down, or the other end of the pipe is gone.
    #[error("{what}")]
    Closed {
        /// What is closed, and how.
        what: &'static str,
    },
    /// A value cannot be encoded.
    #[error("cannot send a value of type {type_name}: {reason}")]
    Encode {
        /// The value's type.
        type_name: &'static str,
        /// Why.
        reason: String,
    },
    /// An object of one family cannot travel in a message of another: its handle says nothing there.
    #[error(
        "what belongs to family {object:#x} cannot be sent in a message of family {message:#x}; make \
         both in one family"
    )]
    OtherFamily {
        /// The number of the object's family.
        object: u64,
        /// The number of the family to which the queue or the receiver belongs.
        message: u64,
    },
    /// A message is not what was expected.
    #[error("the message is not a value of type {type_name}: {reason}")]
    Decode {
        /// The type that was expected.
        type_name: &'static str,
        /// Why it is not.
        reason: String,
    },
    /// A signal came while the call waited, and its handler asked to end the wait.
    #[error("{what}: interrupted by a signal")]
    Interrupted {
        /// What was waited for.
        what: &'static str,
    },
    /// Only who holds the lock may do this.
    #[error("cannot {attempted}: this thread does not hold the lock")]
    NotOwner {
        /// What was attempted.
        attempted: &'static str,
    },
    /// A lock that is free, or a semaphore at its bound, was released.
    #[error("semaphore or lock released too many times")]
    ReleasedTooOften,
    /// The last owner of a mutex died with it, and what it protects may be half changed.
    #[error(
        "the last owner of the mutex died with it, and what it protects may be half changed; look at \
         it and call recover()"
    )]
    OwnerDied,
    /// A party gave up, aborted or died at the barrier, or it was reset under the waiters.
    #[error(
        "the barrier is broken: a party gave up, aborted or died at it; reset() opens it again"
    )]
    BrokenBarrier,
    /// An index or range that the array does not have.
    #[error("the array has {len} elements, so {count} from {offset} on are out of bounds")]
    OutOfBounds {
        /// The first element that was asked for.
        offset: usize,
        /// How many were.
        count: usize,
        /// How many there are.
        len: usize,
    },
    /// A shape that an array cannot have.
    #[error("an array cannot have the shape {shape:?}: {reason}")]
    BadShape {
        /// The shape.
        shape: Vec<usize>,
        /// Why not.
        reason: &'static str,
    },
    /// Shared memory does not hold what it must.
    #[error("shared memory is damaged: {0}; a member of the family wrote where it must not")]
    Corrupt(&'static str),
    /// `task_done` was called more often than items were put.
    #[error("task_done() called too many times")]
    TaskDoneTooOften,
    /// Items of a joinable queue died with the processes that had taken them.
    #[error(
        "{count} items were taken by processes that ended before they called task_done(); the others \
         are not affected"
    )]
    ItemsLost {
        /// How many, since the last call that said so.
        count: usize,
    },
    /// More pollers on one object than it has doorbells.
    #[error("{0} processes or threads poll this object already, which is the most")]
    TooManyPollers(usize),
    /// The system refused something.
    #[error("cannot {attempted}: {source}")]
    System {
        /// What was attempted.
        attempted: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl Error {
    pub(crate) fn encode<T: ?Sized>(reason: String) -> Self {
        Self::Encode { type_name: type_name::<T>(), reason }
    }

    pub(crate) fn decode<T: ?Sized>(reason: String) -> Self {
        Self::Decode { type_name: type_name::<T>(), reason }
    }

    pub(crate) fn other_family(object: &Family, message: &Family) -> Self {
        Self::OtherFamily { object: object.arena().id(), message: message.arena().id() }
    }

    /// Whether the time was up, or nothing was there for a call that does not wait.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Empty | Self::Full)
    }

    /// Whether the other side has gone or closed.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed { .. })
    }

    /// Whether somebody who took part died at it: the owner of a mutex, a getter with items in hand, or
    /// (perhaps) a party of a barrier.
    pub fn is_peer_dead(&self) -> bool {
        matches!(self, Self::OwnerDied | Self::BrokenBarrier | Self::ItemsLost { .. })
    }

    /// Whether it is for want of memory.
    pub fn is_out_of_memory(&self) -> bool {
        matches!(self, Self::Shm(error) if error.is_out_of_memory())
    }
}
