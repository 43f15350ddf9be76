//! What a caller waits for.

use super::{engine::Engine, failure, task};
use crate::wait::deadline;
use procession_process::PoolError;
use procession_process::byte_pool::{BytePool, Job, Outcome, Reply};
use procession_sys::Deadline;
use pyo3::exceptions::{PyStopIteration, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::OnceLockExt;
use pyo3::types::{PyList, PyTuple};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// The format of a result that never left this process: the place of an exception in `here`.
const HERE: u8 = 0xff;

/// A job of a pool: one call, or the calls of a map.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(crate) struct PoolJob {
    pub(super) job: Arc<Job>,
    pub(super) pool: Arc<BytePool>,
    /// Exceptions that were raised here, before there was a task.
    here: Mutex<Vec<Py<PyAny>>>,
    /// What came of it, once somebody has asked.
    value: OnceLock<(bool, Py<PyAny>)>,
    /// Results of the part that was taken last.
    ready: Mutex<Ready>,
}

#[derive(Default)]
struct Ready {
    outcomes: VecDeque<Outcome>,
    results: VecDeque<Py<PyAny>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits with the interpreter detached until `done` or the deadline; whether it is done.
///
/// # Errors
/// What a signal's handler raised; what ended the pool.
pub(super) fn wait(
    py: Python<'_>,
    pool: &BytePool,
    deadline: Deadline,
    done: impl Fn() -> bool + Send,
) -> PyResult<bool> {
    if done() {
        return Ok(true);
    }
    let mut raised = None;
    let result = py.detach(|| {
        let mut interrupt = || {
            raised = Python::attach(|py| py.check_signals().err());
            raised.is_some()
        };
        pool.wait_until(deadline, &mut interrupt, done)
    });
    match (raised, result) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(true),
        (None, Err(PoolError::TimedOut)) => Ok(false),
        (None, Err(error)) => Err(failure::exception(py, &error)),
    }
}

impl PoolJob {
    pub(super) fn over(pool: &Arc<BytePool>, job: Job) -> Self {
        Self {
            job: Arc::new(job),
            pool: Arc::clone(pool),
            here: Mutex::default(),
            value: OnceLock::new(),
            ready: Mutex::default(),
        }
    }

    /// Adds a part of so many calls that has failed before it was a task.
    pub(super) fn fail(&self, py: Python<'_>, calls: usize, error: &PyErr) {
        let place = {
            let mut here = lock(&self.here);
            here.push(error.value(py).clone().into_any().unbind());
            here.len() as u64 - 1
        };
        self.pool.end_part(&self.job, calls, Ok(Reply::of(HERE, &place.to_le_bytes())));
    }

    /// Whether a part returned, and what it returned or raised.
    fn open<'py>(&self, py: Python<'py>, outcome: Outcome) -> (bool, Bound<'py, PyAny>) {
        let opened = match outcome.map(Reply::into_parcel) {
            Ok(Ok(parcel)) => task::read_parcel(py, parcel),
            Ok(Err(reply)) => match reply.value() {
                (HERE, place) => {
                    let place = place.try_into().map_or(0, u64::from_le_bytes) as usize;
                    return (false, lock(&self.here)[place].bind(py).clone());
                }
                (_, value) => task::read(py, value),
            },
            Err(error) => Err(failure::exception(py, &error)),
        };
        opened.unwrap_or_else(|error| (false, error.value(py).clone().into_any()))
    }

    /// What came of it, decoded by whoever asks first.
    fn value<'py>(
        &self,
        py: Python<'py>,
        decode: impl FnOnce() -> (bool, Bound<'py, PyAny>),
    ) -> (bool, Bound<'py, PyAny>) {
        let (ok, value) = self.value.get_or_init_py_attached(py, || {
            let (ok, value) = decode();
            (ok, value.unbind())
        });
        (*ok, value.bind(py).clone())
    }

    fn outcomes(&self) -> VecDeque<Outcome> {
        let mut outcomes = VecDeque::new();
        self.job.state().take_some(usize::MAX, &mut outcomes);
        outcomes
    }

    /// What the one call returned or raised; it has ended.
    pub(super) fn single<'py>(&self, py: Python<'py>) -> (bool, Bound<'py, PyAny>) {
        self.value(py, || match self.outcomes().pop_front() {
            Some(outcome) => self.open(py, outcome),
            None => (false, missing(py)),
        })
    }

    /// The results of all parts in order; or the first exception in order.
    fn all<'py>(&self, py: Python<'py>) -> (bool, Bound<'py, PyAny>) {
        self.value(py, || {
            let list = PyList::empty(py);
            for outcome in self.outcomes() {
                match self.open(py, outcome) {
                    (true, results) => {
                        if let Err(error) = extend(&list, &results) {
                            return (false, error.value(py).clone().into_any());
                        }
                    }
                    (false, error) => return (false, error),
                }
            }
            (true, list.into_any())
        })
    }

    /// Appends the results that are there to `list`, up to the first failure; whether all has ended.
    ///
    /// What comes behind a failure is waited for, and not decoded.
    pub(super) fn gather<'py>(
        &self,
        list: &Bound<'py, PyList>,
        failed: &mut Option<Bound<'py, PyAny>>,
    ) -> PyResult<bool> {
        let mut outcomes = VecDeque::new();
        let is_over = {
            let mut state = self.job.state();
            state.take_some(usize::MAX, &mut outcomes);
            state.is_over()
        };
        for outcome in outcomes {
            if failed.is_some() {
                break;
            }
            match self.open(list.py(), outcome) {
                (true, results) => extend(list, &results)?,
                (false, error) => *failed = Some(error),
            }
        }
        Ok(is_over)
    }

    fn next_ready(&self, py: Python<'_>) -> Option<PyResult<Py<PyAny>>> {
        loop {
            let outcome = {
                let mut ready = lock(&self.ready);
                if let Some(result) = ready.results.pop_front() {
                    return Some(Ok(result));
                }
                if ready.outcomes.is_empty() {
                    self.job.state().take_some(64, &mut ready.outcomes);
                }
                ready.outcomes.pop_front()?
            };
            match self.open(py, outcome) {
                (true, results) => match results.cast::<PyList>() {
                    Ok(results) => {
                        let results = results.iter().map(Bound::unbind);
                        lock(&self.ready).results.extend(results);
                    }
                    Err(error) => return Some(Err(error.into())),
                },
                (false, error) => return Some(Err(PyErr::from_value(error))),
            }
        }
    }
}

