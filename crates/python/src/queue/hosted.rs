//! A manager's queue in shared memory.

use super::exceptions::{empty, full, shut_down};
use crate::codec::{self, Encoded, PICKLE, Scratch};
use crate::manager::Host;
use crate::wait::{deadline, raise};
use procession_ipc::byte_queue::{ByteQueue, Got, Item};
use procession_ipc::{Error, Shareable};
use procession_manager::memory::TICKET;
use procession_sys::Deadline;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A queue that a manager made in an arena which this process has joined, with the methods of
/// `queue.Queue`.
///
/// What goes through it are pickles that any client of the manager reads. What names other objects of the
/// manager is the server's to keep, so it goes there.
#[pyclass(frozen, module = "procession._core")]
pub(super) struct HostedQueue {
    queue: ByteQueue,
    host: Host,
    /// `call(method, args)` calls the queue through the server.
    call: Py<PyAny>,
    /// `claim(ticket)` gets from the server what it kept.
    claim: Py<PyAny>,
}

/// Until when a call waits that was given `block` and `timeout`.
///
/// # Errors
/// `ValueError` for a negative timeout.
#[inline]
fn until(block: bool, timeout: Option<&Bound<'_, PyAny>>) -> PyResult<Deadline> {
    match timeout {
        _ if !block => Ok(Deadline::now()),
        None => Ok(Deadline::never()),
        Some(timeout) if timeout.lt(0)? => {
            Err(PyValueError::new_err("'timeout' must be a non-negative number"))
        }
        timeout => deadline(timeout),
    }
}

/// Whether a pickle may hold a proxy: every one of them is made by the function of that name.
fn names_proxies(pickle: &[u8]) -> bool {
    const NAME: &[u8] = b"RebuildProxy";
    let mut rest = pickle;
    while let Some(at) = rest.iter().position(|byte| *byte == NAME[0]) {
        rest = &rest[at..];
        if rest.starts_with(NAME) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}

impl HostedQueue {
    /// What was done at once, or is done later without the interpreter; `None` if the time was up.
    #[inline]
    fn finish<R: Send>(
        &self,
        py: Python<'_>,
        deadline: Deadline,
        now: Result<R, Error>,
        later: impl Send + FnOnce(&mut (dyn FnMut() -> bool + Send)) -> Result<R, Error>,
    ) -> PyResult<Option<R>> {
        let done = match now {
            Ok(done) => return Ok(Some(done)),
            Err(error) if !error.is_timeout() => Err(error),
            Err(_) if deadline.expired() => return Ok(None),
            Err(_) => self
                .host
                .wait(py, |interrupt| match later(interrupt) {
                    Err(error) if error.is_closed() => Ok(Err(error)),
                    Err(error) => Err(error),
                    Ok(done) => Ok(Ok(done)),
                })?
                .transpose(),
        };
        done.map_err(|error| if error.is_closed() { shut_down(py) } else { raise(&error) })
    }

    /// Puts an object; `false` if there was no room in time. `None` if it is the server's to put.
    #[inline]
    fn try_put(&self, item: &Bound<'_, PyAny>, deadline: Deadline) -> PyResult<Option<bool>> {
        let py = item.py();
        self.host.check()?;
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        let (encoded, is_plain) = codec::encode_alone(item, bytes)?;
        if !is_plain && names_proxies(bytes) {
            return Ok(None);
        }
        let queue = &self.queue;
        let put = match encoded {
            Encoded::Bytes => {
                let now = queue.put_one(PICKLE, bytes, Deadline::now());
                let later = |interrupt: &mut (dyn FnMut() -> bool + Send)| {
                    queue.put_one_until(PICKLE, bytes, deadline, interrupt)
                };
                self.finish(py, deadline, now, later)?
            }
            Encoded::Large(large) => {
                let parcel = large.to_parcel(py, self.host.family(), bytes)?;
                let item = [Item::Parcel(&parcel)];
                let put = |deadline, interrupt: &mut dyn FnMut() -> bool| {
                    queue.put_until(&item, deadline, interrupt).map_err(|(_, error)| error)
                };
                let now = put(Deadline::now(), &mut || false);
                let done =
                    self.finish(py, deadline, now, |interrupt| put(deadline, interrupt))?.map(drop);
                if done.is_some() {
                    parcel.keep();
                }
                done
            }
        };
        Ok(Some(put.is_some()))
    }

    #[inline]
    fn take<'py>(&self, py: Python<'py>, deadline: Deadline) -> PyResult<Bound<'py, PyAny>> {
        self.host.check()?;
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        let queue = &self.queue;
        let now = queue.get(bytes, None, Deadline::now());
        let got = self.finish(py, deadline, now, |interrupt| {
            queue.get_until(bytes, None, deadline, interrupt)
        })?;
        match got {
            None => Err(empty(py)),
            Some(Got::Message { format: PICKLE, .. }) => codec::decode(py, bytes),
            Some(Got::Message { format: TICKET, .. }) => {
                let ticket = bytes.as_slice().try_into().map_or(0, u64::from_ne_bytes);
                self.claim.bind(py).call1((ticket,))
            }
            Some(Got::Message { format, .. }) => codec::decode_message(py, format, bytes),
            Some(Got::Parcel(parcel)) => codec::decode_parcel(py, parcel, 0),
        }
    }
}

