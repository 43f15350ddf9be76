//! The pool, as `procession.pool` uses it.

use super::crew::{Reason, Staff};
use super::failure;
use super::job::{PoolJob, wait};
use super::task::{self, Function, Kind, Letter};
use crate::codec::Serializer;
use crate::wait::deadline;
use procession_process::PoolError;
use procession_process::byte_pool::{BytePool, Job, Plan};
use procession_sys::{Deadline, forked};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A pool of `workers` that `staff` starts, see `procession.pool`.
///
/// It needs a thread that calls `supervise`.
#[pyclass(frozen, name = "PoolEngine", module = "procession._core")]
pub(crate) struct Engine {
    pub(super) pool: Arc<BytePool>,
    pub(super) serializer: Serializer,
    pub(super) workers: usize,
    /// The function of the last task: most pools call one.
    last: Mutex<Option<Arc<Function>>>,
    reason: Reason,
    /// The fork generation of the process that made it, whose it stays.
    born: u32,
}

impl Engine {
    /// A function, as it goes into tasks.
    pub(super) fn function(&self, function: &Bound<'_, PyAny>) -> PyResult<Arc<Function>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(last) = last.filter(|last| last.is(function)) {
            return Ok(last);
        }
        let new = Arc::new(Function::of(function, &self.serializer)?);
        if !new.is_named() {
            return Ok(new);
        }
        let kept = Some(Arc::clone(&new));
        let old =
            std::mem::replace(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner), kept);
        drop(old);
        Ok(new)
    }

    fn put(
        &self,
        job: &PoolJob,
        function: &Bound<'_, PyAny>,
        places: &Bound<'_, PyAny>,
        names: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        if names.is_truthy()? {
            let both = PyTuple::new(function.py(), [places, names])?;
            self.put_as(Kind::CallByName, job, function, both.as_any())
        } else {
            self.put_as(Kind::Call, job, function, places)
        }
    }

    fn put_as(
        &self,
        kind: Kind,
        job: &PoolJob,
        function: &Bound<'_, PyAny>,
        arguments: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let py = function.py();
        if self.born != forked::generation() {
            return Err(failure::exception(py, &PoolError::Closed));
        }
        let family = self.pool.family();
        let letter = self.function(function).and_then(|function| {
            function.task(kind, arguments, &self.serializer, family, Vec::new())
        });
        match letter {
            Ok(letter) => self.post(py, job, 1, letter).map(drop),
            // What does not pickle is the job's result, as in stock.
            Err(error) => {
                job.fail(py, 1, &error);
                Ok(())
            }
        }
    }

    /// Puts a task of so many calls; the memory of its bytes, to be used again.
    pub(super) fn post(
        &self,
        py: Python<'_>,
        job: &PoolJob,
        calls: usize,
        letter: Letter,
    ) -> PyResult<Vec<u8>> {
        let Letter { bytes, parcel } = letter;
        let posted = match parcel {
            None => self.pool.submit(&job.job, calls, task::message(bytes)),
            // A copy may be made of it.
            Some(task) => {
                py.detach(|| self.pool.submit_parcel(&job.job, calls, task)).map(|()| bytes)
            }
        };
        posted.map_err(|error| failure::exception(py, &error))
    }

    fn reason(&self, py: Python<'_>, error: &PoolError) -> PyErr {
        let reason = self.reason.lock().unwrap_or_else(PoisonError::into_inner).take();
        reason.unwrap_or_else(|| failure::exception(py, error))
    }
}

#[pymethods]
impl Engine {
    #[new]
    fn new(
        py: Python<'_>,
        workers: usize,
        staff: Py<PyAny>,
        has_initializer: bool,
        retries: u32,
        task_timeout: Option<f64>,
        serializer: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let serializer = Serializer::from_option(serializer)?;
        let reason = Reason::default();
        let crew = Box::new(Staff { staff, reason: Arc::clone(&reason) });
        let task_timeout = task_timeout.map(|seconds| {
            Duration::try_from_secs_f64(seconds).unwrap_or_default().max(Duration::from_millis(1))
        });
        let plan = Plan { workers, crew, has_initializer, retries, task_timeout };
        match py.detach(|| BytePool::new(plan)) {
            Ok(pool) => {
                let (last, born) = (Mutex::default(), forked::generation());
                Ok(Self { pool, serializer, workers, last, reason, born })
            }
            Err(error) => {
                let reason = reason.lock().unwrap_or_else(PoisonError::into_inner).take();
                Err(reason.unwrap_or_else(|| failure::exception(py, &error)))
            }
        }
    }

    /// Keeps the pool at its size until it is over and its workers have ended. For a thread of its own.
    fn supervise(&self, py: Python<'_>) {
        py.detach(|| self.pool.supervise());
    }

    /// Submits the call of a function; `job` is told.
    fn submit(
        &self,
        job: &Bound<'_, PoolJob>,
        function: &Bound<'_, PyAny>,
        places: &Bound<'_, PyAny>,
        names: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        self.put(job.get(), function, places, names)
    }

    /// Calls a function in a worker, and waits for what it returns.
    fn apply<'py>(
        &self,
        function: &Bound<'py, PyAny>,
        places: &Bound<'py, PyAny>,
        names: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = function.py();
        let job = PoolJob::over(&self.pool, Job::single());
        self.put(&job, function, places, names)?;
        wait(py, &self.pool, Deadline::never(), || job.job.state().is_over())?;
        match job.single(py) {
            (true, value) => Ok(value),
            (false, error) => Err(failure::after_signals(py, error)),
        }
    }

    /// Starts the workers that are missing.
    fn fill(&self, py: Python<'_>) -> PyResult<()> {
        py.detach(|| self.pool.fill()).map_err(|error| self.reason(py, &error))
    }

    /// How many tasks have not ended.
    #[getter]
    fn outstanding(&self, py: Python<'_>) -> PyResult<usize> {
        self.pool.take_in_now().map_err(|error| failure::exception(py, &error))?;
        Ok(self.pool.outstanding())
    }

    /// What ended the pool before its time: an exception, or `None`.
    #[getter]
    fn failure<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let error = self.pool.failure()?;
        Some(failure::exception(py, &error).value(py).clone().into_any())
    }

    /// Takes no more tasks; those that it has are done.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.pool.close());
    }

    /// Ends the pool now, and its workers.
    fn terminate(&self, py: Python<'_>) {
        py.detach(|| self.pool.end(PoolError::Terminated));
    }

    /// Waits until all tasks have ended; whether they have.
    #[pyo3(signature = (timeout=None))]
    fn drain(&self, py: Python<'_>, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        let deadline = deadline(timeout)?;
        let mut raised = None;
        let result = py.detach(|| {
            let mut interrupt = || {
                raised = Python::attach(|py| py.check_signals().err());
                raised.is_some()
            };
            self.pool.drain(deadline, &mut interrupt)
        });
        match (raised, result) {
            (Some(error), _) => Err(error),
            (None, Ok(())) => Ok(true),
            (None, Err(PoolError::TimedOut)) => Ok(false),
            (None, Err(error)) => Err(failure::exception(py, &error)),
        }
    }
}
