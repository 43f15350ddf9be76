//! Queues.
//!
//! | room | holds |
//! |---|---|
//! | `carrier` | Python objects in and out of a queue of the engine, with waiting |
//! | `bells` | descriptors for those who poll a queue |
//! | `queue` | the base of `Queue` and `JoinableQueue` |
//! | `simple` | the base of `SimpleQueue`: a pipe with an end |
//! | `hosted` | a manager's queue |
//! | `exceptions` | what Python raises of queues |

mod bells;
mod carrier;
mod exceptions;
mod hosted;
#[expect(clippy::module_inception, reason = "the room of the class of that name")]
mod queue;
mod simple;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<queue::Queue>()?;
    module.add_class::<hosted::HostedQueue>()?;
    module.add_class::<simple::SimpleQueue>()
}
