//! What `multiprocessing.synchronize` builds its locks and semaphores on, over the engine's.

use super::object::Object;
use super::with::Functions;
use crate::family;
use crate::shared::Block;
use crate::wait::{deadline, raise, wait};
use procession_ipc::Error;
use procession_ipc::sync::InnerLock;
use procession_shm::Handle;
use procession_sys::atomic::Ordering::Relaxed;
use procession_sys::{Deadline, forked};
use pyo3::exceptions::{PyAssertionError, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64};
use std::sync::{Arc, OnceLock};

/// As in `multiprocessing.synchronize`.
pub(super) const RECURSIVE_MUTEX: i32 = 0;
const SEMAPHORE: i32 = 1;
pub(super) const SEM_VALUE_MAX: u32 = i32::MAX as u32;

/// The base of `Lock`, `RLock`, `Semaphore` and `BoundedSemaphore`, with the methods of
/// `_multiprocessing.SemLock`.
///
/// An object is made empty, so that subclasses may have constructors of their own; `_make` or `_attach`
/// fills it in.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(crate) struct SemLock {
    state: OnceLock<Arc<State>>,
    functions: Functions,
}

pub(crate) struct State {
    object: Object,
    maxvalue: u32,
    /// How often this process has taken it more than given it; see `since`.
    count: AtomicI64,
    /// The thread that took it last.
    thread: AtomicU64,
    /// The fork generation that `count` is of: in the child of a fork it is 0.
    since: AtomicU32,
}

/// A number for the calling thread that no other living thread of this process has.
#[inline]
fn this_thread() -> u64 {
    // SAFETY: it only reads what the C library knows of this thread.
    unsafe { libc::pthread_self() as u64 }
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
    pub(super) fn count(&self) -> i64 {
        let now = forked::generation();
        if self.since.load(Relaxed) != now {
            self.count.store(0, Relaxed);
            self.since.store(now, Relaxed);
        }
        self.count.load(Relaxed)
    }

    pub(super) fn object(&self) -> &Object {
        &self.object
    }

    #[inline]
    pub(super) fn is_mine(&self) -> bool {
        self.is_held(self.count())
    }

    /// Whether this thread holds what is counted `count` times.
    #[inline]
    fn is_held(&self, count: i64) -> bool {
        count > 0 && self.thread.load(Relaxed) == this_thread()
    }

    #[inline]
    fn note_taken(&self, count: i64) {
        self.count.store(count, Relaxed);
        self.thread.store(this_thread(), Relaxed);
    }

    /// Counts it as not taken, for a wait that gives it back.
    pub(super) fn note_given_back(&self) {
        self.count.store(0, Relaxed);
    }

    pub(super) fn count_again(&self, count: i64) {
        self.count.store(count, Relaxed);
    }

    /// Takes it if that takes no waiting. For who has the interpreter's lock, as all are who count, so
    /// that nobody else counts meanwhile.
    #[inline]
    pub(crate) fn try_acquire(&self) -> bool {
        let count = self.count();
        // The lock inside an object does not know how often it was taken.
        let taken = matches!(self.object, Object::Inner(_)) && self.is_held(count)
            || self.object.try_acquire();
        if taken {
            self.note_taken(count + 1);
        }
        taken
    }

    /// Whether this thread holds it and could take it again.
    #[inline]
    pub(crate) fn is_held_again(&self) -> bool {
        self.object.is_recursive() && self.is_mine()
    }

    /// Takes it; `false` if that was not possible at once, or within `timeout` seconds.
    #[inline]
    pub(crate) fn acquire(
        &self,
        py: Python<'_>,
        block: bool,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        let deadline = if timeout.is_some() && block { Some(deadline(timeout)?) } else { None };
        if self.try_acquire() {
            return Ok(true);
        }
        if !block || deadline.is_some_and(|deadline| deadline.expired()) {
            return Ok(false);
        }
        self.sleep(py, deadline.unwrap_or_else(Deadline::never))
    }

    #[cold]
    fn sleep(&self, py: Python<'_>, deadline: Deadline) -> PyResult<bool> {
        let taken = wait(py, |interrupt| self.object.acquire_until(deadline, interrupt))?.is_some();
        if taken {
            self.note_taken(self.count() + 1);
        }
        Ok(taken)
    }

    #[inline]
    pub(crate) fn release(&self) -> PyResult<()> {
        let count = self.count();
        if self.object.is_recursive() && !self.is_held(count) {
            return Err(PyAssertionError::new_err(
                "attempt to release recursive lock not owned by thread",
            ));
        }
        if !matches!(self.object, Object::Inner(_)) || count == 1 {
            self.object.release().map_err(|error| match error {
                Error::ReleasedTooOften => PyValueError::new_err(error.to_string()),
                error => raise(&error),
            })?;
        }
        self.count.store(count - 1, Relaxed);
        Ok(())
    }
}

impl SemLock {
    #[inline]
    pub(crate) fn state(&self) -> PyResult<&State> {
        self.shared_state().map(|state| &**state)
    }

    #[inline]
    pub(super) fn shared_state(&self) -> PyResult<&Arc<State>> {
        self.state
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the lock's __init__ was not called"))
    }

    #[inline]
    pub(super) fn bound(&self) -> &Functions {
        &self.functions
    }

    fn fill(&self, object: Result<Object, Error>, maxvalue: u32) -> PyResult<()> {
        let state = State::new(object.map_err(|error| raise(&error))?, maxvalue);
        self.state
            .set(Arc::new(state))
            .map_err(|_| PyRuntimeError::new_err("the lock's __init__ was called before"))
    }
}

#[pymethods]
impl SemLock {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, pyo3::types::PyDict>>) -> Self {
        Self { state: OnceLock::new(), functions: Functions::new() }
    }

    #[pyo3(signature = (kind, value, maxvalue, recover = false))]
    fn _make(&self, kind: i32, value: i64, maxvalue: u32, recover: bool) -> PyResult<()> {
        let value = u32::try_from(value)
            .ok()
            .filter(|value| *value <= maxvalue)
            .ok_or_else(|| PyOSError::new_err((libc::EINVAL, "Invalid argument")))?;
        self.fill(Object::make(kind, value, maxvalue, recover), maxvalue)
    }

    fn _attach(&self, family: u64, handle: u64, kind: i32, maxvalue: u32) -> PyResult<()> {
        let family = family::find(family)?;
        let handle = Handle::from_bits(handle)
            .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
        self.fill(Object::attach(family, handle, kind, maxvalue), maxvalue)
    }

    /// The lock inside the object whose memory `block` is.
    fn _make_inner(&self, block: &Bound<'_, Block>) -> PyResult<()> {
        self.fill(Ok(Object::Inner(InnerLock::inside(block.get().held()?.clone()))), 1)
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
        Ok(if self.state()?.object.is_recursive() { RECURSIVE_MUTEX } else { SEMAPHORE })
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

    #[pyo3(signature = (_kind = None, _value = None, _traceback = None))]
    fn __exit__(
        &self,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
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
        self.state()?.note_given_back();
        Ok(())
    }

    /// Whether the holder before this one died with it. For the holder of a lock that was made with
    /// `recover=True`, or of the one inside a value or an array.
    fn owner_died(&self) -> PyResult<bool> {
        Ok(self.state()?.object.owner_died())
    }

    fn locked(&self) -> PyResult<bool> {
        Ok(self.state()?.object.value() == 0)
    }
}
