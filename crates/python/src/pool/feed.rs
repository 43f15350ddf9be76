//! The tasks of a map, a bounded number ahead.

use super::engine::Engine;
use super::failure;
use super::job::{PoolJob, wait};
use super::task::{Function, Kind};
use procession_sys::Deadline;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyList, PyTuple};
use std::sync::{Arc, Mutex, PoisonError};

/// Tasks that are under way at most, while they are small.
const WINDOW: usize = 4096;
/// Bytes that are under way at most, as far as the last task tells.
const WINDOW_BYTES: usize = 8 << 20;

/// The arguments of a map, on their way into tasks.
#[pyclass(frozen, module = "procession._core")]
pub(super) struct Feed {
    engine: Py<Engine>,
    job: Py<PoolJob>,
    kind: Kind,
    chunksize: usize,
    is_bounded: bool,
    state: Mutex<State>,
}

struct State {
    function: Result<Arc<Function>, PyErr>,
    /// `None` at the end.
    items: Option<Py<PyIterator>>,
    /// Memory for the next task.
    scratch: Vec<u8>,
    window: usize,
}

enum Chunk<'py> {
    Of(Bound<'py, PyTuple>),
    Failed(PyErr),
    End,
}

#[pymethods]
impl Feed {
    /// `chunksize` of `items` make a task, which calls `function` with each, or with what each consists
    /// of if `star`. With `bounded` a limited number of tasks is under way at once.
    #[new]
    #[pyo3(signature = (engine, job, function, items, chunksize, star, bounded=true))]
    fn new(
        engine: &Bound<'_, Engine>,
        job: Py<PoolJob>,
        function: &Bound<'_, PyAny>,
        items: &Bound<'_, PyAny>,
        chunksize: usize,
        star: bool,
        bounded: bool,
    ) -> PyResult<Self> {
        if chunksize == 0 {
            return Err(PyValueError::new_err("a chunk has at least one item"));
        }
        let function = engine.get().function(function);
        let items = Some(items.try_iter()?.unbind());
        let state = State { function, items, scratch: Vec::new(), window: WINDOW };
        let kind = if star { Kind::Starmap } else { Kind::Map };
        let (engine, state) = (engine.clone().unbind(), Mutex::new(state));
        Ok(Self { engine, job, kind, chunksize, is_bounded: bounded, state })
    }

    /// Submits tasks until enough are under way; whether all are submitted.
    ///
    /// What is raised by the items' iterator, or by pickling, is a result of the job.
    fn fill(&self, py: Python<'_>) -> PyResult<bool> {
        let job = self.job.get();
        loop {
            let (window, has_more) = {
                let state = self.state();
                (state.window, state.items.is_some())
            };
            if !has_more {
                return Ok(true);
            }
            if self.is_bounded && self.under_way() >= window {
                return Ok(false);
            }
            match self.next_chunk(py) {
                Chunk::Of(chunk) => {
                    if let Err(error) = self.submit(py, &chunk)? {
                        job.fail(py, chunk.len(), &error);
                        return Ok(self.end());
                    }
                }
                Chunk::Failed(error) => {
                    job.fail(py, 1, &error);
                    return Ok(self.end());
                }
                Chunk::End => return Ok(self.end()),
            }
        }
    }

    /// Waits until fewer tasks are under way.
    fn wait_for_room(&self, py: Python<'_>) -> PyResult<()> {
        let low = self.low();
        let (job, pool) = (&self.job.get().job, &self.job.get().pool);
        let has_room = || {
            let state = job.state();
            state.submitted - state.ended <= low
        };
        wait(py, pool, Deadline::never(), has_room).map(drop)
    }

    /// Submits all that is left, waiting for room when it must.
    fn finish(&self, py: Python<'_>) -> PyResult<()> {
        while !self.fill(py)? {
            self.wait_for_room(py)?;
        }
        Ok(())
    }

    /// Submits all that is left, and returns the list of all results, decoded as they come. For the one
    /// caller that has the job.
    fn collect<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let job = self.job.get();
        let list = PyList::empty(py);
        let mut failed = None;
        loop {
            let is_fed = self.under_way() > self.low() || self.fill(py)?;
            if job.gather(&list, &mut failed)? {
                break;
            }
            let low = if is_fed { 0 } else { self.low() };
            let has_news = || {
                let state = job.job.state();
                state.has_next() || state.is_over() || state.submitted - state.ended < low
            };
            wait(py, &job.pool, Deadline::never(), has_news)?;
        }
        match failed {
            None => Ok(list.into_any()),
            Some(error) => Err(failure::after_signals(py, error)),
        }
    }

    /// Ends the feed; the job ends with what was submitted, and with that exception.
    fn stop(&self, py: Python<'_>, error: &Bound<'_, PyAny>) {
        if self.state().items.is_some() {
            self.job.get().fail(py, 1, &PyErr::from_value(error.clone()));
            self.end();
        }
    }
}

impl Feed {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// With so few tasks under way it is time for more.
    fn low(&self) -> usize {
        self.state().window / 2
    }

    fn under_way(&self) -> usize {
        let state = self.job.get().job.state();
        state.submitted - state.ended
    }

    fn end(&self) -> bool {
        let items = self.state().items.take();
        let job = self.job.get();
        job.pool.seal(&job.job);
        drop(items);
        true
    }

    fn next_chunk<'py>(&self, py: Python<'py>) -> Chunk<'py> {
        let items = self.state().items.as_ref().map(|items| items.clone_ref(py));
        let Some(items) = items else { return Chunk::End };
        let mut items = items.into_bound(py);
        if self.chunksize > 1 {
            return match several(&items, self.chunksize) {
                Ok(chunk) if chunk.is_empty() => Chunk::End,
                Ok(chunk) => Chunk::Of(chunk),
                Err(error) => Chunk::Failed(error),
            };
        }
        match items.next() {
            Some(Ok(item)) => PyTuple::new(py, [item]).map_or_else(Chunk::Failed, Chunk::Of),
            Some(Err(error)) => Chunk::Failed(error),
            None => Chunk::End,
        }
    }

    /// Submits a chunk; the inner error is that of the pool, which takes no more.
    fn submit(&self, py: Python<'_>, chunk: &Bound<'_, PyTuple>) -> PyResult<Result<(), PyErr>> {
        let (engine, job) = (self.engine.get(), self.job.get());
        let (function, scratch) = {
            let mut state = self.state();
            let function = match &state.function {
                Ok(function) => Ok(Arc::clone(function)),
                Err(error) => Err(error.clone_ref(py)),
            };
            (function, std::mem::take(&mut state.scratch))
        };
        let letter = function.and_then(|function| {
            let family = engine.pool.family();
            function.task(self.kind, chunk.as_any(), &engine.serializer, family, scratch)
        });
        let letter = match letter {
            Ok(letter) => letter,
            Err(error) => {
                job.fail(py, chunk.len(), &error);
                return Ok(Ok(()));
            }
        };
        let len = letter.len();
        match engine.post(py, job, chunk.len(), letter) {
            Ok(scratch) => {
                let mut state = self.state();
                state.scratch = scratch;
                state.window = (WINDOW_BYTES / len.max(1)).clamp(2 * engine.workers, WINDOW);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(error)),
        }
    }
}

/// The next items, so many at most.
fn several<'py>(items: &Bound<'py, PyIterator>, most: usize) -> PyResult<Bound<'py, PyTuple>> {
    static ISLICE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = items.py();
    let slice = ISLICE.import(py, "itertools", "islice")?.call1((items, most))?;
    Ok(py.get_type::<PyTuple>().call1((slice,))?.cast_into()?)
}
