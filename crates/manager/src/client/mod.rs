//! Using a manager that is elsewhere: connecting, and proxies for its objects.
//!
//! | room | what it holds |
//! |---|---|
//! | **the manager** | |
//! | [`Manager`], [`ManagerBuilder`] | connecting; making objects, and getting those with a name |
//! | [`ManagerError`], [`Exception`] | what can go wrong; an exception as data |
//! | **objects** | |
//! | [`Queue`], [`JoinableQueue`] | items that go to one taker each |
//! | [`List`], [`Dict`], [`Set`], [`Namespace`], [`Value`], [`Array`] | data that all see |
//! | [`Lock`], [`RLock`], [`Semaphore`], [`BoundedSemaphore`], [`Condition`], [`Event`], [`Barrier`] | taking turns, and waiting for each other |
//! | [`Proxy`], [`Typed`] | an object of any type |
//! | [`Pipeline`] | many calls, one way |
//! | **below** | |
//! | `link` | one connection: bytes out, answers in |
//! | `lane` | the connection of each thread |
//! | `home` | the one for control requests and references |
//! | `request`, `answer`, `travel` | the messages, and proxies in them |
//!
//! # Connections
//!
//! Each thread that calls has a serving connection of its own, as in CPython: locks belong to the connection that took them, and a
//! call that waits holds up nothing but its own thread. A process has one more, for control requests. Many calls over one
//! connection, without waiting for each answer, are asked for by name: [`Pipeline`], [`Queue::put_many`],
//! [`Queue::get_many`].
//!
//! A connection that is lost stays lost: every call of its thread says so until [`Manager::reconnect`].

mod answer;
mod array;
mod barrier;
mod condition;
mod dict;
mod error;
mod event;
mod held;
mod home;
mod joinable;
mod lane;
mod link;
mod list;
mod lock;
mod manager;
mod namespace;
mod near;
mod objects;
mod pipeline;
mod proxy;
mod queue;
mod request;
mod semaphore;
mod sequence;
mod set;
mod settings;
mod shared;
mod travel;
mod typed;
mod value;

pub use array::Array;
pub use barrier::Barrier;
pub use condition::{Condition, ConditionGuard};
pub use dict::Dict;
pub use error::ManagerError;
pub use event::Event;
pub use joinable::JoinableQueue;
pub use list::List;
pub use lock::{Lock, LockGuard, RLock, RLockGuard};
pub use manager::Manager;
pub use namespace::Namespace;
pub use pipeline::{Answers, Pipeline};
pub use procession_wire::message::{Exception, Payload};
pub use proxy::{Proxy, Typed};
pub use queue::Queue;
pub use request::Arguments;
pub use semaphore::{BoundedSemaphore, Permit, Semaphore};
pub use set::Set;
pub use settings::ManagerBuilder;
pub use value::Value;
