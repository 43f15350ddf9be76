//! The two ends of a pipe.
//!
//! A pipe is one queue or two, and an object for each end that is held by whoever has that end. When
//! the last holder of an end lets go, or is buried, the object is gone, and the other end's queues
//! see that.

use crate::Error;
use crate::queue::byte_queue::{Bounds, ByteQueue};
use crate::queue::{Payload, Queue};
use crate::select::Waitable;
use crate::shareable::{Shareable, shareable};
use procession_shm::{Handle, Held, Kind, ObjectHead, family};
use serde::de::{DeserializeOwned, Error as _};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// What an end is tagged with.
const TAG: u32 = 0x656e_6431;
/// How many bytes of messages a pipe takes before `send` waits.
const ROOM: u64 = 1 << 20;

/// One end of a pipe: messages of type `S` go out, messages of type `R` come in.
///
/// # If a process dies
/// When nobody is left who has the other end, `recv` gives what is still in the pipe and then says
/// that it is closed, and `send` says so at once.
///
/// # After fork
/// Parent and child both have the end.
pub struct Connection<S, R = S> {
    sending: Option<Queue<S>>,
    receiving: Option<Queue<R>>,
    /// Dropped before the queues are, so that who waits on them looks after it is gone.
    end: Option<PipeEnd>,
    other: Handle,
}

/// Stands for one end of a pipe: it is gone when nobody who has that end is left. The other end's
/// queues know its [handle](crate::Shareable::handle), see
/// [`ByteQueue::to_peer`](crate::byte_queue::ByteQueue::to_peer).
///
/// # If a process dies
/// What it held of the end is let go of when it is buried.
///
/// # After fork
/// Parent and child both have the end.
#[derive(Clone, Debug)]
pub struct PipeEnd {
    held: Held,
}

shareable!(PipeEnd, held, Kind::Connection, TAG);

impl PipeEnd {
    /// An end that this process alone has.
    ///
    /// # Errors
    /// [`Error::Shm`] if shared memory cannot be had.
    pub fn new() -> Result<Self, Error> {
        let len = size_of::<ObjectHead>() as u64;
        Ok(Self::of(family()?.make(Kind::Connection, len, TAG, |_| Ok(()))?))
    }

    fn of(held: Held) -> Self {
        Self { held }
    }
}

/// Makes a pipe whose two ends both send and receive.
///
/// # Errors
/// [`Error::Shm`] if shared memory cannot be had.
///
/// # Examples
/// ```
/// let (here, there) = procession_ipc::duplex::<u32>()?;
/// here.send(&1)?;
/// assert!(there.poll());
/// assert_eq!(there.recv()?, 1);
/// there.send(&2)?;
/// assert_eq!(here.recv()?, 2);
/// drop(there);
/// assert!(here.recv().unwrap_err().is_closed());
/// assert!(here.send(&3).unwrap_err().is_closed());
/// # Ok::<(), procession_ipc::Error>(())
/// ```
pub fn duplex<T>() -> Result<(Connection<T>, Connection<T>), Error> {
    let (there, back) = (stream()?, stream()?);
    let (one, two) = (PipeEnd::new()?, PipeEnd::new()?);
    let (first, second) = (one.handle(), two.handle());
    Ok((
        Connection {
            sending: Some(Queue::over(there.to_peer(second))),
            receiving: Some(Queue::over(back.to_peer(second))),
            end: Some(one),
            other: second,
        },
        Connection {
            sending: Some(Queue::over(back.to_peer(first))),
            receiving: Some(Queue::over(there.to_peer(first))),
            end: Some(two),
            other: first,
        },
    ))
}

/// Makes a pipe of which the first end receives what the second one sends, as Python's
/// `Pipe(duplex=False)`.
///
/// # Errors
/// As [`duplex`].
pub fn simplex<T>() -> Result<(Connection<T>, Connection<T>), Error> {
    let stream = stream()?;
    let (one, two) = (PipeEnd::new()?, PipeEnd::new()?);
    let (first, second) = (one.handle(), two.handle());
    Ok((
        Connection {
            sending: None,
            receiving: Some(Queue::over(stream.to_peer(second))),
            end: Some(one),
            other: second,
        },
        Connection {
            sending: Some(Queue::over(stream.to_peer(first))),
            receiving: None,
            end: Some(two),
            other: first,
        },
    ))
}

fn stream() -> Result<ByteQueue, Error> {
    ByteQueue::new(Bounds { items: 0, bytes: ROOM })
}

