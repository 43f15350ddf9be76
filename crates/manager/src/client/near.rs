//! Objects that this process uses in the manager's memory: a manager of ours on a Unix socket lends it.
//!
//! The proxies are the same, and do the same; what an object in memory cannot do goes over the socket. Once the manager's death
//! is known, every call says that the connection is lost.

use super::answer;
use super::error::ManagerError;
use super::link::Link;
use super::proxy::Proxy;
use super::request;
use super::shared::{Shared, Waits};
use crate::memory::{self, Cell, TICKET};
use procession_ipc::byte_queue::{ByteQueue, Got, Item, is_large};
use procession_ipc::message::{PICKLE, Parcel};
use procession_ipc::{Error, Lock, Shareable};
use procession_shm::{Family, Handle, MemberId, MemberState};
use procession_sys::Deadline;
use procession_sys::bytes::Bytes;
use procession_wire::message::Exception;
use procession_wire::pickle;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;

/// An object in memory, and whose it is.
#[derive(Debug)]
pub(super) struct Near {
    object: Object,
    family: &'static Family,
    server: MemberId,
}

#[derive(Debug)]
enum Object {
    Queue(ByteQueue),
    Lock(Lock),
    Value(Cell),
}

/// Joins the manager's family, if it lends its memory to this process.
pub(super) fn join(shared: &Shared, number: u64) -> Option<&'static Family> {
    procession_shm::joined(number).or_else(|| {
        let link = Link::open(&shared.settings).ok()?;
        memory::join(link.socket(), shared.deadline(Waits::Not)).ok()
    })
}

impl Near {
    /// That of a proxy; `None` if the object does not lie in memory that this process shares.
    pub(super) fn of(proxy: &Proxy) -> Option<Self> {
        let shared = proxy.shared();
        let family = shared.family()?;
        let mut out = Vec::new();
        request::control(&mut out, "handle", (proxy.id(),)).ok()?;
        let place = shared.home.ask(shared, &out, |answer| {
            answer::value::<Option<(u64, String, String, u64)>>(shared, "handle", answer)
        });
        let (handle, kind, _, server) = place.ok()??;
        let handle = Handle::from_bits(handle)?;
        let object = match kind.as_str() {
            "Queue" => Object::Queue(ByteQueue::attach(family, handle).ok()?),
            "Lock" => Object::Lock(Lock::attach(family, handle).ok()?),
            "Value" => Object::Value(Cell::attach(family, handle).ok()?),
            _ => return None,
        };
        Some(Self { object, family, server: MemberId::from_word(server) })
    }

    /// Whether the manager's process is known to be gone.
    pub(super) fn is_gone(&self) -> bool {
        self.family.state(self.server) != MemberState::Alive
    }
}

/// What an error of the engine is of a manager's object.
fn meaning(proxy: &Proxy, method: &str, waits: Waits, error: &Error) -> ManagerError {
    let timed_out = |what, at_once| match waits {
        Waits::Not => at_once,
        Waits::At(_) | Waits::ForEver => ManagerError::TimedOut { what },
    };
    match error {
        Error::Full => timed_out("waiting for room in the queue", ManagerError::Full),
        error if error.is_timeout() => timed_out("waiting for an item", ManagerError::Empty),
        Error::Closed { .. } => ManagerError::Closed,
        Error::Interrupted { .. } => gone(proxy),
        Error::TaskDoneTooOften => raised("ValueError", error),
        Error::ReleasedTooOften => {
            let text = "release unlocked lock".to_owned();
            ManagerError::Raised(Box::new(Exception::new(
                "builtins",
                "RuntimeError",
                vec![text.into()],
            )))
        }
        error if error.is_out_of_memory() => raised("MemoryError", error),
        error => proxy.shared().failed(method, &error.to_string()),
    }
}

fn raised(name: &str, error: &Error) -> ManagerError {
    let text = error.to_string().into();
    ManagerError::Raised(Box::new(Exception::new("builtins", name, vec![text])))
}

fn gone(proxy: &Proxy) -> ManagerError {
    proxy.shared().lost("its process has ended")
}

/// Until when a call waits in memory.
fn deadline(waits: Waits) -> Deadline {
    match waits {
        Waits::Not => Deadline::now(),
        Waits::At(timeout) => Deadline::after(timeout),
        Waits::ForEver => Deadline::never(),
    }
}

/// A value as a pickle.
pub(super) fn encode<T: Serialize + ?Sized>(
    method: &str,
    value: &T,
) -> Result<Vec<u8>, ManagerError> {
    pickle::to_vec(value).map_err(|error| ManagerError::Encode {
        method: method.to_owned(),
        reason: error.to_string(),
    })
}

fn decode<T: DeserializeOwned>(method: &str, bytes: &[u8]) -> Result<T, ManagerError> {
    pickle::from_slice(bytes).map_err(|error| ManagerError::Decode {
        method: method.to_owned(),
        type_name: type_name::<T>(),
        reason: error.to_string(),
    })
}

