//! Locks, semaphores, conditions, events, barriers.

mod sem_lock;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<sem_lock::SemLock>()
}
