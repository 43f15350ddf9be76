//! The object in memory: how it is found, and what its errors mean.

use crate::client::answer;
use crate::client::error::ManagerError;
use crate::client::link::Link;
use crate::client::proxy::Proxy;
use crate::client::request;
use crate::client::shared::{Shared, Waits};
use crate::memory::code::Code;
use crate::memory::numbers::Numbers;
use crate::memory::{self, Cell};
use procession_ipc::byte_queue::ByteQueue;
use procession_ipc::{Error, Lock, Shareable};
use procession_shm::{Family, Handle, MemberId, MemberState};
use procession_sys::{Deadline, crash_point};
use procession_wire::message::Exception;
use procession_wire::pickle;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::type_name;

/// An object in memory, and whose it is.
#[derive(Debug)]
pub(in crate::client) struct Near {
    object: Object,
    pub(super) family: &'static Family,
    server: MemberId,
}

#[derive(Debug)]
enum Object {
    Queue(ByteQueue),
    Lock(Lock),
    Value(Cell),
    Array(Coded),
}

/// Numbers, and what they are.
#[derive(Debug)]
pub(in crate::client) struct Coded {
    pub(super) code: Code,
    pub(super) numbers: Numbers,
}

/// Joins the manager's family, if it lends its memory to this process.
pub(in crate::client) fn join(shared: &Shared, number: u64) -> Option<&'static Family> {
    procession_shm::joined(number).or_else(|| {
        let link = Link::open(&shared.settings).ok()?;
        memory::join(link.socket(), shared.deadline(Waits::Not)).ok()
    })
}

impl Near {
    /// That of a proxy; `None` if the object does not lie in memory that this process shares.
    pub(in crate::client) fn of(proxy: &Proxy) -> Option<Self> {
        let shared = proxy.shared();
        let family = shared.family()?;
        let mut out = Vec::new();
        request::control(&mut out, "handle", (proxy.id(),)).ok()?;
        let place = shared.home.ask(shared, &out, |answer| {
            answer::value::<Option<(u64, String, String, u64)>>(shared, "handle", answer)
        });
        let (handle, kind, code, server) = place.ok()??;
        let handle = Handle::from_bits(handle)?;
        crash_point!("manager.near.told");
        let object = match kind.as_str() {
            "Queue" => Object::Queue(ByteQueue::attach(family, handle).ok()?),
            "Lock" => Object::Lock(Lock::attach(family, handle).ok()?),
            "Value" => Object::Value(Cell::attach(family, handle).ok()?),
            "Array" => {
                let code = Code::of(&code)?;
                let numbers = Numbers::attach(family, handle, code).ok()??;
                Object::Array(Coded { code, numbers })
            }
            _ => return None,
        };
        crash_point!("manager.near.held");
        Some(Self { object, family, server: MemberId::from_word(server) })
    }

    /// Whether the manager's process is known to be gone.
    pub(in crate::client) fn is_gone(&self) -> bool {
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
        Error::ReleasedTooOften => raised("RuntimeError", &"release unlocked lock"),
        error if error.is_out_of_memory() => raised("MemoryError", error),
        error => proxy.shared().failed(method, &error.to_string()),
    }
}

pub(super) fn raised(name: &str, text: &impl ToString) -> ManagerError {
    let text = text.to_string().into();
    ManagerError::Raised(Box::new(Exception::new("builtins", name, vec![text])))
}

fn gone(proxy: &Proxy) -> ManagerError {
    proxy.shared().lost("its process has ended")
}

/// Until when a call waits in memory.
pub(super) fn deadline(waits: Waits) -> Deadline {
    match waits {
        Waits::Not => Deadline::now(),
        Waits::At(timeout) => Deadline::after(timeout),
        Waits::ForEver => Deadline::never(),
    }
}

/// A value as a pickle.
pub(in crate::client) fn encode<T: Serialize + ?Sized>(
    method: &str,
    value: &T,
) -> Result<Vec<u8>, ManagerError> {
    pickle::to_vec(value).map_err(|error| ManagerError::Encode {
        method: method.to_owned(),
        reason: error.to_string(),
    })
}

pub(super) fn decode<T: DeserializeOwned>(method: &str, bytes: &[u8]) -> Result<T, ManagerError> {
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
        pub(in crate::client) struct $name<'a> {
            pub(super) proxy: &'a Proxy,
            pub(super) near: &'a Near,
            pub(super) object: &'a $type,
        }

        impl Proxy {
            /// The object in memory, if it is there and this process shares it.
            ///
            /// # Errors
            /// If the manager is gone, or was reconnected.
            pub(in crate::client) fn $find(&self) -> Result<Option<$name<'_>>, ManagerError> {
                let Some(near) = self.near()? else { return Ok(None) };
                match &near.object {
                    _ if near.is_gone() => Err(gone(self)),
                    Object::$object(object) => Ok(Some($name { proxy: self, near, object })),
                    _ => Ok(None),
                }
            }
        }

        impl $name<'_> {
            pub(super) fn meaning(&self, method: &str, waits: Waits, error: &Error) -> ManagerError {
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
door!(
    /// An array in memory.
    NearArray, Array: Coded, near_array
);
