//! What `multiprocessing.synchronize` builds its locks and semaphores on, over the engine's.

use crate::family;
use crate::wait::{deadline, raise, wait};
use procession_ipc::{BoundedSemaphore, Error, Lock, RLock, Semaphore, Shareable};
use procession_shm::Handle;
use procession_sys::atomic::Ordering::Relaxed;
use procession_sys::{Deadline, forked};
use pyo3::exceptions::{PyAssertionError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};

/// As in `multiprocessing.synchronize`.
const RECURSIVE_MUTEX: i32 = 0;
const SEMAPHORE: i32 = 1;
const SEM_VALUE_MAX: u32 = i32::MAX as u32;

/// The base of `Lock`, `RLock`, `Semaphore` and `BoundedSemaphore`, with the methods of
/// `_multiprocessing.SemLock`.
///
/// An object is made empty, so that subclasses may have constructors of their own; `_make` or `_attach`
/// fills it in.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct SemLock {
    state: OnceLock<State>,
}

struct State {
    object: Object,
    maxvalue: u32,
    /// How often this process has taken it more than given it; see `since`.
    count: AtomicI64,
    /// The thread that took it last.
    thread: AtomicU64,
    /// The fork generation that `count` is of: in the child of a fork it is 0.
    since: AtomicU32,
}

enum Object {
    Lock(Lock),
    RLock(RLock),
    Semaphore(Semaphore),
    Bounded(BoundedSemaphore),
}

impl Object {
    fn make(kind: i32, value: u32, maxvalue: u32) -> Result<Self, Error> {
        Ok(match (kind, maxvalue) {
            (RECURSIVE_MUTEX, _) => Self::RLock(RLock::new()?),
            (_, 1) => Self::Lock(Lock::new()?),
            (_, SEM_VALUE_MAX) => Self::Semaphore(Semaphore::new(value)?),
            _ => Self::Bounded(BoundedSemaphore::new(value)?),
        })
    }

    fn attach(
        family: &'static procession_shm::Family,
        handle: Handle,
        kind: i32,
        maxvalue: u32,
    ) -> Result<Self, Error> {
        Ok(match (kind, maxvalue) {
            (RECURSIVE_MUTEX, _) => Self::RLock(RLock::attach(family, handle)?),
            (_, SEM_VALUE_MAX) => Self::Semaphore(Semaphore::attach(family, handle)?),
            (_, 1) => Self::Lock(Lock::attach(family, handle)?),
            _ => Self::Bounded(BoundedSemaphore::attach(family, handle)?),
        })
    }

    fn held(&self) -> &procession_shm::Held {
        match self {
            Self::Lock(lock) => lock.held(),
            Self::RLock(lock) => lock.held(),
            Self::Semaphore(semaphore) => semaphore.held(),
            Self::Bounded(semaphore) => semaphore.held(),
        }
    }

    #[inline]
    fn try_acquire(&self) -> bool {
        match self {
            Self::Lock(lock) => lock.try_acquire(),
            Self::RLock(lock) => lock.try_acquire(),
            Self::Semaphore(semaphore) => semaphore.try_acquire(),
            Self::Bounded(semaphore) => semaphore.try_acquire(),
        }
    }

    fn acquire_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        match self {
            Self::Lock(lock) => lock.acquire_until(deadline, interrupt),
            Self::RLock(lock) => lock.acquire_until(deadline, interrupt),
            Self::Semaphore(semaphore) => semaphore.acquire_until(deadline, interrupt),
            Self::Bounded(semaphore) => semaphore.acquire_until(deadline, interrupt),
        }
    }

    #[inline]
    fn release(&self) -> Result<(), Error> {
        match self {
            Self::Lock(lock) => lock.release(),
            Self::RLock(lock) => lock.release(),
            Self::Semaphore(semaphore) => semaphore.release(),
            Self::Bounded(semaphore) => semaphore.release(),
        }
    }

    fn value(&self) -> u32 {
        match self {
            Self::Lock(lock) => u32::from(!lock.is_locked()),
            Self::RLock(lock) => u32::from(!lock.is_locked()),
            Self::Semaphore(semaphore) => semaphore.value(),
            Self::Bounded(semaphore) => semaphore.value(),
        }
    }
}

/// A number for the calling thread that no other living thread of this process has.
#[inline]
fn this_thread() -> u64 {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr() as u64)
}

impl State {
    fn new(object: Object, maxvalue: u32) -> Self {
        Self {
            object,
            maxvalue,
            count: AtomicI64::new(0),
            thread: AtomicU64::new(0),
            since: AtomicU32::new(forked::generation()),
        }
    }

    #[inline]
    fn count(&self) -> i64 {
        let now = forked::generation();
        if self.since.load(Relaxed) != now {
            self.count.store(0, Relaxed);
            self.since.store(now, Relaxed);
        }
        self.count.load(Relaxed)
    }

