//! A worker's place at its pool.

use super::task::Manner;
use super::work;
use crate::codec::Serializer;
use crate::family;
use crate::wait::raise;
use procession_process::byte_pool::{Post, PostAddress};
use procession_shm::Handle;
use pyo3::exceptions::PyLookupError;
use pyo3::prelude::*;

/// A worker's place at its pool: what it is started with.
///
/// It is inherited by a fork, and is pickled only for a process that is being started.
#[pyclass(frozen, module = "procession._core")]
pub(super) struct PoolPost {
    post: Post,
}

impl PoolPost {
    pub(super) fn new(post: Post) -> Self {
        Self { post }
    }
}

#[pymethods]
impl PoolPost {
    /// The post at that address of a family; see `_address`.
    #[staticmethod]
    fn _attach(
        family: u64,
        handles: (u64, u64, u64),
        number: usize,
        watched: bool,
    ) -> PyResult<Self> {
        let (tasks, results, block) = handles;
        let handle = |bits| {
            Handle::from_bits(bits).ok_or_else(|| PyLookupError::new_err("no shared object"))
        };
        let handles = [handle(tasks)?, handle(results)?, handle(block)?];
        let address = PostAddress { handles, number, watched };
        let post = Post::attach(family::find(family)?, address).map_err(|error| raise(&error))?;
        Ok(Self { post })
    }

    /// Where it is: the family's number, and what `_attach` takes beside it.
    #[getter]
    fn _address(&self) -> (u64, (u64, u64, u64), usize, bool) {
        let PostAddress { handles, number, watched } = self.post.address();
        let [tasks, results, block] = handles.map(Handle::to_bits);
        (self.post.family().arena().id(), (tasks, results, block), number, watched)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let (family, handles, number, watched) = slf.get()._address();
        let attach = slf.get_type().getattr("_attach")?;
        py.import("procession.process")?
            .getattr("reduce_held")?
            .call1((slf, family, attach, handles, number, watched))
    }

    /// Which worker it is, from 0.
    #[getter]
    fn number(&self) -> usize {
        self.post.number()
    }

    /// Says that this process is the worker.
    fn sit_down(&self) {
        self.post.sit_down();
    }

    /// Says that the initializer has failed: the pool ends, with that text.
    fn give_up(&self, why: &str) -> PyResult<()> {
        self.post.give_up(why).map_err(|error| raise(&error))
    }

    /// Does tasks until the pool has no more, the parent is gone, `most` tasks are done, or the process
    /// has more than `max_memory` bytes in memory.
    ///
    /// `parent` is the pid of the pool's process, and `sentinel` a descriptor that is readable when it
    /// is gone. In a worker `of_executor` whatever a function raises is its result.
    #[expect(clippy::too_many_arguments, reason = "one call, once a process")]
    fn work(
        &self,
        py: Python<'_>,
        parent: u32,
        sentinel: i32,
        most: Option<u64>,
        max_memory: Option<u64>,
        serializer: Option<&Bound<'_, PyAny>>,
        of_executor: bool,
    ) -> PyResult<()> {
        let serializer = Serializer::from_option(serializer)?;
        let limits = work::Limits { most, max_memory };
        let manner = if of_executor { Manner::Executor } else { Manner::Pool };
        let parent = work::Parent::new(parent, sentinel);
        work::until_over(py, &self.post, &parent, &limits, manner, &serializer)
    }
}
