//! Locks, semaphores, conditions, events, barriers.
//!
//! | room | holds |
//! |---|---|
//! | `object` | the engine's lock or semaphore |
//! | `sem_lock` | what the classes of locks and semaphores are built on |
//! | `condition`, `event`, `barrier` | what those are built on |
//! | `hot`, `direct` | methods that are called without PyO3 between |
//! | `with` | `with lock:` |

mod barrier;
mod condition;
pub(crate) mod direct;
mod event;
mod hosted;
mod hot;
mod object;
mod sem_lock;
mod with;

pub(crate) use sem_lock::SemLock;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<SemLock>()?;
    module.add_class::<condition::Condition>()?;
    module.add_class::<event::Event>()?;
    module.add_class::<barrier::Barrier>()?;
    module.add_class::<hosted::HostedLock>()?;
    hot::register(module)?;
    with::register(module)
}
