//! The base of `SimpleQueue`: a pipe of which any number of processes have the ends.

use super::carrier::Carrier;
use super::exceptions::{broken_pipe, empty, end_of_file, handle_closed};
use crate::codec::Serializer;
use crate::family;
use crate::wait::raise;
use procession_ipc::byte_queue::{Bounds, ByteQueue};
use procession_ipc::{Error, PipeEnd, Shareable, Waitable};
use procession_shm::{Family, Handle};
use procession_sys::Deadline;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Bytes of messages that fit: as many as in the pipe that stock has there.
const ROOM: u64 = 64 << 10;

/// A pipe of the engine with the methods of `multiprocessing.queues.SimpleQueue`.
///
/// # If a process dies
/// When nobody is left who has the end to write to, `get` raises `EOFError` once the pipe is empty;
/// when nobody has the end to read from, `put` raises `BrokenPipeError`.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct SimpleQueue {
    state: OnceLock<State>,
}

struct State {
    reader: End,
    writer: End,
    serializer: Serializer,
}

/// One end: what is done there, and the object that stands for it while this process has it.
struct End {
    carrier: Carrier,
    token: Mutex<Option<PipeEnd>>,
    handle: Handle,
}

impl End {
    fn new(carrier: Carrier, handle: Handle, token: Option<PipeEnd>) -> Self {
        Self { carrier, handle, token: Mutex::new(token) }
    }

    fn token(&self) -> std::sync::MutexGuard<'_, Option<PipeEnd>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closed(&self) -> bool {
        self.token().is_none()
    }

    #[inline]
    fn open(&self) -> PyResult<&Carrier> {
        if self.is_closed() { Err(handle_closed()) } else { Ok(&self.carrier) }
    }

    fn close(&self) {
        let had = self.token().take();
        if had.is_some() {
            drop(had);
            self.carrier.bells.take_down();
            if self.is_gone() {
                self.carrier.queue.disturb();
            }
        }
    }

    /// Whether no process has it any more. Only then has anybody to look again: who polls the other end is told
    /// that an item or the end is there, and takes it without looking.
    fn is_gone(&self) -> bool {
        self.carrier.queue.held().family().arena().block(self.handle).is_err()
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.close();
    }
}

/// Keeps the ends of a pipe for a process that is being started.
#[pyclass(frozen, module = "procession._core")]
#[expect(dead_code, reason = "kept, not read")]
struct Ends(Vec<PipeEnd>);

impl State {
    fn of(queue: &ByteQueue, [read, write]: [Handle; 2], tokens: [Option<PipeEnd>; 2]) -> Self {
        let [reading, writing] = tokens;
        let reader = Carrier::new(queue.to_peer(write), |_| end_of_file());
        let writer = Carrier::new(queue.to_peer(read), |_| broken_pipe());
        Self {
            reader: End::new(reader, read, reading),
            writer: End::new(writer, write, writing),
            serializer: Serializer::Pickle,
        }
    }

    fn make() -> Result<Self, Error> {
        let queue = ByteQueue::new(Bounds { items: 0, bytes: ROOM })?;
        queue.speak_pickle();
        let (reading, writing) = (PipeEnd::new()?, PipeEnd::new()?);
        let handles = [reading.handle(), writing.handle()];
        Ok(Self::of(&queue, handles, [Some(reading), Some(writing)]))
    }

    /// `are_closed`: the ends that the sender did not have.
    fn attach(
        family: &'static Family,
        [queue, read, write]: [Handle; 3],
        are_closed: [bool; 2],
    ) -> Result<Self, Error> {
        let token = |handle, is_closed: bool| {
            if is_closed { Ok(None) } else { PipeEnd::attach(family, handle).map(Some) }
        };
        let tokens = [token(read, are_closed[0])?, token(write, are_closed[1])?];
        Ok(Self::of(&ByteQueue::attach(family, queue)?, [read, write], tokens))
    }
}