    #[inline]
    fn is_mine(&self) -> bool {
        self.count() > 0 && self.thread.load(Relaxed) == this_thread()
    }

    #[inline]
    fn note_taken(&self) {
        self.count();
        self.count.fetch_add(1, Relaxed);
        self.thread.store(this_thread(), Relaxed);
    }

    #[inline]
    fn acquire(
        &self,
        py: Python<'_>,
        block: bool,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let deadline = if timeout.is_some() && block { Some(deadline(timeout)?) } else { None };
        let taken = self.object.try_acquire()
            || block
                && match deadline {
                    Some(deadline) if deadline.expired() => false,
                    deadline => self.sleep(py, deadline.unwrap_or_else(Deadline::never))?,
                };
        if taken {
            self.note_taken();
        }
        Ok(taken)
    }

    #[cold]
    fn sleep(&self, py: Python<'_>, deadline: Deadline) -> PyResult<bool> {
        let taken = wait(py, |interrupt| self.object.acquire_until(deadline, interrupt))?;
        Ok(taken.is_some())
    }

    #[inline]
    fn release(&self) -> PyResult<()> {
        if matches!(self.object, Object::RLock(_)) && !self.is_mine() {
            return Err(PyAssertionError::new_err(
                "attempt to release recursive lock not owned by thread",
            ));
        }
        self.object.release().map_err(|error| match error {
            Error::ReleasedTooOften => PyValueError::new_err(error.to_string()),
            error => raise(&error),
        })?;
        self.count();
        self.count.fetch_sub(1, Relaxed);
        Ok(())
    }
}

impl SemLock {
    #[inline]
    fn state(&self) -> PyResult<&State> {
        self.state
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the lock's __init__ was not called"))
    }

    fn fill(&self, object: Result<Object, Error>, maxvalue: u32) -> PyResult<()> {
        let state = State::new(object.map_err(|error| raise(&error))?, maxvalue);
        self.state
            .set(state)
            .map_err(|_| PyRuntimeError::new_err("the lock's __init__ was called before"))
    }
}

#[pymethods]
impl SemLock {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, pyo3::types::PyDict>>) -> Self {
        Self { state: OnceLock::new() }
    }

    fn _make(&self, kind: i32, value: i64, maxvalue: u32) -> PyResult<()> {
        let value = u32::try_from(value)
            .ok()
            .filter(|value| *value <= maxvalue)
            .ok_or_else(|| PyOSError::new_err((libc::EINVAL, "Invalid argument")))?;
        self.fill(Object::make(kind, value, maxvalue), maxvalue)
    }

    fn _attach(&self, family: u64, handle: u64, kind: i32, maxvalue: u32) -> PyResult<()> {
        let family = family::find(family)?;
        let handle = Handle::from_bits(handle)
            .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
        self.fill(Object::attach(family, handle, kind, maxvalue), maxvalue)
    }

    /// The number of the family that the object belongs to.
    #[getter]
    fn _family(&self) -> PyResult<u64> {
        Ok(self.state()?.object.held().family().arena().id())
    }

    #[getter]
    fn handle(&self) -> PyResult<u64> {
        Ok(self.state()?.object.held().handle().to_bits())
    }

    #[getter]
    fn kind(&self) -> PyResult<i32> {
        let is_recursive = matches!(self.state()?.object, Object::RLock(_));
        Ok(if is_recursive { RECURSIVE_MUTEX } else { SEMAPHORE })
    }

    #[getter]
    fn maxvalue(&self) -> PyResult<u32> {
        Ok(self.state()?.maxvalue)
    }

    /// Takes it; `False` if that was not possible at once, or within `timeout` seconds.
    #[pyo3(signature = (block = true, timeout = None))]
    fn acquire(
        &self,
        py: Python<'_>,
        block: bool,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        self.state()?.acquire(py, block, timeout)
    }

    /// Gives it back.
    fn release(&self) -> PyResult<()> {
        self.state()?.release()
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.state()?.acquire(py, true, None)
    }

    #[pyo3(signature = (*_args))]
    fn __exit__(&self, _args: &Bound<'_, PyTuple>) -> PyResult<()> {
        self.state()?.release()
    }

    fn _count(&self) -> PyResult<i64> {
        Ok(self.state()?.count())
    }

    fn _is_mine(&self) -> PyResult<bool> {
        Ok(self.state()?.is_mine())
    }

    fn _get_value(&self) -> PyResult<u32> {
        Ok(self.state()?.object.value())
    }

    fn _is_zero(&self) -> PyResult<bool> {
        Ok(self.state()?.object.value() == 0)
    }

    fn _after_fork(&self) -> PyResult<()> {
        self.state()?.count.store(0, Relaxed);
        Ok(())
    }

    fn locked(&self) -> PyResult<bool> {
        Ok(self.state()?.object.value() == 0)
    }
}
