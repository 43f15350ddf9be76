//! Python objects in and out of a queue of the engine.
//!
//! What can be done at once is done with the interpreter attached; it is released for waiting and for
//! large copies.

use super::bells::Bells;
use crate::codec::{self, Encoded, Outcome, PICKLE, Scratch, Serializer};
use crate::wait::{raise, wait};
use procession_ipc::Error;
use procession_ipc::byte_queue::{ByteQueue, Got, Item};
use procession_ipc::message::Parcel;
use procession_sys::Deadline;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyIterator, PyList};

/// One queue, or one direction of a pipe, as this process uses it.
pub(super) struct Carrier {
    pub(super) queue: ByteQueue,
    pub(super) bells: Bells,
    /// What to raise when it is over: nothing more is put, or nothing more is got.
    over: fn(Python<'_>) -> PyErr,
}

/// Why an object was not put.
pub(super) enum Refusal {
    /// It cannot be pickled.
    Object(PyErr),
    /// The queue does not take it, or a signal's handler raised.
    Queue(PyErr),
}

impl From<Refusal> for PyErr {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Object(error) | Refusal::Queue(error) => error,
        }
    }
}

/// A batch is put when it has so many bytes.
const BATCH: usize = 32 << 10;
/// For so many messages of a batch memory is taken before they come.
const USUAL_BATCH: usize = 128;

/// What is put at once: the items of a list from a number on, or what an iterator gives.
pub(super) enum Objects<'a, 'py> {
    List { list: &'a Bound<'py, PyList>, at: usize },
    Others(Bound<'py, PyIterator>),
}

impl<'a, 'py> Objects<'a, 'py> {
    /// All that there is in an iterable.
    ///
    /// # Errors
    /// `TypeError` if it is none.
    pub(super) fn of(iterable: &'a Bound<'py, PyAny>) -> PyResult<Self> {
        match iterable.cast_exact::<PyList>() {
            Ok(list) => Ok(Self::List { list, at: 0 }),
            Err(_) => Ok(Self::Others(iterable.try_iter()?)),
        }
    }

    /// The next object, whose pickle was appended where that is soon done.
    #[inline]
    fn append_next(
        &mut self,
        serializer: &Serializer,
        bytes: &mut Vec<u8>,
    ) -> PyResult<Outcome<'py>> {
        match self {
            Self::List { list, at } => {
                let next = *at;
                *at += 1;
                Ok(serializer.append_item(list, next, bytes))
            }
            Self::Others(iterator) => {
                iterator.next().map_or(Ok(Outcome::None), |object| object.map(Outcome::Other))
            }
        }
    }
}