fn extend(list: &Bound<'_, PyList>, results: &Bound<'_, PyAny>) -> PyResult<()> {
    list.set_slice(list.len(), list.len(), results)
}

fn missing(py: Python<'_>) -> Bound<'_, PyAny> {
    PyValueError::new_err("the job has no result").value(py).clone().into_any()
}

#[pymethods]
impl PoolJob {
    /// A job of `pool`; `kind` is "call", "map" or "unordered". `progress` is called with how many calls have
    /// ended, by whoever takes results in.
    #[new]
    #[pyo3(signature = (pool, kind="call", progress=None, *_arguments, **_names))]
    fn new(
        pool: &Bound<'_, Engine>,
        kind: &str,
        progress: Option<Py<PyAny>>,
        _arguments: &Bound<'_, PyTuple>,
        _names: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let job = match kind {
            "call" => Job::single(),
            "map" | "unordered" => {
                let tell = progress.map(|progress| {
                    Box::new(move |ended| {
                        Python::attach(|py| {
                            if let Err(error) = progress.call1(py, (ended,)) {
                                error.write_unraisable(py, Some(progress.bind(py)));
                            }
                        });
                    }) as _
                });
                Job::new(tell, kind == "unordered")
            }
            _ => return Err(PyValueError::new_err("a job is a call, a map, or unordered")),
        };
        Ok(Self::over(&pool.get().pool, job))
    }

    /// Whether all has ended.
    fn _is_over(&self, py: Python<'_>) -> PyResult<bool> {
        if !self.job.state().is_over() {
            self.pool.take_in_now().map_err(|error| failure::exception(py, &error))?;
        }
        Ok(self.job.state().is_over())
    }

    /// Waits until all has ended; whether it has.
    #[pyo3(signature = (timeout=None))]
    fn _wait(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let deadline = deadline(timeout)?;
        wait(py, &self.pool, deadline, || self.job.state().is_over())
    }

    /// Whether the function returned, and what it returned or raised. All has ended.
    fn _outcome<'py>(&self, py: Python<'py>) -> (bool, Bound<'py, PyAny>) {
        self.single(py)
    }

    /// As `_outcome`, for a map: the list of all results, or the first exception.
    fn _outcomes<'py>(&self, py: Python<'py>) -> (bool, Bound<'py, PyAny>) {
        self.all(py)
    }

    /// Whether nothing has failed. All has ended.
    fn _has_succeeded(&self) -> bool {
        if let Some((ok, _)) = self.value.get() {
            return *ok;
        }
        let state = self.job.state();
        state.in_order().all(|outcome| {
            outcome.as_ref().is_ok_and(|reply| {
                let (format, value) = reply.value();
                format != HERE && value.first() == Some(&0)
            })
        })
    }

    /// The next result of a map.
    #[pyo3(signature = (timeout=None))]
    fn _next(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Py<PyAny>> {
        if let Some(result) = self.next_ready(py) {
            return result;
        }
        let deadline = deadline(timeout)?;
        let done = || {
            let state = self.job.state();
            state.has_next() || state.is_over()
        };
        if !wait(py, &self.pool, deadline, done)? {
            return Err(PyErr::from_type(failure::timeout(py)?.clone(), ()));
        }
        self.next_ready(py).unwrap_or_else(|| Err(PyStopIteration::new_err(())))
    }

    /// Has `function` called by the supervisor once all has ended.
    fn _when_over(&self, function: Py<PyAny>) {
        let call = move |_: &Job| {
            // Dropped in here, too: without the interpreter it would be kept until somebody's next call.
            Python::attach(move |py| {
                if let Err(error) = function.call0(py) {
                    error.write_unraisable(py, Some(function.bind(py)));
                }
            });
        };
        self.pool.when_over(&self.job, Box::new(call));
    }

    /// Takes back what has not ended; a worker that runs some of it is killed. Whether there was any.
    fn _cancel(&self, py: Python<'_>) -> bool {
        py.detach(|| self.pool.cancel(&self.job))
    }

    /// Takes back what no worker has begun with; whether there was any.
    fn _withdraw(&self, py: Python<'_>) -> bool {
        py.detach(|| self.pool.withdraw(&self.job))
    }

    /// Whether a worker has begun with the call and not ended it, as far as is known.
    fn _is_running(&self) -> bool {
        self.pool.is_running(&self.job)
    }

    /// How many tasks were submitted, how many of them have ended, and whether there will be more.
    #[getter]
    fn _counts(&self) -> (usize, usize, bool) {
        let state = self.job.state();
        (state.submitted, state.ended, !state.is_sealed())
    }
}
