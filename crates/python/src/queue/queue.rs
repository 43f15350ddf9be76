//! The base of `Queue` and `JoinableQueue`.

use super::carrier::{Carrier, Objects, Refusal};
use super::exceptions::{closed, empty, full, handle_closed, shut_down};
use crate::codec::{Scratch, Serializer};
use crate::family;
use crate::wait::{deadline, raise, wait};
use procession_ipc::byte_queue::{Bounds, ByteQueue};
use procession_ipc::{Error, Shareable};
use procession_shm::Handle;
use procession_sys::{Deadline, forked};
use pyo3::exceptions::{PyException, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// As in `multiprocessing.synchronize`: a queue without bound has room for so many.
const SEM_VALUE_MAX: u32 = i32::MAX as u32;

/// A queue of the engine with the methods of `multiprocessing.queues.Queue`.
///
/// An object is made empty, so that subclasses may have constructors of their own; `_make` or `_attach`
/// fills it in.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct Queue {
    state: OnceLock<State>,
}

struct State {
    carrier: Carrier,
    serializer: Serializer,
    /// The fork generation, plus one, in which it was closed: a child has it open again, as in stock.
    closed_in: AtomicU32,
    /// Whether anything was put here: `close` then closes the pipe too, as in stock.
    is_used: AtomicBool,
}

impl State {
    #[inline]
    fn is_closed(&self) -> bool {
        let since = self.closed_in.load(Relaxed);
        since != 0 && since == forked::generation() + 1
    }
}

impl Queue {
    #[inline]
    fn state(&self) -> PyResult<&State> {
        self.state
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the queue's __init__ was not called"))
    }

    fn fill(
        &self,
        queue: Result<ByteQueue, Error>,
        serializer: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let state = State {
            carrier: Carrier::new(queue.map_err(|error| raise(&error))?, shut_down),
            serializer: Serializer::from_option(serializer)?,
            closed_in: AtomicU32::new(0),
            is_used: AtomicBool::new(false),
        };
        self.state
            .set(state)
            .map_err(|_| PyRuntimeError::new_err("the queue's __init__ was called before"))
    }
}

/// The state of a queue that is not closed.
#[inline]
fn open<'a>(queue: &'a Bound<'_, Queue>) -> PyResult<&'a State> {
    let state = queue.get().state()?;
    if state.is_closed() {
        return Err(closed(queue.as_any()));
    }
    Ok(state)
}

/// Until when a call waits that was given `block` and `timeout`.
#[inline]
fn until(
    block: Option<&Bound<'_, PyAny>>,
    timeout: Option<&Bound<'_, PyAny>>,
) -> PyResult<Deadline> {
    if let Some(block) = block
        && !block.is_truthy()?
    {
        return Ok(Deadline::now());
    }
    deadline(timeout)
}

/// Tells the queue's hook of an object that cannot be pickled, as stock's feeder thread does.
#[cold]
fn report(queue: &Bound<'_, Queue>, error: PyErr, object: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = queue.py();
    if !error.is_instance_of::<PyException>(py) {
        return Err(error);
    }
    queue.call_method1("_report_unpicklable", (error, object)).map(drop)
}

