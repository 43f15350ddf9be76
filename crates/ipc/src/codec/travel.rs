//! The shared objects in a message, while it is encoded or decoded by this thread.
//!
//! A shared object is serialised as its handle, and only in a message: the message holds what
//! travels in it. A message that is encoded twice lists its objects once, and what is only rehearsed
//! lists none.

use crate::Error;
use procession_shm::Handle;
use std::cell::{Cell, RefCell};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Travel {
    Nowhere,
    Out,
    In,
}

thread_local! {
    /// Whether this thread is just encoding or decoding a message.
    static TRAVEL: Cell<Travel> = const { Cell::new(Travel::Nowhere) };
    /// Whether a shared object was encoded.
    static ANY: Cell<bool> = const { Cell::new(false) };
    /// The shared objects that were.
    static HANDLES: RefCell<Vec<Handle>> = const { RefCell::new(Vec::new()) };
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
pub(crate) fn travelling() -> Option<Vec<Handle>> {
    if ANY.get() { Some(listed()) } else { None }
}

#[cold]
fn listed() -> Vec<Handle> {
    ANY.set(false);
    HANDLES.take()
}

/// Decodes a message.
#[inline]
pub(crate) fn inward<R>(decode: impl FnOnce() -> R) -> R {
    let back = Back::from(Travel::In);
    let result = decode();
    back.home();
    result
}

/// Lists a shared object; `false` if no message is being encoded.
pub(crate) fn list(handle: Handle) -> bool {
    if TRAVEL.get() != Travel::Out {
        return false;
    }
    ANY.set(true);
    HANDLES.with_borrow_mut(|handles| handles.push(handle));
    true
}

/// Whether a message is being decoded.
pub(crate) fn is_inward() -> bool {
    TRAVEL.get() == Travel::In
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

/// Decodes what was not sent.
pub(super) fn rehearse_inward<R>(decode: impl FnOnce() -> R) -> R {
    apart(Travel::In, decode).0
}

/// Does it beside the message that is under way; whether there were objects in it.
fn apart<R>(travel: Travel, work: impl FnOnce() -> R) -> (R, bool) {
    let (any, outer) = (ANY.replace(false), HANDLES.take());
    let back = Back::from(travel);
    let result = work();
    back.home();
    HANDLES.set(outer);
    (result, ANY.replace(any))
}
