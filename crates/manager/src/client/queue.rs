//! Queues that a manager has.

use super::answer;
use super::error::ManagerError;
use super::near;
use super::proxy::Proxy;
use super::request::{self, Arguments, Named};
use super::shared::Waits;
use super::typed::typed;
use procession_wire::message::Payload;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Borrow;
use std::marker::PhantomData;
use std::time::Duration;

/// How many bytes of requests go out before the answers are waited for.
const BATCH: usize = 256 << 10;
/// How many items are asked for at once, after the first.
const MOST: usize = 1024;

/// A queue of values of type `T` that a manager has.
///
/// It is Python's `queue.Queue`: what is put are pickles of plain data, and what others put is read as a `T`;
/// [the mapping](procession_wire::pickle) says what becomes what. [`put_payload`](Self::put_payload) and
/// [`get_payload`](Self::get_payload) carry what has no meaning in Rust, such as objects of a Python class.
///
/// With a manager of ours on a Unix socket of this machine, the queue is used in shared memory; what names an object of the
/// manager, [`shutdown`](Self::shutdown) and a [`Pipeline`](super::Pipeline) go over the socket there, too. Else every call is
/// one way to the manager and back. [`put_many`](Self::put_many) and [`get_many`](Self::get_many) take many at once, here
/// and there.
///
/// # If a process dies
/// What it had put is there. An item that was on its way to it is lost with it at a stock manager; one of ours puts it back to
/// the front, unless it had arrived.
///
/// # After fork
/// Parent and child both use the queue, over connections of their own.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let queue = manager.queue()?;
/// queue.put(&"one".to_owned())?;
/// queue.put(&"two".to_owned())?;
/// assert_eq!(queue.qsize()?, 2);
/// assert_eq!(queue.get()?, "one");
/// assert_eq!(queue.try_get()?, "two");
/// assert!(queue.try_get().unwrap_err().is_timeout());
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Queue<T> {
    proxy: Proxy,
    _items: PhantomData<fn(T) -> T>,
}

typed!(Queue<T> as "queue" with "get", "put", "qsize"; come_near);

/// What a queue raises, as what it means.
fn meaning(error: ManagerError, waits: Waits) -> ManagerError {
    let timed_out = |what, at_once| match waits {
        Waits::Not => at_once,
        Waits::At(_) | Waits::ForEver => ManagerError::TimedOut { what },
    };
    if error.is("queue", "Empty") {
        return timed_out("waiting for an item", ManagerError::Empty);
    }
    if error.is("queue", "Full") {
        return timed_out("waiting for room in the queue", ManagerError::Full);
    }
    if error.is("queue", "ShutDown") { ManagerError::Closed } else { error }
}

