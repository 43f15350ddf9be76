//! The typed queue.

use super::Payload;
use super::byte_queue::{Bounds, ByteQueue, Got, Item, is_large};
use super::scratch::Scratch;
use crate::message::{self, Objects, Parcel};
use crate::select::Waitable;
use crate::shareable::travels;
use crate::{Error, Shareable, codec};
use procession_shm::{Family, Handle, Held};
use procession_sys::Deadline;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

/// A queue of values of type `T` that processes share.
///
/// Any number of putters and getters; each item goes to one getter; the items of one putter come out
/// in the order in which they were put. Unbounded unless made otherwise. `put` encodes in the caller,
/// so what was put is what arrives. Cloning, or sending it to another process, makes another handle
/// to the same queue.
///
/// Once Python takes part, values are put as pickles, and what Python puts is read as the same type;
/// [the mapping](procession_wire::pickle) says what becomes what.
///
/// Messages above 64 KiB, and those in which shared objects travel, are written once into shared
/// memory and handed over; see also [`put_bytes`](Self::put_bytes).
///
/// # If a process dies
/// No lock of the queue stays taken and no item of another process is lost, torn or doubled. What
/// the dead one had put is there; what it was just putting is not there, or whole; what it was just
/// getting is still there, unless the get had been committed: then it died with the process.
///
/// # After fork
/// Parent and child both use the queue.
///
/// # Examples
/// ```
/// use procession_ipc::Queue;
///
/// let queue = Queue::new()?;
/// queue.put(&"one".to_string())?;
/// queue.put(&"two".to_string())?;
/// assert_eq!(queue.qsize(), 2);
/// assert_eq!(queue.get()?, "one");
/// assert_eq!(queue.try_get()?, "two");
/// assert!(queue.try_get().unwrap_err().is_timeout());
/// # Ok::<(), procession_ipc::Error>(())
/// ```
pub struct Queue<T> {
    core: Arc<ByteQueue>,
    _items: PhantomData<fn(T) -> T>,
}

impl<T> Queue<T> {
    /// A queue without bounds.
    ///
    /// # Errors
    /// [`Error::Shm`] if shared memory cannot be had.
    pub fn new() -> Result<Self, Error> {
        Self::builder().build()
    }

    /// A queue of at most `maxsize` items; 0 is no bound.
    ///
    /// # Errors
    /// As [`Queue::new`].
    pub fn with_maxsize(maxsize: usize) -> Result<Self, Error> {
        Self::builder().maxsize(maxsize).build()
    }

    /// A queue with bounds.
    pub fn builder() -> QueueBuilder<T> {
        QueueBuilder { bounds: Bounds::default(), _items: PhantomData }
    }

    pub(crate) fn over(core: ByteQueue) -> Self {
        Self { core: Arc::new(core), _items: PhantomData }
    }

    pub(crate) fn core(&self) -> &ByteQueue {
        &self.core
    }

    /// About how many items are in the queue.
    pub fn qsize(&self) -> usize {
        self.core.len() as usize
    }

    /// Whether the queue is empty now.
    pub fn empty(&self) -> bool {
        self.core.is_empty()
    }

    /// Whether the queue is full now; never, if it has no bounds.
    pub fn full(&self) -> bool {
        self.core.is_full()
    }

    /// Ends the queue: every `put` from now on, and every `get` once it is empty, says so.
    pub fn shutdown(&self) {
        self.core.shut();
    }

    /// Ends the queue and drops what is in it; how many items that was. In a
    /// [`JoinableQueue`](super::JoinableQueue) they are done.
    pub fn shutdown_now(&self) -> usize {
        self.core.shut();
        let mut dropped = 0;
        while self.core.get(&mut Vec::new(), None, Deadline::now()).is_ok() {
            if self.core.is_tallied() {
                let _ = self.core.task_done();
            }
            dropped += 1;
        }
        dropped
    }

    /// Whether the queue was shut down.
    pub fn is_shut_down(&self) -> bool {
        self.core.is_shut()
    }