/// Drops what is in a queue that was shut down. It is done, as far as joiners are concerned.
fn empty_out(queue: &ByteQueue) -> Result<(), Error> {
    let mut scratch = Scratch::take();
    let bytes = scratch.vec();
    loop {
        match queue.get(bytes, None, Deadline::now()) {
            Ok(_) => queue.task_done()?,
            Err(error) if error.is_timeout() || error.is_closed() => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

#[pymethods]
impl Queue {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { state: OnceLock::new() }
    }

    /// `tallied`: whether the queue knows what each of its getters has in hand.
    #[pyo3(signature = (maxsize, maxbytes = 0, serializer = None, tallied = false))]
    fn _make(
        &self,
        maxsize: i64,
        maxbytes: i64,
        serializer: Option<&Bound<'_, PyAny>>,
        tallied: bool,
    ) -> PyResult<()> {
        let bound = |most: i64| u64::try_from(most).unwrap_or(0);
        let bounds = Bounds { items: bound(maxsize), bytes: bound(maxbytes) };
        let made = if tallied { ByteQueue::joinable(bounds) } else { ByteQueue::new(bounds) };
        if let Ok(queue) = &made {
            queue.speak_pickle();
        }
        self.fill(made, serializer)
    }

    fn _attach(
        &self,
        family: u64,
        handle: u64,
        serializer: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let family = family::find(family)?;
        let handle = Handle::from_bits(handle)
            .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
        self.fill(ByteQueue::attach(family, handle), serializer)
    }

    /// The number of the family that the queue belongs to.
    #[getter]
    fn _family(&self) -> PyResult<u64> {
        Ok(self.state()?.carrier.queue.held().family().arena().id())
    }

    #[getter]
    fn _handle(&self) -> PyResult<u64> {
        Ok(self.state()?.carrier.queue.held().handle().to_bits())
    }

    #[getter]
    fn _maxsize(&self) -> PyResult<u64> {
        let most = self.state()?.carrier.queue.bounds().items;
        Ok(if most == 0 { SEM_VALUE_MAX.into() } else { most })
    }

    #[getter]
    fn _closed(&self) -> PyResult<bool> {
        Ok(self.state()?.is_closed())
    }

    #[getter]
    fn _is_used(&self) -> PyResult<bool> {
        Ok(self.state()?.is_used.load(Relaxed))
    }

    /// Puts an object; `queue.Full` if there was no room within `timeout` seconds, or at once with
    /// `block` false.
    ///
    /// The object is pickled here and now. One that cannot be pickled goes to
    /// `_on_queue_feeder_error`, as in stock, and nothing is put.
    #[pyo3(signature = (obj, block = None, timeout = None), text_signature = "($self, obj, block=True, timeout=None)")]
    fn put(
        slf: &Bound<'_, Self>,
        obj: &Bound<'_, PyAny>,
        block: Option<&Bound<'_, PyAny>>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let state = open(slf)?;
        let deadline = until(block, timeout)?;
        state.is_used.store(true, Relaxed);
        match state.carrier.put(obj, &state.serializer, deadline) {
            Ok(true) => Ok(()),
            Ok(false) => Err(full(slf.py(), None)),
            Err(Refusal::Object(error)) => report(slf, error, obj),
            Err(Refusal::Queue(error)) => Err(error),
        }
    }

    /// Takes the next object; `queue.Empty` if none came within `timeout` seconds, or is there with
    /// `block` false.
    #[pyo3(signature = (block = None, timeout = None), text_signature = "($self, block=True, timeout=None)")]
    fn get<'py>(
        slf: &Bound<'py, Self>,
        block: Option<&Bound<'py, PyAny>>,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let state = open(slf)?;
        let deadline = until(block, timeout)?;
        state.carrier.get(slf.py(), deadline)?.ok_or_else(|| empty(slf.py()))
    }

    /// Puts all objects of an iterable, those that fit together at once, within `timeout` seconds.
    ///
    /// `queue.Full` has the number of those that were put as its argument.
    #[pyo3(signature = (objects, timeout = None))]
    fn put_many(
        slf: &Bound<'_, Self>,
        objects: &Bound<'_, PyAny>,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let py = slf.py();
        let state = open(slf)?;
        let deadline = deadline(timeout)?;
        state.is_used.store(true, Relaxed);
        let refused = |error, object: &_| report(slf, error, object);
        let objects = Objects::of(objects)?;
        let (put, is_all) =
            state.carrier.put_many(py, objects, &state.serializer, deadline, refused)?;
        if is_all { Ok(()) } else { Err(full(py, Some(put))) }
    }

    /// Takes at least one object, waiting for it as `get` does, and at most `max` of those that are
    /// there; a list.
    ///
    /// If one of them cannot be unpickled, its error has the others as its attribute `others`.
    #[pyo3(signature = (max, timeout = None))]
    fn get_many<'py>(
        slf: &Bound<'py, Self>,
        max: usize,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = slf.py();
        let state = open(slf)?;
        if max == 0 {
            return Err(PyValueError::new_err("max must be at least 1"));
        }
        let objects = state.carrier.get_many(py, max, deadline(timeout)?)?;
        if objects.is_empty() { Err(empty(py)) } else { PyList::new(py, objects) }
    }

    /// About how many objects are in the queue.
    fn qsize(&self) -> PyResult<u64> {
        Ok(self.state()?.carrier.queue.len())
    }

    /// Whether nothing is in the queue now.
    fn empty(&self) -> PyResult<bool> {
        let state = self.state()?;
        if state.is_closed() && state.is_used.load(Relaxed) {
            return Err(handle_closed());
        }
        state.carrier.bells.show(&state.carrier.queue);
        Ok(state.carrier.queue.is_empty())
    }

    /// Whether the queue takes nothing more now.
    fn full(&self) -> PyResult<bool> {
        Ok(self.state()?.carrier.queue.is_full())
    }

    /// This process puts and gets no more. What it has put is in the queue already.
    fn close(&self) -> PyResult<()> {
        let state = self.state()?;
        state.closed_in.store(forked::generation() + 1, Relaxed);
        state.carrier.bells.take_down();
        Ok(())
    }

    /// Ends the queue for all processes: `put` raises `ShutDown` from now on, and so does `get` once
    /// the queue is empty. With `immediate` what is in it is dropped.
    #[pyo3(signature = (immediate = false))]
    fn shutdown(&self, py: Python<'_>, immediate: bool) -> PyResult<()> {
        let queue = &self.state()?.carrier.queue;
        queue.shut();
        if immediate {
            py.detach(|| empty_out(queue)).map_err(|error| raise(&error))
        } else {
            Ok(())
        }
    }

    /// Whether the queue was shut down.
    #[getter]
    fn is_shutdown(&self) -> PyResult<bool> {
        Ok(self.state()?.carrier.queue.is_shut())
    }

    fn _put_pickle(slf: &Bound<'_, Self>, pickle: &[u8]) -> PyResult<()> {
        let state = open(slf)?;
        state.is_used.store(true, Relaxed);
        state.carrier.put_pickle(slf.py(), pickle, Deadline::never()).map(drop)
    }

    fn _get_pickle<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyBytes>> {
        let state = open(slf)?;
        let pickle = state.carrier.get_pickle(slf.py(), Deadline::never())?;
        pickle.ok_or_else(|| empty(slf.py()))
    }

    /// A descriptor that is readable while an object can be got.
    fn _items_fd(&self) -> PyResult<i32> {
        let carrier = &self.state()?.carrier;
        carrier.bells.items_fd(&carrier.queue)
    }

    /// A descriptor that is readable while an object can be put.
    fn _room_fd(&self) -> PyResult<i32> {
        let carrier = &self.state()?.carrier;
        carrier.bells.room_fd(&carrier.queue)
    }

    fn _task_done(&self) -> PyResult<()> {
        self.state()?.carrier.queue.task_done().map_err(|error| match error {
            Error::TaskDoneTooOften => PyValueError::new_err(error.to_string()),
            error => raise(&error),
        })
    }

    fn _unfinished(&self) -> PyResult<u64> {
        Ok(self.state()?.carrier.queue.unfinished())
    }

    /// Waits until all items are done; how many were found lost, which ends the wait too.
    fn _join(&self, py: Python<'_>) -> PyResult<usize> {
        let queue = &self.state()?.carrier.queue;
        let joined = wait(py, |interrupt| match queue.join_until(Deadline::never(), interrupt) {
            Ok(()) => Ok(0),
            Err(Error::ItemsLost { count }) => Ok(count),
            Err(error) => Err(error),
        });
        Ok(joined?.unwrap_or(0))
    }
}