impl<S, R> Connection<S, R> {
    fn sending(&self) -> Result<&Queue<S>, Error> {
        self.sending.as_ref().ok_or(Error::Closed { what: "this end of the pipe only receives" })
    }

    fn receiving(&self) -> Result<&Queue<R>, Error> {
        self.receiving.as_ref().ok_or(Error::Closed { what: "this end of the pipe only sends" })
    }

    /// Whether `recv` would find a message, or the end of the pipe, without waiting.
    pub fn poll(&self) -> bool {
        self.is_ready()
    }

    /// As [`poll`](Self::poll), waiting so long at most for that.
    ///
    /// # Errors
    /// As [`wait`](crate::wait).
    pub fn poll_timeout(&self, timeout: Duration) -> Result<bool, Error> {
        Ok(!crate::wait(&[self], Some(timeout))?.is_empty())
    }

    /// Sends bytes as they are; [`recv_bytes`](Self::recv_bytes) receives them.
    ///
    /// # Errors
    /// [`Error::Closed`] if the other end is gone or this end only receives.
    pub fn send_bytes(&self, bytes: &[u8]) -> Result<(), Error> {
        self.sending()?.put_bytes(bytes)
    }

    /// Receives a message as bytes, waiting for one.
    ///
    /// # Errors
    /// [`Error::Closed`] if the pipe is empty and the other end gone, or this end only sends.
    pub fn recv_bytes(&self) -> Result<Payload, Error> {
        self.receiving()?.get_bytes()
    }
}

impl<S: Serialize + DeserializeOwned, R> Connection<S, R> {
    /// Sends a value, waiting while a megabyte of messages is under way.
    ///
    /// # Errors
    /// [`Error::Closed`] if the other end is gone or this end only receives; [`Error::Encode`].
    pub fn send(&self, value: &S) -> Result<(), Error> {
        self.sending()?.put(value)
    }
}

impl<S, R: DeserializeOwned> Connection<S, R> {
    /// Receives a value, waiting for one.
    ///
    /// # Errors
    /// [`Error::Closed`] if the pipe is empty and the other end gone, or this end only sends;
    /// [`Error::Decode`].
    pub fn recv(&self) -> Result<R, Error> {
        self.receiving()?.get()
    }

    /// As [`recv`](Self::recv), waiting so long at most.
    ///
    /// # Errors
    /// [`Error::TimedOut`] too.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<R, Error> {
        self.receiving()?.get_timeout(timeout)
    }

    /// As [`recv`](Self::recv), without waiting.
    ///
    /// # Errors
    /// [`Error::Empty`] too.
    pub fn try_recv(&self) -> Result<R, Error> {
        self.receiving()?.try_get()
    }
}

impl<S, R> Drop for Connection<S, R> {
    fn drop(&mut self) {
        self.end = None;
        if let Some(queue) = &self.sending {
            queue.core().disturb();
        }
        if let Some(queue) = &self.receiving {
            queue.core().disturb();
        }
    }
}

impl<S, R> fmt::Debug for Connection<S, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("readable", &self.receiving.is_some())
            .field("writable", &self.sending.is_some())
            .finish_non_exhaustive()
    }
}

impl<S, R> Waitable for Connection<S, R> {
    fn is_ready(&self) -> bool {
        self.receiving.as_ref().is_some_and(Waitable::is_ready)
    }

    fn bells(&self) -> Option<&Held> {
        self.receiving.as_ref().and_then(Waitable::bells)
    }
}

impl<S, R> Serialize for Connection<S, R> {
    fn serialize<Z: Serializer>(&self, serializer: Z) -> Result<Z::Ok, Z::Error> {
        let end = self.end.as_ref().ok_or_else(|| serde::ser::Error::custom("a closed pipe"))?;
        let mut parts = serializer.serialize_tuple(4)?;
        parts.serialize_element(&self.sending)?;
        parts.serialize_element(&self.receiving)?;
        parts.serialize_element(end)?;
        parts.serialize_element(&self.other)?;
        parts.end()
    }
}

impl<'de, S, R> Deserialize<'de> for Connection<S, R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        type Parts<S, R> = (Option<Queue<S>>, Option<Queue<R>>, PipeEnd, Handle);
        let (sending, receiving, end, other) = Parts::<S, R>::deserialize(deserializer)?;
        if sending.is_none() && receiving.is_none() {
            return Err(D::Error::custom("an end of a pipe that neither sends nor receives"));
        }
        Ok(Self {
            sending: sending.map(|queue| Queue::over(queue.core().to_peer(other))),
            receiving: receiving.map(|queue| Queue::over(queue.core().to_peer(other))),
            end: Some(end),
            other,
        })
    }
}
