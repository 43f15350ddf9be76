//! Locks between processes, with the names and the meaning of Python's `multiprocessing`.
//!
//! | type | may be released by | if its holder is killed |
//! |---|---|---|
//! | [`Lock`] | anybody | it stays locked, as in Python, unless it was made to recover |
//! | [`RLock`] | the thread that holds it | the same |
//! | [`Semaphore`], [`BoundedSemaphore`] | anybody | what it had taken stays taken |
//! | [`Mutex`] | the holder's guard | the next owner gets it, and is told |
//! | [`Condition`] | as its lock | a killed waiter is passed by |
//! | [`Event`] | anybody | it stays as it is |
//! | [`Barrier`] | | a party killed while it waits breaks it |
//!
//! Each is eight bytes in a message. `try_x` never waits, `x_timeout` waits that long at most, `x`
//! waits. `x_until` is what the others are made of: it takes a deadline, and a function that is asked
//! after a signal whether to go on; a front door with its own signal handlers needs that.
//!
//! | room | holds |
//! |---|---|
//! | `words` | the algorithms, which loom checks |
//! | `latch` | an object's lock word, taken and given back by this process |
//! | one file a type | the words, in the arena, with the family's deaths |

#[cfg(not(loom))]
mod barrier;
#[cfg(not(loom))]
mod condition;
#[cfg(not(loom))]
mod event;
#[cfg(not(loom))]
mod inner;
#[cfg(not(loom))]
mod latch;
#[cfg(not(loom))]
mod lock;
#[cfg(not(loom))]
mod mutex;
#[cfg(not(loom))]
mod news;
#[cfg(not(loom))]
mod rlock;
#[cfg(not(loom))]
mod semaphore;
mod words;

#[cfg(not(loom))]
pub(crate) use latch::{Latch, gave_up};
#[cfg(not(loom))]
pub use {
    barrier::Barrier,
    condition::{Condition, ConditionGuard},
    event::Event,
    inner::InnerLock,
    latch::Holder,
    lock::{Lock, LockGuard},
    mutex::{Mutex, MutexError, MutexGuard, OwnerDied},
    rlock::{RLock, RLockGuard},
    semaphore::{BoundedSemaphore, Permit, Semaphore},
};
