//! Tasks and results as messages.
//!
//! ```text
//! task    function (32 bytes, see `Shipped`), then the encoded arguments
//! result  task number (8), nanoseconds it ran or 0 (8), status (1), then the encoded value
//! ```

use procession_ipc::Error;
use procession_ipc::byte_queue::{ByteQueue, Item, is_large};
use procession_ipc::message::{self, Parcel};
use procession_shm::Handle;
use procession_sys::Deadline;
use procession_sys::image::Shipped;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Bytes of a task before its arguments.
pub(super) const TASK_HEAD: usize = Shipped::SIZE;
/// Bytes of a result before its value.
pub(super) const RESULT_HEAD: usize = 17;

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Status {
    Returned = 0,
    Panicked = 1,
    Failed = 2,
    Lost = 3,
    TimedOut = 4,
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
pub(super) struct Message {
    pub(super) format: u8,
    pub(super) bytes: Vec<u8>,
    pub(super) handles: Vec<Handle>,
}

impl Message {
    /// A task.
    pub(super) fn task<A: Serialize + DeserializeOwned>(
        function: &[u8; TASK_HEAD],
        arguments: &A,
        mut bytes: Vec<u8>,
    ) -> Result<Self, Error> {
        bytes.clear();
        bytes.extend_from_slice(function);
        let (format, handles) = message::encode(arguments, &mut bytes)?;
        Ok(Self { format, bytes, handles })
    }

    /// A result that is no value of the function's.
    pub(super) fn report<T: Serialize + DeserializeOwned>(
        task: u64,
        status: Status,
        what: &T,
    ) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        Head { task, nanoseconds: 0, status }.write(&mut bytes);
        let (format, handles) = message::encode(what, &mut bytes)?;
        Ok(Self { format, bytes, handles })
    }

    /// Puts it; the item's number in the queue.
    pub(super) fn put(&self, queue: &ByteQueue) -> Result<u64, Error> {
        if self.handles.is_empty() && !is_large(self.bytes.len()) {
            let item = Item::Message { format: self.format, bytes: &self.bytes };
            return queue.put(&[item], Deadline::never()).map_err(|(_, error)| error);
        }
        let parcel = Parcel::with(self.format, &self.bytes, &self.handles)?;
        let item = Item::Parcel { handle: parcel.handle(), len: parcel.len() };
        let index = queue.put(&[item], Deadline::never()).map_err(|(_, error)| error)?;
        parcel.keep();
        Ok(index)
    }
}

/// A message that was got: bytes of this process, or a parcel.
#[derive(Debug)]
pub(super) enum Mail {
    Own { format: u8, bytes: Vec<u8> },
    Parcel(Parcel),
}

impl Mail {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Own { bytes, .. } => bytes,
            Self::Parcel(parcel) => parcel.bytes(),
        }
    }

    pub(super) fn format(&self) -> u8 {
        match self {
            Self::Own { format, .. } => *format,
            Self::Parcel(parcel) => parcel.format(),
        }
    }
}