impl Carrier {
    pub(super) fn new(queue: ByteQueue, over: fn(Python<'_>) -> PyErr) -> Self {
        Self { queue, bells: Bells::default(), over }
    }

    #[cold]
    fn raise(&self, py: Python<'_>, error: &Error) -> PyErr {
        if error.is_closed() { (self.over)(py) } else { raise(error) }
    }

    /// What `now` does, which does not wait, or else, without the interpreter, `later`; `None` if the
    /// time was up.
    #[inline]
    fn attempt<R: Send>(
        &self,
        py: Python<'_>,
        deadline: Deadline,
        now: Result<R, Error>,
        later: impl Send + FnOnce(&mut (dyn FnMut() -> bool + Send)) -> Result<R, Error>,
    ) -> PyResult<Option<R>> {
        match now {
            Ok(done) => Ok(Some(done)),
            Err(error) if !error.is_timeout() => Err(self.raise(py, &error)),
            Err(_) if deadline.expired() => Ok(None),
            Err(_) => self.wait(py, later),
        }
    }

    #[cold]
    fn wait<R: Send>(
        &self,
        py: Python<'_>,
        work: impl Send + FnOnce(&mut (dyn FnMut() -> bool + Send)) -> Result<R, Error>,
    ) -> PyResult<Option<R>> {
        let waited = wait(py, |interrupt| match work(interrupt) {
            // Ours to raise.
            Err(error) if error.is_closed() => Ok(Err(error)),
            Err(error) => Err(error),
            Ok(done) => Ok(Ok(done)),
        });
        match waited? {
            None => Ok(None),
            Some(Ok(done)) => Ok(Some(done)),
            Some(Err(error)) => Err(self.raise(py, &error)),
        }
    }

    /// Puts an object; `false` if there was no room in time.
    ///
    /// # Errors
    /// See [`Refusal`].
    #[inline]
    pub(super) fn put(
        &self,
        object: &Bound<'_, PyAny>,
        serializer: &Serializer,
        deadline: Deadline,
    ) -> Result<bool, Refusal> {
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        let put = match serializer.encode(object, bytes).map_err(Refusal::Object)? {
            Encoded::Bytes => self.put_bytes(object.py(), bytes, deadline),
            Encoded::Large(large) => self.put_large(object.py(), bytes, &large, deadline),
        };
        put.map_err(Refusal::Queue)
    }

    /// Puts a pickle that is not large.
    #[inline]
    fn put_bytes(&self, py: Python<'_>, bytes: &[u8], deadline: Deadline) -> PyResult<bool> {
        let now = self.queue.put_one(PICKLE, bytes, Deadline::now());
        let put = self.attempt(py, deadline, now, |interrupt| {
            self.queue.put_one_until(PICKLE, bytes, deadline, interrupt)
        })?;
        self.bells.show(&self.queue);
        Ok(put.is_some())
    }

    fn put_large(
        &self,
        py: Python<'_>,
        bytes: &[u8],
        large: &codec::Large,
        deadline: Deadline,
    ) -> PyResult<bool> {
        py.detach(|| self.queue.throttle());
        self.put_parcel(py, large.to_parcel(py, self.queue.held().family(), bytes)?, deadline)
    }

    fn put_parcel(&self, py: Python<'_>, parcel: Parcel, deadline: Deadline) -> PyResult<bool> {
        let item = [Item::Parcel(&parcel)];
        let put = |deadline, interrupt: &mut dyn FnMut() -> bool| {
            self.queue.put_until(&item, deadline, interrupt).map_err(|(_, error)| error)
        };
        let now = put(Deadline::now(), &mut || false);
        let done = self.attempt(py, deadline, now, |interrupt| put(deadline, interrupt))?;
        if done.is_some() {
            parcel.keep();
        }
        self.bells.show(&self.queue);
        Ok(done.is_some())
    }

    /// Puts what is a pickle already.
    ///
    /// # Errors
    /// What `put` raises of the queue.
    pub(super) fn put_pickle(
        &self,
        py: Python<'_>,
        pickle: &[u8],
        deadline: Deadline,
    ) -> PyResult<bool> {
        match codec::sized(0, pickle, Vec::new(), false) {
            Encoded::Bytes => self.put_bytes(py, pickle, deadline),
            Encoded::Large(large) => self.put_large(py, pickle, &large, deadline),
        }
    }

    /// Puts the objects, many at once; how many were put, and whether that is all. `refused` is told of those
    /// that cannot be pickled.
    ///
    /// # Errors
    /// What the iterator, `refused` or the queue raise.
    pub(super) fn put_many<'py>(
        &self,
        py: Python<'py>,
        mut objects: Objects<'_, 'py>,
        serializer: &Serializer,
        deadline: Deadline,
        refused: impl Fn(PyErr, &Bound<'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<(usize, bool)> {
        let (mut scratch, mut single) = (Scratch::take(), Vec::new());
        let bytes = scratch.vec();
        let mut ends = Vec::with_capacity(USUAL_BATCH);
        let mut put = 0;
        loop {
            let mut more = true;
            let mut large = None;
            while more && large.is_none() && bytes.len() < BATCH {
                let object = match objects.append_next(serializer, bytes)? {
                    Outcome::Written => {
                        ends.push(bytes.len());
                        continue;
                    }
                    Outcome::Other(object) => object,
                    Outcome::None => {
                        more = false;
                        break;
                    }
                };
                if serializer.append_small(&object, bytes) {
                    ends.push(bytes.len());
                    continue;
                }
                single.clear();
                match serializer.encode(&object, &mut single) {
                    Ok(Encoded::Bytes) => {
                        bytes.extend_from_slice(&single);
                        ends.push(bytes.len());
                    }
                    Ok(Encoded::Large(parts)) => large = Some(parts),
                    Err(error) => refused(error, &object)?,
                }
            }
            let (count, is_all) = self.put_batch(py, bytes, &ends, deadline)?;
            put += count;
            if !is_all {
                return Ok((put, false));
            }
            bytes.clear();
            ends.clear();
            if let Some(large) = large {
                if !self.put_large(py, &single, &large, deadline)? {
                    return Ok((put, false));
                }
                put += 1;
            }
            if !more {
                return Ok((put, true));
            }
        }
    }

    /// Puts the pickles that end at `ends`; how many, and whether that is all.
    fn put_batch(
        &self,
        py: Python<'_>,
        bytes: &[u8],
        ends: &[usize],
        deadline: Deadline,
    ) -> PyResult<(usize, bool)> {
        let mut start = 0;
        let items: Vec<Item<'_>> = ends
            .iter()
            .map(|end| {
                let item = Item::Message { format: PICKLE, bytes: &bytes[start..*end] };
                start = *end;
                item
            })
            .collect();
        let mut put = 0;
        let (mut done, mut counted) = (0, 0);
        let now = self.queue.put(&items, Deadline::now()).map_err(|(count, error)| {
            put = count;
            error
        });
        let rest = &items[put..];
        let later = self.attempt(py, deadline, now.map(drop), |interrupt| {
            self.queue.put_until(rest, deadline, interrupt).map(drop).map_err(|(count, error)| {
                counted = count;
                error
            })
        });
        self.bells.show(&self.queue);
        let is_all = later?.is_some();
        done += if is_all { items.len() } else { put + counted };
        Ok((done, is_all))
    }

    /// Gets an object; `None` if none came in time.
    ///
    /// # Errors
    /// What unpickling raises; what is raised when the queue is over.
    #[inline]
    pub(super) fn get<'py>(
        &self,
        py: Python<'py>,
        deadline: Deadline,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        match self.receive(py, bytes, deadline)? {
            None => Ok(None),
            Some(Got::Message { format, .. }) => codec::decode_message(py, format, bytes).map(Some),
            Some(Got::Parcel(parcel)) => codec::decode_parcel(py, parcel, 0).map(Some),
        }
    }

