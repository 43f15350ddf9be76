//! Objects that this process uses in the manager's memory: a manager of ours on a Unix socket lends it.
//!
//! The proxies are the same, and do the same; what an object in memory cannot do goes over the socket. Once the manager's death
//! is known, every call says that the connection is lost.
//!
//! | room | what it holds |
//! |---|---|
//! | `object` | finding the object in memory; what its errors mean |
//! | `batch` | items that a queue is put together |
//! | `queue`, `lock`, `value`, `array` | what each does there |

mod array;
mod batch;
mod lock;
mod object;
mod queue;
mod value;

pub(super) use object::{Near, encode, join};
