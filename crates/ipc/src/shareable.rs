//! A shared object by its handle: in a message, or told in some other way.

use crate::Error;
use procession_shm::{Family, Handle, Held};

/// What a process holds of a shared object, and how another process takes hold of it.
///
/// In a message of ours an object travels by itself. A front door that has messages of its own tells
/// the receiver the [`handle`](Shareable::handle), and keeps the object until the receiver has
/// [attached](Shareable::attach) it: a handle alone does not keep an object in being.
///
/// # Examples
/// ```
/// use procession_ipc::{Event, Shareable};
///
/// let event = Event::new()?;
/// let same = Event::attach(event.held().family(), event.handle())?;
/// event.set();
/// assert!(same.is_set());
/// # Ok::<(), procession_ipc::Error>(())
/// ```
pub trait Shareable: Sized {
    /// The object, as this process holds it; it knows its family.
    fn held(&self) -> &Held;

    /// Takes hold of the object of `family` that `handle` names.
    ///
    /// # Errors
    /// [`Error::Shm`] if it is gone, or is of another kind or type; [`Error::Corrupt`].
    fn attach(family: &'static Family, handle: Handle) -> Result<Self, Error>;

    /// What names the object in its family, eight bytes.
    fn handle(&self) -> Handle {
        self.held().handle()
    }
}

/// Implements [`Shareable`] and serde's traits for a type with a function `of(Held)`: the type, where
/// in it the `Held` is, the kind and the tag of the object.
macro_rules! shareable {
    ($type:ty $(where $parameter:ident: $bound:path)?, $($held:ident).+, $kind:expr, $tag:expr) => {
        impl $(<$parameter: $bound>)? crate::Shareable for $type {
            fn held(&self) -> &procession_shm::Held {
                &self.$($held).+
            }

            fn attach(
                family: &'static procession_shm::Family,
                handle: procession_shm::Handle,
            ) -> Result<Self, crate::Error> {
                Ok(Self::of(family.attach(handle, $kind, $tag)?))
            }
        }

        crate::shareable::travels!($type $(where $parameter: $bound)?);
    };
}

/// Implements serde's traits for a [`Shareable`] type: it travels in a message as its handle.
macro_rules! travels {
    ($type:ty $(where $parameter:ident $(: $bound:path)?)?) => {
        impl $(<$parameter $(: $bound)?>)? serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::message::serialize_handle(crate::Shareable::held(self), serializer)
            }
        }

        impl<'de $(, $parameter $(: $bound)?)?> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::message::deserialize_shared(deserializer)
            }
        }
    };
}

pub(crate) use {shareable, travels};
