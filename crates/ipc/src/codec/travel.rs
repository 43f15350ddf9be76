//! The shared objects in a message, while it is encoded or decoded by this thread.
//!
//! A shared object is serialised as its handle, and only in a message: the message holds what
//! travels in it. A message that is encoded twice lists its objects once, and what is only rehearsed
//! lists none.

use crate::Error;
use procession_shm::{Family, Handle, Held};
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Travel {
    Nowhere,
    Out,
    /// In a message that belongs to this family; none, if the message lists no objects.
    In(Option<&'static Family>),
    /// In data that Python writes or reads.
    Python,
    /// In arguments that Python reads.
    OutToPython,
    /// In arguments that Python wrote, which belong to this family.
    InFromPython(&'static Family),
}

/// The shared objects that travel in a message. All are of one family.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    family: Option<&'static Family>,
    handles: Vec<Handle>,
}

impl Objects {
    const NONE: Self = Self { family: None, handles: Vec::new() };

    /// Adds one, which the caller holds until a parcel [lists](crate::message::Parcel::with) it.
    ///
    /// # Errors
    /// [`Error::OtherFamily`] if it is not of the family of those that are there.
    pub fn add(&mut self, object: &Held) -> Result<(), Error> {
        self.push(object.family(), object.handle())
            .map_err(|others| Error::other_family(object.family(), others))
    }

    /// Adds one; the family of those that are there, if that is another one.
    fn push(&mut self, family: &'static Family, handle: Handle) -> Result<(), &'static Family> {
        let own = *self.family.get_or_insert(family);
        if own != family {
            return Err(own);
        }
        self.handles.push(handle);
        Ok(())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    /// Their family, if there are any.
    pub fn family(&self) -> Option<&'static Family> {
        self.family
    }

    pub(crate) fn handles(&self) -> &[Handle] {
        &self.handles
    }
}

const HELP: &str = "a shared object travels only in the arguments of a process or a task, or in a \
                    message of a procession queue or pipe";
const PYTHON: &str = "a shared object travels to Python only in the arguments of a process";
const TWO_FAMILIES: &str = "shared objects of two families do not travel in one message";
const UNLISTED: &str = "a shared object in a message that lists none";

thread_local! {
    /// Whether this thread is just encoding or decoding a message.
    static TRAVEL: Cell<Travel> = const { Cell::new(Travel::Nowhere) };
    /// Whether a shared object was encoded.
    static ANY: Cell<bool> = const { Cell::new(false) };
    /// The shared objects that were.
    static OBJECTS: RefCell<Objects> = const { RefCell::new(Objects::NONE) };
}

/// Brings the thread back to where it was, when a `Serialize` or `Deserialize` panics too.
struct Back(Travel);

impl Back {
    #[inline(always)]
    fn from(travel: Travel) -> Self {
        Self(TRAVEL.replace(travel))
    }

    #[inline(always)]
    fn home(self) {
        TRAVEL.set(self.0);
        std::mem::forget(self);
    }
}

impl Drop for Back {
    #[cold]
    fn drop(&mut self) {
        TRAVEL.set(self.0);
        listed();
    }
}

/// Encodes a message; [`travelling`] has its objects then, unless it failed.
///
/// # Errors
/// Those of `encode`; and if objects travel in a message that a `Serialize` sends, while the message
/// that it belongs to is encoded.
#[inline]
pub(crate) fn outward<T: ?Sized, R>(encode: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    if TRAVEL.get() == Travel::Out {
        return nested::<T, R>(encode);
    }
    let back = Back::from(Travel::Out);
    let result = encode();
    back.home();
    if result.is_err() {
        travelling();
    }
    result
}

#[cold]
fn nested<T: ?Sized, R>(encode: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    let (result, any) = apart(Travel::Out, encode);
    if any && result.is_ok() {
        let reason = "shared objects cannot be sent while another message is being encoded";
        return Err(Error::encode::<T>(reason.into()));
    }
    result
}

/// The objects that travel in the message that this thread encoded last, if there are any.
#[inline]
pub(crate) fn travelling() -> Option<Objects> {
    if ANY.get() { Some(listed()) } else { None }
}

#[cold]
fn listed() -> Objects {
    ANY.set(false);
    OBJECTS.take()
}

/// Decodes a message of `family`; of none, if it lists no objects.
#[inline]
pub(crate) fn inward<R>(family: Option<&'static Family>, decode: impl FnOnce() -> R) -> R {
    let back = Back::from(Travel::In(family));
    let result = decode();
    back.home();
    result
}

/// Encodes arguments that Python reads; [`travelling`] has their objects then, unless it failed.
pub(super) fn outward_to_python<R, E>(encode: impl FnOnce() -> Result<R, E>) -> Result<R, E> {
    travelling();
    let back = Back::from(Travel::OutToPython);
    let result = encode();
    back.home();
    if result.is_err() {
        travelling();
    }
    result
}

/// Decodes arguments that Python wrote, in a message of `family`.
pub(super) fn inward_from_python<R>(family: &'static Family, decode: impl FnOnce() -> R) -> R {
    let back = Back::from(Travel::InFromPython(family));
    let result = decode();
    back.home();
    result
}

/// Whether what is being encoded or decoded are such arguments, in which objects have persistent ids.
pub(crate) fn is_with_python() -> bool {
    matches!(TRAVEL.get(), Travel::OutToPython | Travel::InFromPython(_))
}

/// Encodes or decodes data in which no objects travel, because Python writes or reads it.
pub(super) fn without_objects<R>(work: impl FnOnce() -> R) -> R {
    let back = Back::from(Travel::Python);
    let result = work();
    back.home();
    result
}

/// Lists a shared object.
///
/// # Errors
/// Why not, if no message is being encoded, or one with objects of another family.
pub(crate) fn list(object: &Held) -> Result<(), &'static str> {
    list_handle(object.family(), object.handle())
}

pub(super) fn list_handle(family: &'static Family, handle: Handle) -> Result<(), &'static str> {
    match TRAVEL.get() {
        Travel::Out | Travel::OutToPython => {}
        Travel::Python => return Err(PYTHON),
        Travel::Nowhere | Travel::In(_) | Travel::InFromPython(_) => return Err(HELP),
    }
    OBJECTS.with_borrow_mut(|objects| {
        objects.push(family, handle).map_err(|_| TWO_FAMILIES)?;
        ANY.set(true);
        Ok(())
    })
}

/// The family whose message is being decoded.
///
/// # Errors
/// Why there is none.
pub(crate) fn origin() -> Result<&'static Family, &'static str> {
    match TRAVEL.get() {
        Travel::In(family) => family.ok_or(UNLISTED),
        Travel::InFromPython(family) => Ok(family),
        Travel::Python => Err(PYTHON),
        Travel::Nowhere | Travel::Out | Travel::OutToPython => Err(HELP),
    }
}

/// The message is encoded anew, in another format.
pub(super) fn start_over() {
    if TRAVEL.get() == Travel::Out {
        travelling();
    }
}

/// Encodes what is not sent.
pub(super) fn rehearse_outward<R>(encode: impl FnOnce() -> R) -> R {
    apart(Travel::Out, encode).0
}

/// Decodes what was not sent; the objects in it are of the family of those that are listed.
pub(super) fn rehearse_inward<R>(decode: impl FnOnce() -> R) -> R {
    let family = OBJECTS.with_borrow(|objects| objects.family);
    apart(Travel::In(family), decode).0
}

/// Does it beside the message that is under way; whether there were objects in it.
fn apart<R>(travel: Travel, work: impl FnOnce() -> R) -> (R, bool) {
    let (any, outer) = (ANY.replace(false), OBJECTS.take());
    let back = Back::from(travel);
    let result = work();
    back.home();
    OBJECTS.set(outer);
    (result, ANY.replace(any))
}