#[pymethods]
impl HostedQueue {
    #[new]
    fn new(
        family: u64,
        server: u64,
        handle: u64,
        call: Py<PyAny>,
        claim: Py<PyAny>,
    ) -> PyResult<Self> {
        let (host, handle) = Host::find(family, server, handle)?;
        let queue = ByteQueue::attach(host.family(), handle).map_err(|error| raise(&error))?;
        Ok(Self { queue, host, call, claim })
    }

    /// Puts an object; `queue.Full` if there was no room within `timeout` seconds, or at once with
    /// `block` false.
    #[pyo3(signature = (item, block = true, timeout = None))]
    fn put(
        &self,
        item: &Bound<'_, PyAny>,
        block: bool,
        timeout: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        match self.try_put(item, until(block, timeout)?)? {
            Some(true) => Ok(()),
            Some(false) => Err(full(item.py(), None)),
            None => {
                self.call.bind(item.py()).call1(("put", (item, block, timeout)))?;
                Ok(())
            }
        }
    }

    fn put_nowait(&self, item: &Bound<'_, PyAny>) -> PyResult<()> {
        self.put(item, false, None)
    }

    /// Takes the next object; `queue.Empty` if none came within `timeout` seconds, or is there with
    /// `block` false.
    #[pyo3(signature = (block = true, timeout = None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        block: bool,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.take(py, until(block, timeout)?)
    }

    fn get_nowait<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.take(py, Deadline::now())
    }

    /// About how many objects are in the queue.
    fn qsize(&self) -> PyResult<u64> {
        self.host.check()?;
        Ok(self.queue.len())
    }

    /// Whether nothing is in the queue now.
    fn empty(&self) -> PyResult<bool> {
        self.host.check()?;
        Ok(self.queue.is_empty())
    }

    /// Whether the queue takes nothing more now.
    fn full(&self) -> PyResult<bool> {
        self.host.check()?;
        Ok(self.queue.is_full())
    }

    /// Says that an object that was got is done.
    fn task_done(&self) -> PyResult<()> {
        self.host.check()?;
        self.queue.task_done().map_err(|error| match error {
            Error::TaskDoneTooOften => PyValueError::new_err(error.to_string()),
            error => raise(&error),
        })
    }

    /// Waits until all that was put is done.
    fn join(&self, py: Python<'_>) -> PyResult<()> {
        self.host.check()?;
        let queue = &self.queue;
        self.host.wait(py, |interrupt| queue.join_until(Deadline::never(), interrupt)).map(drop)
    }
}
