//! Conditions, over our locks.

use super::SemLock;
use super::object::Object;
use super::sem_lock::State as LockState;
use crate::wait::{deadline, raise, wait};
use procession_shm::Handle;
use pyo3::exceptions::{PyAssertionError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use std::sync::OnceLock;

/// The base of `Condition`. Made empty, as [`SemLock`] is.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct Condition {
    state: OnceLock<State>,
}

struct State {
    object: procession_ipc::Condition,
    lock: Py<SemLock>,
}

impl State {
    fn over(
        lock: &Bound<'_, SemLock>,
        of_lock: impl FnOnce(
            procession_ipc::Lock,
        ) -> Result<procession_ipc::Condition, procession_ipc::Error>,
        of_rlock: impl FnOnce(
            procession_ipc::RLock,
        ) -> Result<procession_ipc::Condition, procession_ipc::Error>,
    ) -> PyResult<Self> {
        let object = match lock.get().state()?.object() {
            Object::Lock(lock) => of_lock(lock.clone()),
            Object::RLock(lock) => of_rlock(lock.clone()),
            _ => return Err(PyTypeError::new_err("a condition needs a Lock or an RLock")),
        };
        Ok(Self { object: object.map_err(|error| raise(&error))?, lock: lock.clone().unbind() })
    }

    #[inline]
    fn lock(&self) -> PyResult<&LockState> {
        self.lock.get().state()
    }
}

impl Condition {
    #[inline]
    fn state(&self) -> PyResult<&State> {
        self.state
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the condition's __init__ was not called"))
    }

    fn fill(&self, state: State) -> PyResult<()> {
        self.state
            .set(state)
            .map_err(|_| PyRuntimeError::new_err("the condition's __init__ was called before"))
    }
}

#[pymethods]
impl Condition {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { state: OnceLock::new() }
    }

    /// Whether a condition can be made over that lock.
    #[staticmethod]
    fn _fits(lock: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(lock) = lock.cast::<SemLock>() else { return Ok(false) };
        Ok(matches!(lock.get().state()?.object(), Object::Lock(_) | Object::RLock(_)))
    }

    fn _make(&self, lock: &Bound<'_, SemLock>) -> PyResult<()> {
        use procession_ipc::Condition;
        self.fill(State::over(lock, Condition::with_lock, Condition::with_rlock)?)
    }

    fn _attach(&self, lock: &Bound<'_, SemLock>, handle: u64) -> PyResult<()> {
        use procession_ipc::Condition;
        let handle = Handle::from_bits(handle)
            .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
        self.fill(State::over(
            lock,
            |lock| Condition::attach_with_lock(handle, lock),
            |lock| Condition::attach_with_rlock(handle, lock),
        )?)
    }

    #[getter]
    fn handle(&self) -> PyResult<u64> {
        Ok(self.state()?.object.handle().to_bits())
    }

    #[getter]
    fn _lock(&self, py: Python<'_>) -> PyResult<Py<SemLock>> {
        Ok(self.state()?.lock.clone_ref(py))
    }

    /// How many wait now, as far as is known.
    fn _n_waiting(&self) -> PyResult<usize> {
        Ok(self.state()?.object.n_waiting())
    }

    /// As the lock's.
    #[pyo3(signature = (block = true, timeout = None))]
    fn acquire(
        &self,
        py: Python<'_>,
        block: bool,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        self.state()?.lock()?.acquire(py, block, timeout)
    }

    /// As the lock's.
    fn release(&self) -> PyResult<()> {
        self.state()?.lock()?.release()
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<bool> {
        self.state()?.lock()?.acquire(py, true, None)
    }

    #[pyo3(signature = (_kind = None, _value = None, _traceback = None))]
    fn __exit__(
        &self,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.state()?.lock()?.release()
    }

    /// Gives the lock back, waits for a notice, `timeout` seconds at most, and takes the lock again,
    /// as often as it was taken; whether there was a notice.
    #[pyo3(signature = (timeout = None))]
    fn wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let state = self.state()?;
        let lock = state.lock()?;
        if !lock.is_mine() {
            return Err(PyAssertionError::new_err("must acquire() condition before using wait()"));
        }
        let deadline = deadline(timeout)?;
        let count = lock.count();
        lock.note_given_back();
        let mut depth = 0;
        let ended = wait(py, |interrupt| {
            let (taken, ended) = state.object.wait_released(deadline, interrupt)?;
            depth = taken;
            ended
        });
        if depth == 0 {
            lock.count_again(count);
        }
        // By itself, not below the interpreter: who interrupts a waiter must not wait for the lock too.
        for _ in 0..depth {
            lock.acquire(py, true, None)?;
        }
        Ok(ended?.is_some())
    }

    /// Wakes `n` of those who wait, those first who have waited longest.
    #[pyo3(signature = (n = 1))]
    fn notify(&self, n: i64) -> PyResult<()> {
        let state = self.state()?;
        if !state.lock()?.is_mine() {
            return Err(PyAssertionError::new_err("lock is not owned"));
        }
        let count = u32::try_from(n.max(0)).unwrap_or(u32::MAX);
        state.object.notify(count).map_err(|error| raise(&error))
    }

    /// Wakes all who wait.
    fn notify_all(&self) -> PyResult<()> {
        self.notify(i64::MAX)
    }
}