impl SimpleQueue {
    #[inline]
    fn state(&self) -> PyResult<&State> {
        self.state
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the queue's __init__ was not called"))
    }

    fn fill(&self, state: Result<State, Error>) -> PyResult<()> {
        self.state
            .set(state.map_err(|error| raise(&error))?)
            .map_err(|_| PyRuntimeError::new_err("the queue's __init__ was called before"))
    }
}

#[pymethods]
impl SimpleQueue {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { state: OnceLock::new() }
    }

    fn _make(&self) -> PyResult<()> {
        self.fill(State::make())
    }

    fn _attach(&self, family: u64, handles: [u64; 3], are_closed: [bool; 2]) -> PyResult<()> {
        let family = family::find(family)?;
        let [queue, read, write] = handles.map(Handle::from_bits);
        let (Some(queue), Some(read), Some(write)) = (queue, read, write) else {
            return Err(PyValueError::new_err("no handle has this number"));
        };
        self.fill(State::attach(family, [queue, read, write], are_closed))
    }

    /// Something that keeps the ends that this process has.
    fn _ends(&self) -> PyResult<Ends> {
        let state = self.state()?;
        let tokens = [&state.reader, &state.writer].map(|end| end.token().clone());
        Ok(Ends(tokens.into_iter().flatten().collect()))
    }

    #[getter]
    fn _family(&self) -> PyResult<u64> {
        Ok(self.state()?.reader.carrier.queue.held().family().arena().id())
    }

    /// The handles of the queue and of its two ends.
    #[getter]
    fn _handles(&self) -> PyResult<[u64; 3]> {
        let state = self.state()?;
        let queue = state.reader.carrier.queue.held().handle();
        Ok([queue, state.reader.handle, state.writer.handle].map(Handle::to_bits))
    }

    #[getter]
    fn _are_closed(&self) -> PyResult<[bool; 2]> {
        let state = self.state()?;
        Ok([state.reader.is_closed(), state.writer.is_closed()])
    }

    /// Puts an object; waits while 64 KiB of messages are in the pipe. What cannot be pickled is
    /// raised.
    #[pyo3(signature = (obj))]
    fn put(&self, obj: &Bound<'_, PyAny>) -> PyResult<()> {
        let state = self.state()?;
        let carrier = state.writer.open()?;
        carrier.put(obj, &state.serializer, Deadline::never())?;
        Ok(())
    }

    /// Takes the next object, waiting for one.
    fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let carrier = self.state()?.reader.open()?;
        carrier.get(py, Deadline::never())?.ok_or_else(|| empty(py))
    }

    /// Whether `get` would wait now.
    fn empty(&self) -> PyResult<bool> {
        let carrier = self.state()?.reader.open()?;
        carrier.bells.show(&carrier.queue);
        Ok(!carrier.queue.is_ready())
    }

    /// This process has neither end any more.
    fn close(&self) -> PyResult<()> {
        let state = self.state()?;
        state.reader.close();
        state.writer.close();
        Ok(())
    }

    fn _close_reader(&self) -> PyResult<()> {
        self.state()?.reader.close();
        Ok(())
    }

    fn _close_writer(&self) -> PyResult<()> {
        self.state()?.writer.close();
        Ok(())
    }

    fn _put_pickle(&self, py: Python<'_>, pickle: &[u8]) -> PyResult<()> {
        self.state()?.writer.open()?.put_pickle(py, pickle, Deadline::never()).map(drop)
    }

    fn _get_pickle<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let carrier = self.state()?.reader.open()?;
        carrier.get_pickle(py, Deadline::never())?.ok_or_else(|| empty(py))
    }

    fn _items_fd(&self) -> PyResult<i32> {
        let carrier = self.state()?.reader.open()?;
        carrier.bells.items_fd(&carrier.queue)
    }

    fn _room_fd(&self) -> PyResult<i32> {
        let carrier = self.state()?.writer.open()?;
        carrier.bells.room_fd(&carrier.queue)
    }
}
