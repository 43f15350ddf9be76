//! Bytes that are written once and then read by many.

use crate::Error;
use crate::shareable::shareable;
use procession_shm::{Held, Kind, MemberId, Region, family};
use std::fmt;
use std::ops::{Deref, DerefMut};

/// The bytes begin on a cache line of their own, so that any plain type can be laid over them.
const DATA_AT: usize = 64;

/// Bytes that nobody changes any more. They travel as a handle, and are read without being copied.
///
/// # If a process dies
/// The bytes are freed when nobody holds them any more.
///
/// # After fork
/// The child has the same bytes.
///
/// # Examples
/// ```
/// let mut draft = procession_ipc::Buffer::new(4)?;
/// draft.copy_from_slice(b"data");
/// let buffer = draft.freeze();
/// assert_eq!(&buffer[..], b"data");
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Clone)]
pub struct Buffer {
    held: Held,
    bytes: Region,
}

shareable!(Buffer, held, Kind::Buffer, 0);

/// Bytes in shared memory that only their maker knows of, to be written in place. There is one of it:
/// it cannot be cloned or sent, until it is [frozen](BufferMut::freeze).
///
/// # If a process dies
/// The bytes are freed with their maker.
///
/// # After fork
/// The bytes are the parent's: in the child every use panics, except dropping it.
pub struct BufferMut {
    buffer: Buffer,
    maker: MemberId,
}

impl Buffer {
    /// `len` zeroed bytes to be written.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    #[expect(clippy::new_ret_no_self, reason = "a buffer begins as bytes that can be written")]
    pub fn new(len: usize) -> Result<BufferMut, Error> {
        let family = family()?;
        let bytes = (len as u64).saturating_add(DATA_AT as u64);
        let held = family.make(Kind::Buffer, bytes, 0, |_| Ok(()))?;
        Ok(BufferMut { buffer: Self::of(held), maker: family.me() })
    }

    /// The bytes, copied once.
    ///
    /// # Errors
    /// As [`Buffer::new`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let draft = Self::new(bytes.len())?;
        draft.buffer.bytes.write(0, bytes);
        Ok(draft.freeze())
    }

    fn of(held: Held) -> Self {
        let len = held.family().len_of(held.handle()).saturating_sub(DATA_AT as u64);
        let room = held.region().len().saturating_sub(DATA_AT);
        let bytes = held.region().part(DATA_AT, room.min(len as usize));
        Self { held, bytes }
    }
}

impl BufferMut {
    /// Ends the writing: from here on the bytes can be cloned, sent and read.
    pub fn freeze(self) -> Buffer {
        self.check();
        self.buffer
    }

    fn check(&self) {
        assert_eq!(
            self.buffer.held.family().me(),
            self.maker,
            "a buffer that is being written belongs to the process that made it, not to its forks"
        );
    }
}

impl Deref for Buffer {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes.lent(self.bytes.len())
    }
}

impl Deref for BufferMut {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.check();
        &self.buffer
    }
}

impl DerefMut for BufferMut {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        self.check();
        let len = self.buffer.bytes.len();
        self.buffer.bytes.lent_mut(len)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Buffer({} bytes)", self.bytes.len())
    }
}

impl fmt::Debug for BufferMut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "BufferMut({} bytes)", self.buffer.bytes.len())
    }
}