impl<T> Queue<T> {
    pub(super) fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: impl Arguments,
        waits: Waits,
    ) -> Result<R, ManagerError> {
        self.proxy.ask(method, arguments, waits).map_err(|error| meaning(error, waits))
    }

    /// How many items are in the queue.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn qsize(&self) -> Result<usize, ManagerError> {
        if let Some(near) = self.proxy.near_queue()? {
            return Ok(near.len());
        }
        self.call("qsize", (), Waits::Not)
    }

    /// Whether the queue is empty.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn empty(&self) -> Result<bool, ManagerError> {
        if let Some(near) = self.proxy.near_queue()? {
            return Ok(near.len() == 0);
        }
        self.call("empty", (), Waits::Not)
    }

    /// Whether the queue is full; never, if it has no bound.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn full(&self) -> Result<bool, ManagerError> {
        if let Some(near) = self.proxy.near_queue()? {
            return Ok(near.is_full());
        }
        self.call("full", (), Waits::Not)
    }

    /// Ends the queue: every `put` from now on, and every `get` once it is empty, says so.
    ///
    /// # Errors
    /// [`ManagerError::Failed`] if the manager is a CPython before 3.13, whose queues cannot; [`ManagerError::Lost`].
    pub fn shutdown(&self) -> Result<(), ManagerError> {
        self.call("shutdown", (), Waits::Not)
    }

    /// As [`shutdown`](Self::shutdown), and drops what is in it.
    ///
    /// # Errors
    /// As [`shutdown`](Self::shutdown).
    pub fn shutdown_now(&self) -> Result<(), ManagerError> {
        self.call("shutdown", (true,), Waits::Not)
    }

    /// Puts a pickle as it is, waiting for room.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub fn put_payload(&self, payload: &Payload) -> Result<(), ManagerError> {
        // What names an object is the manager's to keep.
        if let Some(near) = self.proxy.near_queue()?
            && payload.tokens().is_empty()
        {
            return near.put(payload.as_pickle(), Waits::ForEver);
        }
        let mut out = Vec::new();
        request::payload(&mut out, self.proxy.id(), "put", payload)?;
        self.proxy
            .send("put", &out, Waits::ForEver, answer::value)
            .map_err(|error| meaning(error, Waits::ForEver))
    }

    /// Takes the next item as a pickle, whatever it is, waiting for one.
    ///
    /// # Errors
    /// As [`get`](Self::get), apart from [`ManagerError::Decode`].
    pub fn get_payload(&self) -> Result<Payload, ManagerError> {
        self.payload((), Waits::ForEver)
    }

    /// As [`get_payload`](Self::get_payload), waiting so long at most.
    ///
    /// # Errors
    /// [`ManagerError::TimedOut`] too.
    pub fn get_payload_timeout(&self, timeout: Duration) -> Result<Payload, ManagerError> {
        self.payload((true, timeout.as_secs_f64()), Waits::At(timeout))
    }

    fn payload(&self, arguments: impl Arguments, waits: Waits) -> Result<Payload, ManagerError> {
        if let Some(near) = self.proxy.near_queue()? {
            return near.get(waits, |pickle| {
                Payload::from_pickle(pickle).map_err(|error| self.proxy.shared().protocol(error))
            });
        }
        let mut out = Vec::new();
        request::call(&mut out, self.proxy.id(), "get", arguments, &Named::default())?;
        self.proxy.send("get", &out, waits, answer::payload).map_err(|error| meaning(error, waits))
    }
}

impl<T: Serialize + DeserializeOwned> Queue<T> {
    /// Puts a value, waiting for room if the queue has a bound and is full.
    ///
    /// # Errors
    /// [`ManagerError::Closed`] after a shutdown, [`ManagerError::Encode`] if the value cannot be sent,
    /// [`ManagerError::Raised`] if the manager has no memory for it, [`ManagerError::Lost`]: then it may have been put.
    pub fn put(&self, value: &T) -> Result<(), ManagerError> {
        self.put_within(value, Waits::ForEver)
    }

    /// As [`put`](Self::put), waiting so long at most.
    ///
    /// # Errors
    /// [`ManagerError::TimedOut`] too; nothing was put then.
    pub fn put_timeout(&self, value: &T, timeout: Duration) -> Result<(), ManagerError> {
        self.put_within(value, Waits::At(timeout))
    }

    /// As [`put`](Self::put), without waiting for room.
    ///
    /// # Errors
    /// [`ManagerError::Full`] too.
    pub fn try_put(&self, value: &T) -> Result<(), ManagerError> {
        self.put_within(value, Waits::Not)
    }

    fn put_within(&self, value: &T, waits: Waits) -> Result<(), ManagerError> {
        if let Some(near) = self.proxy.near_queue()? {
            return near.put(&near::encode("put", value)?, waits);
        }
        match waits {
            Waits::ForEver => self.call("put", (value,), waits),
            Waits::At(timeout) => self.call("put", (value, true, timeout.as_secs_f64()), waits),
            Waits::Not => self.call("put", (value, false), waits),
        }
    }

