//! What Python has for a shared object.
//!
//! Both languages use the same memory; which class it is in Python follows from what the arena says of
//! the object.
//!
//! | in Rust | in Python |
//! |---|---|
//! | `Queue`, `SimpleQueue` | `Queue` |
//! | `JoinableQueue` | `JoinableQueue` |
//! | `Lock`, `RLock`, `Semaphore`, `Event` | the same |
//! | `Value<T>`, `Array<T>` of `i8` … `u64`, `f32`, `f64` | `Value`, `Array` of that type, with the lock inside |
//! | `Mutex`, `Condition`, `Barrier`, `BoundedSemaphore`, `Buffer`, `Connection`; values of other types | nothing |

use crate::byte_queue::ByteQueue;
use crate::{Error, Shareable};
use procession_shm::{Family, Handle, Held, Kind};

/// A class of Python's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counterpart {
    /// Its name.
    pub class: &'static str,
    /// The typecode of a value or of an array's elements, else empty.
    pub code: &'static str,
}

const NONE: &str = "Python has no counterpart of this shared object; it has those of Queue, JoinableQueue, \
                    Lock, RLock, Semaphore, Event, and Value and Array of numbers of fixed width";

/// What Python has for the object that `handle` names; `None` if that is nothing, or the object is gone.
pub fn of(family: &'static Family, handle: Handle) -> Option<Counterpart> {
    let (kind, tag) = family.nature(handle)?;
    let (class, code) = match (kind, tag) {
        (Kind::Queue, ByteQueue::TAG) => (queue(family, handle)?, ""),
        (Kind::Lock, 0) => ("Lock", ""),
        (Kind::RLock, 0) => ("RLock", ""),
        (Kind::Semaphore, 0) => ("Semaphore", ""),
        (Kind::Event, 0) => ("Event", ""),
        (Kind::Value, tag) => ("Value", code(tag)?),
        (Kind::Array, tag) => ("Array", code(tag)?),
        _ => return None,
    };
    Some(Counterpart { class, code })
}

fn queue(family: &'static Family, handle: Handle) -> Option<&'static str> {
    let queue = ByteQueue::attach(family, handle).ok()?;
    Some(if queue.is_tallied() { "JoinableQueue" } else { "Queue" })
}

/// The typecode of the numbers with this tag.
fn code(tag: u32) -> Option<&'static str> {
    macro_rules! find {
        ($($type:ty: $code:literal),*) => {
            [$((Held::tag::<$type>(size_of::<$type>(), align_of::<$type>()), $code)),*]
        };
    }
    let codes = find!(
        i8: "b", u8: "B", i16: "h", u16: "H", i32: "i", u32: "I", i64: "l", u64: "L", f32: "f",
        f64: "d"
    );
    codes.iter().find(|(known, _)| *known == tag).map(|(_, code)| *code)
}

/// Makes the object fit for Python, which is about to get it.
///
/// # Errors
/// Why it gets none.
pub(crate) fn introduce(held: &Held) -> Result<(), &'static str> {
    let counterpart = of(held.family(), held.handle()).ok_or(NONE)?;
    if counterpart.class.ends_with("Queue") {
        ByteQueue::of(held.clone()).speak_pickle();
    }
    Ok(())
}

/// Holds an object that came from Python and goes on to a Rust process, and makes it fit for both.
///
/// # Errors
/// [`Error::Encode`] if it is gone, or nothing that both have.
pub fn hold(family: &'static Family, handle: Handle) -> Result<Held, Error> {
    let none = || Error::encode::<Held>(NONE.into());
    let (kind, tag) = family.nature(handle).ok_or_else(none)?;
    let held = family.attach(handle, kind, tag)?;
    introduce(&held).map_err(|_| none())?;
    Ok(held)
}
