//! Values as messages: bytes, and the shared objects that travel in them.
//!
//! A value is encoded by `codec`. A shared object in it travels as its handle, eight
//! bytes; the message then is a *parcel*, a block that lists the handles, so that the objects stay
//! in being while nobody but the message holds them. Large messages are parcels too: written once,
//! and lent to the reader.
//!
//! | who owns a parcel | when |
//! |---|---|
//! | the sender | until the commit of the put, or the hand-over to a seat |
//! | the queue, or the member that it was handed to | until the commit of the get |
//! | the receiver | until it is dropped, or held instead |

pub use crate::codec::PICKLE;
use crate::codec::travel;
pub use crate::codec::travel::Objects;
pub(crate) use crate::codec::travel::travelling;
use crate::{Error, Shareable, codec, counterpart};
use procession_shm::{Family, Handle, Held, Kind, MemberId, Region};
use procession_sys::bytes::Bytes;
use procession_wire::pickle::Persistent;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Serialises a shared object as its handle, inside a message.
///
/// # Errors
/// Outside of a message, and in one with objects of another family.
pub fn serialize_handle<S: Serializer>(held: &Held, serializer: S) -> Result<S::Ok, S::Error> {
    if travel::is_with_python() {
        counterpart::introduce(held).map_err(serde::ser::Error::custom)?;
        travel::list(held).map_err(serde::ser::Error::custom)?;
        return Persistent(held.handle()).serialize(serializer);
    }
    travel::list(held).map_err(serde::ser::Error::custom)?;
    held.handle().serialize(serializer)
}

/// Takes hold of the shared object whose handle comes next in a message.
///
/// # Errors
/// Outside of a parcel; if the object is gone, or is of another kind or type.
pub fn deserialize_handle<'de, D: Deserializer<'de>>(
    deserializer: D,
    kind: Kind,
    tag: u32,
) -> Result<Held, D::Error> {
    let (family, handle) = named(deserializer)?;
    family.attach(handle, kind, tag).map_err(D::Error::custom)
}

/// Takes hold of the shared object that comes next in a message.
///
/// # Errors
/// As [`deserialize_handle`].
pub fn deserialize_shared<'de, T: Shareable, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let (family, handle) = named(deserializer)?;
    T::attach(family, handle).map_err(D::Error::custom)
}

/// The handle that comes next in a message, and whose it is.
fn named<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<(&'static Family, Handle), D::Error> {
    let family = travel::origin().map_err(D::Error::custom)?;
    if travel::is_with_python() {
        let Persistent(handle) = Persistent::deserialize(deserializer)?;
        return Ok((family, handle));
    }
    Ok((family, Handle::deserialize(deserializer)?))
}

/// Appends the encoded value to `bytes`; the format it is in, and the objects that travel in it.
///
/// Objects that travel need a parcel that lists them, see [`Parcel::with`].
///
/// # Errors
/// [`Error::Encode`].
#[inline]
pub fn encode<T: Serialize + DeserializeOwned>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(u8, Objects), Error> {
    let format = encode_bytes(value, bytes)?;
    Ok((format, travelling().unwrap_or_default()))
}

/// As [`encode`]; the caller asks for the objects by [`travelling`] next.
#[inline]
pub(crate) fn encode_bytes<T: Serialize + DeserializeOwned>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<u8, Error> {
    travel::outward::<T, _>(|| codec::encode(value, bytes))
}

/// Appends the value to `bytes` as Python reads it, see
/// [`ByteQueue::speak_pickle`](crate::byte_queue::ByteQueue::speak_pickle); the format.
///
/// # Errors
/// [`Error::Encode`] names the place of what Python could not have: what
/// [does not map](procession_wire::pickle), and shared objects.
pub fn encode_for_python<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<u8, Error> {
    codec::encode_for_python(value, bytes)
}