    /// Puts bytes as they are, waiting for room. Get them with [`get_bytes`](Self::get_bytes).
    ///
    /// Above 64 KiB they are copied once, into shared memory that the reader is lent.
    ///
    /// # Errors
    /// [`Error::Closed`] after a shutdown, [`Error::Shm`] without memory.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.put_encoded(codec::BYTES, bytes, Deadline::never())
    }

    /// Takes the next message as bytes, whatever it is, waiting for one.
    ///
    /// # Errors
    /// [`Error::Closed`] if the queue was shut down and is empty.
    pub fn get_bytes(&self) -> Result<Payload, Error> {
        self.get_bytes_until(Deadline::never())
    }

    /// As [`get_bytes`](Self::get_bytes), waiting so long at most.
    ///
    /// # Errors
    /// [`Error::TimedOut`] too.
    pub fn get_bytes_timeout(&self, timeout: Duration) -> Result<Payload, Error> {
        self.get_bytes_until(Deadline::after(timeout))
    }

    fn get_bytes_until(&self, deadline: Deadline) -> Result<Payload, Error> {
        let mut bytes = Vec::new();
        match self.core.get(&mut bytes, None, deadline)? {
            Got::Message { .. } => Ok(Payload::own(bytes)),
            Got::Parcel(parcel) => Ok(Payload::lent(parcel)),
        }
    }

    fn put_encoded(&self, format: u8, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        if is_large(bytes.len()) {
            self.core.throttle();
            return self.put_parcel(self.parcel(format, bytes, &Objects::default())?, deadline);
        }
        self.core.put_one(format, bytes, deadline)
    }

    fn parcel(&self, format: u8, bytes: &[u8], objects: &Objects) -> Result<Parcel, Error> {
        Parcel::with(self.core.held().family(), format, bytes, objects)
    }

    fn put_parcel(&self, parcel: Parcel, deadline: Deadline) -> Result<(), Error> {
        match self.core.put(&[Item::Parcel(&parcel)], deadline) {
            Ok(_) => {
                parcel.keep();
                Ok(())
            }
            Err((_, error)) => Err(error),
        }
    }
}

impl<T: Serialize + DeserializeOwned> Queue<T> {
    /// Puts a value, waiting for room if the queue is bounded and full.
    ///
    /// # Errors
    /// [`Error::Closed`] after a shutdown, [`Error::Encode`] if the value cannot be sent,
    /// [`Error::Shm`] without memory.
    pub fn put(&self, value: &T) -> Result<(), Error> {
        self.put_until(value, Deadline::never())
    }

    /// As [`put`](Self::put), waiting so long at most.
    ///
    /// # Errors
    /// [`Error::TimedOut`] too; nothing was put then.
    pub fn put_timeout(&self, value: &T, timeout: Duration) -> Result<(), Error> {
        self.put_until(value, Deadline::after(timeout))
    }

    /// As [`put`](Self::put), without waiting.
    ///
    /// # Errors
    /// [`Error::Full`] too.
    pub fn try_put(&self, value: &T) -> Result<(), Error> {
        self.put_until(value, Deadline::now())
    }

    /// Puts many values, those that fit together at once.
    ///
    /// # Errors
    /// As [`put`](Self::put); the values before the one that failed were put, and the error comes
    /// with how many that were.
    pub fn put_many<V: Borrow<T>>(
        &self,
        values: impl IntoIterator<Item = V>,
    ) -> Result<usize, (usize, Error)> {
        let mut values = values.into_iter();
        let mut put = 0;
        let mut bytes = Scratch::take();
        loop {
            let (count, more) = self
                .put_batch(&mut values, bytes.vec())
                .map_err(|(count, error)| (put + count, error))?;
            put += count;
            if !more {
                return Ok(put);
            }
        }
    }

    /// Encodes values until a batch is large enough, and puts them; whether there may be more.
    fn put_batch<V: Borrow<T>>(
        &self,
        values: &mut impl Iterator<Item = V>,
        bytes: &mut Vec<u8>,
    ) -> Result<(usize, bool), (usize, Error)> {
        const BATCH: usize = 32 << 10;
        bytes.clear();
        let mut parts: Vec<(u8, usize)> = Vec::new();
        let mut whole: Option<Parcel> = None;
        let mut failed = None;
        let more = loop {
            let Some(value) = values.next() else { break false };
            let start = bytes.len();
            let (format, objects) = match self.encode(value.borrow(), bytes) {
                Ok(format) => (format, message::travelling().unwrap_or_default()),
                Err(error) => {
                    bytes.truncate(start);
                    failed = Some(error);
                    break false;
                }
            };
            if is_large(bytes.len() - start) || !objects.is_empty() {
                match self.parcel(format, &bytes[start..], &objects) {
                    Ok(parcel) => whole = Some(parcel),
                    Err(error) => failed = Some(error),
                }
                bytes.truncate(start);
                break failed.is_none();
            }
            parts.push((format, bytes.len()));
            if bytes.len() >= BATCH {
                break true;
            }
        };
        let mut start = 0;
        let items: Vec<Item<'_>> = parts
            .iter()
            .map(|(format, end)| {
                let item = Item::Message { format: *format, bytes: &bytes[start..*end] };
                start = *end;
                item
            })
            .collect();
        let mut put = items.len();
        self.core.put(&items, Deadline::never())?;
        if let Some(parcel) = whole {
            self.put_parcel(parcel, Deadline::never()).map_err(|error| (put, error))?;
            put += 1;
        }
        failed.map_or(Ok((put, more)), |error| Err((put, error)))
    }