macro_rules! door {
    ($(#[$doc:meta])* $name:ident, $object:ident: $type:ty, $find:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(super) struct $name<'a> {
            proxy: &'a Proxy,
            near: &'a Near,
            object: &'a $type,
        }

        impl Proxy {
            /// The object in memory, if it is there and this process shares it.
            ///
            /// # Errors
            /// If the manager is gone, or was reconnected.
            pub(super) fn $find(&self) -> Result<Option<$name<'_>>, ManagerError> {
                let Some(near) = self.near()? else { return Ok(None) };
                match &near.object {
                    _ if near.is_gone() => Err(gone(self)),
                    Object::$object(object) => Ok(Some($name { proxy: self, near, object })),
                    _ => Ok(None),
                }
            }
        }

        impl $name<'_> {
            fn meaning(&self, method: &str, waits: Waits, error: &Error) -> ManagerError {
                meaning(self.proxy, method, waits, error)
            }
        }
    };
}

door!(
    /// A queue in memory.
    NearQueue, Queue: ByteQueue, near_queue
);
door!(
    /// A lock in memory.
    NearLock, Lock: Lock, near_lock
);
door!(
    /// A value in memory.
    NearValue, Value: Cell, near_value
);

impl NearQueue<'_> {
    /// Puts a pickle that names no object.
    pub(super) fn put(&self, pickle: &[u8], waits: Waits) -> Result<(), ManagerError> {
        let (deadline, gone) = (deadline(waits), || self.near.is_gone());
        let put = if is_large(pickle.len()) {
            Parcel::gather(self.near.family, PICKLE, &[Bytes::Still(pickle)], 1).and_then(
                |parcel| {
                    let item = [Item::Parcel(&parcel)];
                    self.object.put_until(&item, deadline, gone).map_err(|(_, error)| error)?;
                    parcel.keep();
                    Ok(())
                },
            )
        } else {
            self.object.put_one_until(PICKLE, pickle, deadline, gone)
        };
        put.map_err(|error| self.meaning("put", waits, &error))
    }

    /// Takes an item as its pickle, which `read` reads.
    pub(super) fn get<R>(
        &self,
        waits: Waits,
        read: impl FnOnce(&[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        let mut bytes = Vec::new();
        let got = self.object.get_until(&mut bytes, None, deadline(waits), || self.near.is_gone());
        match got.map_err(|error| self.meaning("get", waits, &error))? {
            Got::Message { format: PICKLE, .. } => read(&bytes),
            Got::Message { format: TICKET, .. } => {
                let ticket = bytes.as_slice().try_into().map_or(0, u64::from_ne_bytes);
                let mut out = Vec::new();
                request::control(&mut out, "claim", (self.proxy.id(), ticket))?;
                let kept = self.proxy.send("claim", &out, Waits::Not, answer::payload)?;
                read(kept.as_pickle())
            }
            Got::Parcel(parcel) if parcel.format() == PICKLE => read(parcel.bytes()),
            _ => Err(self.proxy.shared().failed("get", "ValueError: the item is no pickle")),
        }
    }

    /// Takes an item.
    pub(super) fn get_value<T: DeserializeOwned>(&self, waits: Waits) -> Result<T, ManagerError> {
        self.get(waits, |pickle| decode("get", pickle))
    }

    pub(super) fn len(&self) -> usize {
        usize::try_from(self.object.len()).unwrap_or(usize::MAX)
    }

    pub(super) fn is_full(&self) -> bool {
        self.object.is_full()
    }

    pub(super) fn task_done(&self) -> Result<(), ManagerError> {
        self.object.task_done().map_err(|error| self.meaning("task_done", Waits::Not, &error))
    }

    pub(super) fn join(&self) -> Result<(), ManagerError> {
        let joined = self.object.join_until(Deadline::never(), || self.near.is_gone());
        joined.map_err(|error| self.meaning("join", Waits::ForEver, &error))
    }
}

impl NearLock<'_> {
    /// Takes it; whether it did.
    pub(super) fn acquire(&self, waits: Waits) -> Result<bool, ManagerError> {
        if self.object.try_acquire() {
            return Ok(true);
        }
        if let Waits::Not = waits {
            return Ok(false);
        }
        match self.object.acquire_until(deadline(waits), || self.near.is_gone()) {
            Ok(()) => Ok(true),
            Err(error) if error.is_timeout() => Ok(false),
            Err(error) => Err(self.meaning("acquire", waits, &error)),
        }
    }

    pub(super) fn release(&self) -> Result<(), ManagerError> {
        self.object.release().map_err(|error| self.meaning("release", Waits::Not, &error))
    }
}

impl NearValue<'_> {
    /// What it is; `None` if the manager has it.
    pub(super) fn get<T: DeserializeOwned>(&self) -> Result<Option<T>, ManagerError> {
        let mut pickle = Vec::new();
        let is_here = self.object.get(&mut pickle, Deadline::never(), || self.near.is_gone());
        match is_here.map_err(|error| self.meaning("get", Waits::ForEver, &error))? {
            true => decode("get", &pickle).map(Some),
            false => Ok(None),
        }
    }

    /// Sets it; `false` if it is the manager's to keep.
    pub(super) fn set<T: Serialize>(&self, value: &T) -> Result<bool, ManagerError> {
        let set =
            self.object.set(&encode("set", value)?, Deadline::never(), || self.near.is_gone());
        set.map_err(|error| self.meaning("set", Waits::ForEver, &error))
    }
}