/// The value in the `bytes` of a message that is no parcel, so that no objects travel in it.
///
/// # Errors
/// [`Error::Decode`] if they are not what the type expects.
#[inline]
pub fn decode<T: DeserializeOwned>(format: u8, bytes: &[u8]) -> Result<T, Error> {
    travel::inward(None, || codec::decode(format, bytes))
}

/// A block with a message in it, owned by this process.
#[derive(Debug)]
pub struct Parcel {
    family: &'static Family,
    handle: Handle,
    region: Region,
    len: usize,
}

/// Bytes of a parcel before the message: the format, and room so that the message is aligned to 64.
const FRONT: usize = 64;

impl Parcel {
    /// Encodes a value into a block of `family`.
    ///
    /// # Errors
    /// [`Error::Encode`]; [`Error::OtherFamily`] if objects of another family are in it;
    /// [`Error::Shm`] if there is no room.
    pub fn new<T: Serialize + DeserializeOwned>(
        family: &'static Family,
        value: &T,
    ) -> Result<Self, Error> {
        Self::to_be_read_as::<T, T>(family, value)
    }

    /// Encodes a value into a block which is decoded as one of another type, such as one that owns
    /// what this one refers to.
    ///
    /// # Errors
    /// As [`Parcel::new`].
    pub fn to_be_read_as<R, T>(family: &'static Family, value: &T) -> Result<Self, Error>
    where
        R: Serialize + DeserializeOwned,
        T: Serialize,
    {
        let mut bytes = Vec::new();
        let format = travel::outward::<T, _>(|| codec::encode_as::<R, T>(value, &mut bytes))?;
        Self::with(family, format, &bytes, &travelling().unwrap_or_default())
    }

    /// A parcel of `family` with an encoded message, which lists the objects that travel in it.
    ///
    /// # Errors
    /// [`Error::OtherFamily`]; [`Error::Shm`] if there is no room, or an object is gone.
    pub fn with(
        family: &'static Family,
        format: u8,
        bytes: &[u8],
        objects: &Objects,
    ) -> Result<Self, Error> {
        if let Some(other) = objects.family().filter(|other| *other != family) {
            return Err(Error::other_family(other, family));
        }
        let handles = objects.handles();
        let room = if handles.is_empty() { 0 } else { 8 + handles.len() * 8 };
        let parcel = Self::filled(family, format, &[Bytes::Still(bytes)], 1, room)?;
        if !handles.is_empty() {
            family.list_in_parcel(parcel.handle, handles)?;
        }
        Ok(parcel)
    }

    /// A parcel of `family` with the arguments of a process, as Python reads them: a pickle in which
    /// shared objects are persistent ids, their handles.
    ///
    /// # Errors
    /// [`Error::Encode`] names the place of what Python could not have; otherwise as [`Parcel::new`].
    pub fn for_python<T: Serialize + ?Sized>(
        family: &'static Family,
        value: &T,
    ) -> Result<Self, Error> {
        let mut bytes = Vec::new();
        codec::encode_arguments_for_python(value, &mut bytes)?;
        Self::with(family, codec::PICKLE, &bytes, &travelling().unwrap_or_default())
    }

    /// The arguments of a process that Python wrote, as [`for_python`](Self::for_python) does.
    ///
    /// # Errors
    /// [`Error::Decode`] names the place of what the type does not expect.
    pub fn decode_from_python<T: DeserializeOwned>(&self) -> Result<T, Error> {
        codec::decode_arguments_from_python(self.family, self.bytes())
    }

    /// A parcel of `family` with a message in several parts, each of which begins at a multiple of `align` bytes; it
    /// is a power of two of at most 64.
    ///
    /// # Errors
    /// [`Error::Shm`] if there is no room.
    pub fn gather(
        family: &'static Family,
        format: u8,
        parts: &[Bytes<'_>],
        align: usize,
    ) -> Result<Self, Error> {
        Self::filled(family, format, parts, align, 0)
    }

    /// Another parcel with the same message; not of one in which objects travel.
    ///
    /// # Errors
    /// [`Error::Shm`] if there is no room.
    pub fn copy(&self) -> Result<Self, Error> {
        Self::gather(self.family, self.format(), &[self.bytes().into()], 1)
    }

    fn filled(
        family: &'static Family,
        format: u8,
        parts: &[Bytes<'_>],
        align: usize,
        room: usize,
    ) -> Result<Self, Error> {
        let end = |at: usize, part: Bytes<'_>| at.next_multiple_of(align) + part.len();
        let len = parts.iter().fold(0_usize, |at, part| end(at, *part));
        let block = family.take(Kind::Parcel, (FRONT + len + room) as u64)?;
        family.set_len(block.handle, (FRONT + len) as u64);
        block.region.set_word(0, u64::from(format));
        let mut at = 0_usize;
        for part in parts {
            block.region.write_bytes(FRONT + at.next_multiple_of(align), *part);
            at = end(at, *part);
        }
        Ok(Self { family, handle: block.handle, region: block.region, len })
    }

    /// Hands the parcel to another member, who finds it in its seat or is told the handle.
    pub fn hand_to(self, member: MemberId) -> Handle {
        self.family.hand_to(self.handle, member);
        self.keep()
    }

    /// Takes over a parcel of `family` that was handed to this process.
    ///
    /// # Errors
    /// [`Error::Shm`] if it is gone.
    pub fn receive(family: &'static Family, handle: Handle) -> Result<Self, Error> {
        let region = family.arena().block(handle)?.region;
        let len = (family.len_of(handle) as usize).saturating_sub(FRONT);
        if FRONT + len > region.len() {
            return Err(Error::Corrupt("a parcel longer than its block"));
        }
        Ok(Self { family, handle, region, len })
    }

    /// The family in whose arena it lies.
    pub fn family(&self) -> &'static Family {
        self.family
    }

    /// The handle; this process stays the owner.
    pub fn handle(&self) -> Handle {
        self.handle
    }

    /// How the message is encoded.
    pub fn format(&self) -> u8 {
        self.region.word(0) as u8
    }

    /// Length of the message in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the message has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The message, without copying. Aligned to 64 bytes.
    pub fn bytes(&self) -> &[u8] {
        // Owned by this process, and changed by nobody since it was written.
        let message: &Region = &self.region;
        &message.lent::<u8>(FRONT + self.len)[FRONT..]
    }

    /// The message, to change in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        let end = FRONT + self.len;
        &mut self.region.lent_mut::<u8>(end)[FRONT..]
    }

    /// The value in the message.
    ///
    /// # Errors
    /// [`Error::Decode`] if the bytes are not what the type expects.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.decode_from(0)
    }

    /// The value in the message from byte `at` on.
    ///
    /// # Errors
    /// As [`Parcel::decode`].
    ///
    /// # Panics
    /// If the message is shorter than that.
    pub fn decode_from<T: DeserializeOwned>(&self, at: usize) -> Result<T, Error> {
        let (format, bytes) = (self.format(), &self.bytes()[at..]);
        travel::inward(Some(self.family), || codec::decode(format, bytes))
    }

    /// The block as one that is held: it is freed when neither this process nor a forked child of it
    /// holds it any more.
    ///
    /// # Errors
    /// [`Error::Shm`] if there is no room to note that.
    pub fn into_held(self) -> Result<Held, Error> {
        let held = self.family.count(self.handle)?;
        self.keep();
        Ok(held)
    }

    /// Leaves the block to whoever owns it now.
    pub fn keep(self) -> Handle {
        let handle = self.handle;
        std::mem::forget(self);
        handle
    }
}

impl Drop for Parcel {
    fn drop(&mut self) {
        // The copy of it that a forked child has is nobody's.
        if self.family.owns(self.handle) {
            self.family.give(self.handle);
        }
    }
}
