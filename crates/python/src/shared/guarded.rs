//! A ctypes object with its lock.

use super::block::Block;
use super::element::Element;
use crate::sync::SemLock;
use procession_shm::Region;
use pyo3::prelude::*;

/// A ctypes object, its lock, and the memory below, where both are ours.
pub(super) struct Guarded {
    pub(super) obj: Py<PyAny>,
    pub(super) lock: Py<PyAny>,
    own_lock: Option<Py<SemLock>>,
    pub(super) memory: Option<Memory>,
    /// The elements, if they are numbers that need no ctypes.
    pub(super) numbers: Option<Memory>,
}

/// The elements of a block; the object keeps the block in being.
#[derive(Clone, Copy)]
pub(super) struct Memory {
    pub(super) data: Region,
    pub(super) element: Element,
}

impl Guarded {
    /// `block` is the memory that `obj` is laid over, whole, if it is ours.
    pub(super) fn new(
        obj: Bound<'_, PyAny>,
        lock: Bound<'_, PyAny>,
        block: Option<&Bound<'_, Block>>,
    ) -> PyResult<Self> {
        let memory = match block.map(|block| block.get()) {
            Some(block) => Some(Memory { data: block.data()?, element: block.element()? }),
            None => None,
        };
        let own_lock = lock.cast::<SemLock>().ok().map(|lock| lock.clone().unbind());
        let numbers = memory.filter(|memory| memory.element.is_number());
        Ok(Self { obj: obj.unbind(), lock: lock.unbind(), own_lock, memory, numbers })
    }

    /// Does `work` under the lock.
    #[inline]
    pub(super) fn locked<R>(
        &self,
        py: Python<'_>,
        work: impl FnOnce() -> PyResult<R>,
    ) -> PyResult<R> {
        let Some(lock) = &self.own_lock else {
            self.lock.bind(py).call_method0("acquire")?;
            let result = work();
            self.lock.bind(py).call_method0("release")?;
            return result;
        };
        let lock = lock.get().state()?;
        if lock.is_held_again() {
            return work();
        }
        if !lock.try_acquire() {
            lock.acquire(py, true, None)?;
        }
        let result = work();
        lock.release()?;
        result
    }

    #[inline]
    pub(super) fn enter(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match &self.own_lock {
            Some(lock) => {
                let taken = lock.get().state()?.acquire(py, true, None)?;
                Ok(taken.into_pyobject(py)?.to_owned().into_any().unbind())
            }
            None => Ok(self.lock.bind(py).call_method0("__enter__")?.unbind()),
        }
    }

    #[inline]
    pub(super) fn exit(&self, py: Python<'_>) -> PyResult<()> {
        match &self.own_lock {
            Some(lock) => lock.get().state()?.release(),
            None => {
                let none = py.None();
                let nothing = (none.clone_ref(py), none.clone_ref(py), none);
                self.lock.bind(py).call_method1("__exit__", nothing)?;
                Ok(())
            }
        }
    }
}
