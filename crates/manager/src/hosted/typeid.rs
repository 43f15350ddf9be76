//! The names under which clients create objects.

use super::arena::queue::ArenaQueue;
use super::arena::value::ArenaValue;
use super::array::Array;
use super::barrier::Barrier;
use super::call::{Call, Fault, Hosted, Turn};
use super::condition::Condition;
use super::dict::Dict;
use super::event::Event;
use super::list::List;
use super::lock::{LockObject, Shared};
use super::namespace::Namespace;
use super::queue::Queue;
use super::semaphore::Semaphore;
use super::set::Set;
use super::value::Value;
use std::fmt;
use std::str::FromStr;

macro_rules! types {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// A type that the server hosts. Its text is the name under which CPython's `SyncManager` creates it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Type {
            $($(#[$doc])* $kind,)*
        }

        impl Type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$kind,)*];

            /// The name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

types! {
    /// `queue.Queue(maxsize=0)`.
    Queue = "Queue",
    /// The same: a manager's queue always counts its unfinished tasks.
    JoinableQueue = "JoinableQueue",
    /// `list(iterable=())`.
    List = "list",
    /// `dict(...)`, with plain data for keys.
    Dict = "dict",
    /// `set(iterable=())`, of plain data.
    Set = "set",
    /// Attributes by name.
    Namespace = "Namespace",
    /// `Value(typecode, value)`.
    Value = "Value",
    /// `Array(typecode, sequence)`.
    Array = "Array",
    /// `threading.Lock()`.
    Lock = "Lock",
    /// `threading.RLock()`.
    RLock = "RLock",
    /// `threading.Semaphore(value=1)`.
    Semaphore = "Semaphore",
    /// `threading.BoundedSemaphore(value=1)`.
    BoundedSemaphore = "BoundedSemaphore",
    /// `threading.Condition(lock=None)`.
    Condition = "Condition",
    /// `threading.Event()`.
    Event = "Event",
    /// `threading.Barrier(parties, action=None, timeout=None)`, without an action.
    Barrier = "Barrier",
}

/// A name that is none of [`Type`]'s.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no type that the server hosts: it has Queue, JoinableQueue, list, dict, set, Namespace, Value, Array, \
    Lock, RLock, Semaphore, BoundedSemaphore, Condition, Event and Barrier"
)]
pub struct UnknownType(String);

impl FromStr for Type {
    type Err = UnknownType;

    fn from_str(name: &str) -> Result<Self, UnknownType> {
        let found = Self::ALL.iter().find(|known| known.name() == name);
        found.copied().ok_or_else(|| UnknownType(name.to_owned()))
    }
}

impl fmt::Display for Type {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// Makes an object. `lock_of` finds the lock of another object, for a condition on it.
pub(crate) fn create(
    kind: Type,
    call: &Call<'_>,
    turn: &mut Turn<'_>,
    lock_of: &dyn Fn(&str) -> Option<Shared>,
) -> Result<Box<dyn Hosted>, Fault> {
    if let Some(bells) = turn.bells {
        match kind {
            Type::Queue | Type::JoinableQueue => return ArenaQueue::create(call, turn, bells),
            Type::Value => return ArenaValue::create(call, turn),
            _ => {}
        }
    }
    match kind {
        Type::Queue | Type::JoinableQueue => Queue::create(call),
        Type::List => List::create(call, turn),
        Type::Dict => Dict::create(call, turn),
        Type::Set => Set::create(call, turn),
        Type::Namespace => Namespace::create(call, turn),
        Type::Value => Value::create(call, turn),
        Type::Array => Array::create(call, turn),
        Type::Lock => LockObject::create(call, turn.bells),
        Type::RLock => LockObject::create_reentrant(call),
        Type::Semaphore => Semaphore::create(call, false),
        Type::BoundedSemaphore => Semaphore::create(call, true),
        Type::Condition => Condition::create(call, lock_of),
        Type::Event => Event::create(call),
        Type::Barrier => Barrier::create(call),
    }
}