    /// Gets a message as the bytes of a pickle; `None` if none came in time.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) fn get_pickle<'py>(
        &self,
        py: Python<'py>,
        deadline: Deadline,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut bytes = Vec::new();
        Ok(match self.receive(py, &mut bytes, deadline)? {
            None => None,
            Some(Got::Message { format: PICKLE, .. }) => Some(PyBytes::new(py, &bytes)),
            Some(Got::Parcel(parcel)) if parcel.format() == PICKLE => {
                Some(PyBytes::new(py, parcel.bytes()))
            }
            Some(other) => {
                let object = match other {
                    Got::Message { format, .. } => codec::decode_message(py, format, &bytes)?,
                    Got::Parcel(parcel) => codec::decode_parcel(py, parcel, 0)?,
                };
                bytes.clear();
                codec::encode_whole(&object, &mut bytes)?;
                Some(PyBytes::new(py, &bytes))
            }
        })
    }

    #[inline]
    fn receive(
        &self,
        py: Python<'_>,
        bytes: &mut Vec<u8>,
        deadline: Deadline,
    ) -> PyResult<Option<Got>> {
        let now = self.queue.get(bytes, None, Deadline::now());
        let got = self.attempt(py, deadline, now, |interrupt| {
            self.queue.get_until(bytes, None, deadline, interrupt)
        });
        self.bells.show(&self.queue);
        got
    }

    /// Gets at least one object and at most `max` of those that are there; none if none came in time.
    ///
    /// # Errors
    /// As [`get`](Self::get); an error of unpickling has the objects that came with the one that failed
    /// as its attribute `others`.
    pub(super) fn get_many<'py>(
        &self,
        py: Python<'py>,
        max: usize,
        deadline: Deadline,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        // Where each message ends; a parcel comes alone.
        let (mut ends, mut parcel) = (Vec::with_capacity(max.min(USUAL_BATCH)), None);
        let mut take = |deadline, interrupt: &mut dyn FnMut() -> bool| {
            self.queue.get_many_until(max, None, deadline, interrupt, |got, append| match got {
                Got::Message { format, .. } => {
                    append(bytes);
                    ends.push((format, bytes.len()));
                }
                Got::Parcel(received) => parcel = Some(received),
            })
        };
        let now = take(Deadline::now(), &mut || false);
        let got = self.attempt(py, deadline, now, |interrupt| take(deadline, interrupt));
        self.bells.show(&self.queue);
        got?;
        let (mut objects, mut failed, mut start) = (Vec::with_capacity(ends.len()), None, 0);
        let mut keep = |object: PyResult<_>| match object {
            Ok(object) => objects.push(object),
            Err(error) => failed = Some(failed.take().unwrap_or(error)),
        };
        for (format, end) in ends {
            keep(codec::decode_message(py, format, &bytes[start..end]));
            start = end;
        }
        if let Some(parcel) = parcel {
            keep(codec::decode_parcel(py, parcel, 0));
        }
        match failed {
            None => Ok(objects),
            Some(error) => Err(with_others(py, error, objects)),
        }
    }
}

/// The error of one object of a batch, with the other objects as its attribute `others`.
#[cold]
fn with_others(py: Python<'_>, error: PyErr, objects: Vec<Bound<'_, PyAny>>) -> PyErr {
    match error.value(py).setattr("others", objects) {
        Ok(()) => error,
        Err(refused) => refused,
    }
}