    /// Puts many values: in shared memory about 32 KiB of them at once, over a connection 256 KiB in one way to the manager
    /// and back.
    ///
    /// # Errors
    /// As [`put`](Self::put), of the first one that failed, with how many were put. Over a connection those behind it in the
    /// same 256 KiB were tried, too.
    pub fn put_many<V: Borrow<T>>(
        &self,
        values: impl IntoIterator<Item = V>,
    ) -> Result<usize, (usize, ManagerError)> {
        if let Some(near) = self.proxy.near_queue().map_err(|error| (0, error))? {
            return near.put_many(values);
        }
        let mut values = values.into_iter();
        let mut put = 0;
        let mut out = Vec::new();
        loop {
            out.clear();
            let (mut count, mut failed) = (0, None);
            while out.len() < BATCH {
                let Some(value) = values.next() else { break };
                match request::call(
                    &mut out,
                    self.proxy.id(),
                    "put",
                    (value.borrow(),),
                    &Named::default(),
                ) {
                    Ok(()) => count += 1,
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            if count == 0 {
                return failed.map_or(Ok(put), |error| Err((put, error)));
            }
            let mut refused = None;
            let sent = self.proxy.send_many(&out, count, Waits::ForEver, |shared, answer| {
                match answer::value::<()>(shared, "put", answer) {
                    Ok(()) => put += 1,
                    Err(error) => drop(refused.get_or_insert(error)),
                }
            });
            if let Some(error) = sent.err().or(refused).or(failed) {
                return Err((put, meaning(error, Waits::ForEver)));
            }
        }
    }
}

impl<T: DeserializeOwned> Queue<T> {
    /// Takes the next item, waiting for one.
    ///
    /// # Errors
    /// [`ManagerError::Closed`] if the queue was shut down and is empty; [`ManagerError::Decode`] if the item is not a `T`
    /// (it is gone then); [`ManagerError::Lost`].
    pub fn get(&self) -> Result<T, ManagerError> {
        self.get_within(Waits::ForEver)
    }

    /// As [`get`](Self::get), waiting so long at most.
    ///
    /// # Errors
    /// [`ManagerError::TimedOut`] too.
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, ManagerError> {
        self.get_within(Waits::At(timeout))
    }

    /// As [`get`](Self::get), without waiting for one.
    ///
    /// # Errors
    /// [`ManagerError::Empty`] too.
    pub fn try_get(&self) -> Result<T, ManagerError> {
        self.get_within(Waits::Not)
    }

    fn get_within(&self, waits: Waits) -> Result<T, ManagerError> {
        if let Some(near) = self.proxy.near_queue()? {
            return near.get_value(waits);
        }
        match waits {
            Waits::ForEver => self.call("get", (), waits),
            Waits::At(timeout) => self.call("get", (true, timeout.as_secs_f64()), waits),
            Waits::Not => self.call("get", (false,), waits),
        }
    }

    /// Takes at least one item, waiting for it, and at most `max` of those that are there.
    ///
    /// # Errors
    /// As [`get`](Self::get). If one item of several cannot be decoded, all of them are gone.
    pub fn get_many(&self, max: usize) -> Result<Vec<T>, ManagerError> {
        self.many(max, None)
    }

    /// As [`get_many`](Self::get_many), waiting so long at most for the first.
    ///
    /// # Errors
    /// [`ManagerError::TimedOut`] too.
    pub fn get_many_timeout(&self, max: usize, timeout: Duration) -> Result<Vec<T>, ManagerError> {
        self.many(max, Some(timeout))
    }

    /// One request that waits and many that do not go out together; then, as long as all of them bring an item, more.
    fn many(&self, max: usize, timeout: Option<Duration>) -> Result<Vec<T>, ManagerError> {
        let mut items = Vec::new();
        let mut waits = timeout.map_or(Waits::ForEver, Waits::At);
        if let Some(near) = self.proxy.near_queue()? {
            while items.len() < max {
                match near.get_some(max - items.len(), waits) {
                    Ok(more) => items.extend(more),
                    Err(error) if items.is_empty() => return Err(error),
                    Err(error) if error.is_timeout() || error.is_closed() => break,
                    Err(error) => return Err(error),
                }
                waits = Waits::Not;
            }
            return Ok(items);
        }
        while items.len() < max {
            let count = (max - items.len()).min(MOST);
            let mut out = Vec::new();
            let id = self.proxy.id();
            for at in 0..count {
                match (items.is_empty() && at == 0, timeout) {
                    (true, None) => request::call(&mut out, id, "get", (), &Named::default())?,
                    (true, Some(timeout)) => {
                        request::call(
                            &mut out,
                            id,
                            "get",
                            (true, timeout.as_secs_f64()),
                            &Named::default(),
                        )?;
                    }
                    (false, _) => request::call(&mut out, id, "get", (false,), &Named::default())?,
                }
            }
            let mut failed = None;
            self.proxy.send_many(&out, count, waits, |shared, answer| {
                match answer::value(shared, "get", answer) {
                    Ok(item) => items.push(item),
                    Err(error) => drop(failed.get_or_insert(error)),
                }
            })?;
            match failed.map(|error| meaning(error, waits)) {
                Some(error) if items.is_empty() => return Err(error),
                Some(error) if error.is_timeout() || error.is_closed() => break,
                Some(error) => return Err(error),
                None => waits = Waits::Not,
            }
        }
        Ok(items)
    }
}
