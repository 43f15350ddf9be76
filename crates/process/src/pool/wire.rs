//! Tasks and results as messages.
//!
//! ```text
//! task    function (32 bytes, see `Shipped`), then the encoded arguments
//! result  task number (8), nanoseconds it ran or 0 (8), status (1), then the encoded value
//! ```

use procession_ipc::Error;
use procession_ipc::byte_queue::{ByteQueue, Item, is_large};
use procession_ipc::message::{self, Objects, Parcel};
use procession_sys::Deadline;
use procession_sys::image::Shipped;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of a task before its arguments.
pub(super) const TASK_HEAD: usize = Shipped::SIZE;
/// Bytes of a result before its value.
pub const RESULT_HEAD: usize = 17;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// With a value.
    Returned = 0,
    /// With a [`Panic`](crate::Panic).
    Panicked = 1,
    /// It could not be run, or its value could not be sent; with a text.
    Failed = 2,
    /// With its worker; from the supervisor.
    Lost = 3,
    /// Killed for the time limit; from the supervisor.
    TimedOut = 4,
    /// Not begun, because it was cancelled.
    Skipped = 5,
    /// Not of a task: the initializer failed.
    NoWorker = 6,
}

impl Status {
    fn from_byte(byte: u8) -> Option<Self> {
        use Status::{Failed, Lost, NoWorker, Panicked, Returned, Skipped, TimedOut};
        [Returned, Panicked, Failed, Lost, TimedOut, Skipped, NoWorker]
            .into_iter()
            .find(|status| *status as u8 == byte)
    }
}

/// The head of a result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    pub(super) task: u64,
    pub(super) nanoseconds: u64,
    pub(super) status: Status,
}

impl Head {
    pub(super) fn write(self, bytes: &mut Vec<u8>) {
        let mut head = [0; RESULT_HEAD];
        head[..8].copy_from_slice(&self.task.to_le_bytes());
        head[8..16].copy_from_slice(&self.nanoseconds.to_le_bytes());
        head[16] = self.status as u8;
        bytes.extend_from_slice(&head);
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (task, rest) = bytes.split_first_chunk()?;
        let (nanoseconds, rest) = rest.split_first_chunk()?;
        Some(Self {
            task: u64::from_le_bytes(*task),
            nanoseconds: u64::from_le_bytes(*nanoseconds),
            status: Status::from_byte(*rest.first()?)?,
        })
    }
}

/// A message that is ready to be put, more than once if need be.
#[derive(Debug)]
pub struct Message {
    /// How it is encoded.
    pub format: u8,
    /// A task's bytes, or a result's head and value.
    pub bytes: Vec<u8>,
    /// Shared objects that travel in it.
    pub objects: Objects,
}

impl Message {
    /// Begins a result: clears `bytes` and writes its head, behind which the value goes.
    pub fn begin_result(task: u64, status: Status, bytes: &mut Vec<u8>) {
        bytes.clear();
        Head { task, nanoseconds: 0, status }.write(bytes);
    }

    /// A task.
    pub(super) fn task<A: Serialize + DeserializeOwned>(
        function: &[u8; TASK_HEAD],
        arguments: &A,
        mut bytes: Vec<u8>,
    ) -> Result<Self, Error> {
        bytes.clear();
        bytes.extend_from_slice(function);
        let (format, objects) = message::encode(arguments, &mut bytes)?;
        Ok(Self { format, bytes, objects })
    }

    /// A result that is no value of the function's.
    pub(super) fn report<T: Serialize + DeserializeOwned>(
        task: u64,
        status: Status,
        what: &T,
    ) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        Head { task, nanoseconds: 0, status }.write(&mut bytes);
        let (format, objects) = message::encode(what, &mut bytes)?;
        Ok(Self { format, bytes, objects })
    }

    /// Puts it; the item's number in the queue.
    pub(super) fn put(&self, queue: &ByteQueue) -> Result<u64, Error> {
        if self.objects.is_empty() && !is_large(self.bytes.len()) {
            let item = Item::Message { format: self.format, bytes: &self.bytes };
            return queue.put(&[item], Deadline::never()).map_err(|(_, error)| error);
        }
        let family = queue.held().family();
        let parcel = Parcel::with(family, self.format, &self.bytes, &self.objects)?;
        put_parcel(parcel, queue)
    }
}

/// Puts a message that is a parcel already; the item's number in the queue.
pub(super) fn put_parcel(parcel: Parcel, queue: &ByteQueue) -> Result<u64, Error> {
    let item = Item::Parcel(&parcel);
    let index = queue.put(&[item], Deadline::never()).map_err(|(_, error)| error)?;
    parcel.keep();
    Ok(index)
}

/// A message that was got: bytes of this process, or a parcel.
#[derive(Debug)]
pub enum Mail {
    /// Bytes that were copied out of the queue.
    Own {
        /// How they are encoded.
        format: u8,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A block that is lent to the reader.
    Parcel(Parcel),
}

impl Mail {
    /// The message.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::Own { bytes, .. } => bytes,
            Self::Parcel(parcel) => parcel.bytes(),
        }
    }

    /// How it is encoded.
    pub fn format(&self) -> u8 {
        match self {
            Self::Own { format, .. } => *format,
            Self::Parcel(parcel) => parcel.format(),
        }
    }

    /// The value in it from byte `at` on; the message is no shorter than that.
    pub(super) fn decode_from<T: DeserializeOwned>(&self, at: usize) -> Result<T, Error> {
        match self {
            Self::Own { format, bytes } => message::decode(*format, &bytes[at..]),
            Self::Parcel(parcel) => parcel.decode_from(at),
        }
    }
}