    #[inline]
    fn encode(&self, value: &T, bytes: &mut Vec<u8>) -> Result<u8, Error> {
        if self.core.speaks_pickle() {
            return message::encode_for_python(value, bytes);
        }
        message::encode_bytes(value, bytes)
    }

    fn put_until(&self, value: &T, deadline: Deadline) -> Result<(), Error> {
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        let format = self.encode(value, bytes)?;
        match message::travelling() {
            None => self.put_encoded(format, bytes, deadline),
            Some(objects) => self.put_parcel(self.parcel(format, bytes, &objects)?, deadline),
        }
    }
}

impl<T: DeserializeOwned> Queue<T> {
    /// Takes the next item, waiting for one.
    ///
    /// # Errors
    /// [`Error::Closed`] if the queue was shut down and is empty; [`Error::Decode`] if the item is not
    /// a `T` (it is gone then).
    pub fn get(&self) -> Result<T, Error> {
        self.get_until(Deadline::never())
    }

    /// As [`get`](Self::get), waiting so long at most.
    ///
    /// # Errors
    /// [`Error::TimedOut`] too.
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, Error> {
        self.get_until(Deadline::after(timeout))
    }

    /// As [`get`](Self::get), without waiting.
    ///
    /// # Errors
    /// [`Error::Empty`] too.
    pub fn try_get(&self) -> Result<T, Error> {
        self.get_until(Deadline::now())
    }

    /// Takes at least one item, waiting for it, and at most `max` of those that are there.
    ///
    /// # Errors
    /// As [`get`](Self::get). If one item of several cannot be decoded, all of them are gone.
    pub fn get_many(&self, max: usize) -> Result<Vec<T>, Error> {
        self.get_many_until(max, Deadline::never())
    }

    /// As [`get_many`](Self::get_many), waiting so long at most for the first.
    ///
    /// # Errors
    /// [`Error::TimedOut`] too.
    pub fn get_many_timeout(&self, max: usize, timeout: Duration) -> Result<Vec<T>, Error> {
        self.get_many_until(max, Deadline::after(timeout))
    }

    fn get_many_until(&self, max: usize, deadline: Deadline) -> Result<Vec<T>, Error> {
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        let mut items = Vec::new();
        self.core.get_many(max, None, deadline, |item, append| {
            let start = bytes.len();
            append(bytes);
            items.push((item, start));
        })?;
        let decode = |(item, start)| match item {
            Got::Message { format, len } => message::decode(format, &bytes[start..start + len]),
            Got::Parcel(parcel) => parcel.decode(),
        };
        items.into_iter().map(decode).collect()
    }

    pub(crate) fn get_until(&self, deadline: Deadline) -> Result<T, Error> {
        let mut scratch = Scratch::take();
        let bytes = scratch.vec();
        match self.core.get(bytes, None, deadline)? {
            Got::Message { format, .. } => message::decode(format, bytes),
            Got::Parcel(parcel) => parcel.decode(),
        }
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self { core: Arc::clone(&self.core), _items: PhantomData }
    }
}

impl<T> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("qsize", &self.qsize()).finish_non_exhaustive()
    }
}

impl<T> Shareable for Queue<T> {
    fn held(&self) -> &Held {
        self.core.held()
    }

    fn attach(family: &'static Family, handle: Handle) -> Result<Self, Error> {
        ByteQueue::attach(family, handle).map(Self::over)
    }
}

travels!(Queue<T> where T);

impl<T> Waitable for Queue<T> {
    fn is_ready(&self) -> bool {
        self.core.is_ready()
    }

    fn bells(&self) -> Option<&Held> {
        Some(self.core.held())
    }
}

/// Bounds of a queue that is to be made; see [`Queue::builder`].
#[derive(Clone, Copy, Debug)]
pub struct QueueBuilder<T> {
    bounds: Bounds,
    _items: PhantomData<fn(T) -> T>,
}

impl<T> QueueBuilder<T> {
    /// At most so many items; 0 is no bound.
    #[must_use]
    pub fn maxsize(mut self, items: usize) -> Self {
        self.bounds.items = items as u64;
        self
    }

    /// At most so many bytes of encoded items; 0 is no bound. An item larger than that goes alone,
    /// when the queue is empty.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.bounds.bytes = bytes as u64;
        self
    }

    /// Makes the queue.
    ///
    /// # Errors
    /// [`Error::Shm`] if shared memory cannot be had.
    pub fn build(self) -> Result<Queue<T>, Error> {
        Ok(Queue::over(ByteQueue::new(self.bounds)?))
    }
}
