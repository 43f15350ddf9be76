//! What the server hosts: one file for each kind of object. No sockets here, and no clock but deadlines.
//!
//! | room | what it holds |
//! |---|---|
//! | [`call`] | a call with its arguments, and what can come of it |
//! | [`raise`] | the exceptions that CPython's objects raise, in its words |
//! | [`store`] | payloads that are kept: counted, and pinning the objects that they name |
//! | [`typeid`] | the names under which clients create objects |
//! | **objects** | |
//! | [`queue`] | `Queue` and `JoinableQueue` |
//! | [`lock`], [`condition`] | `Lock`, `RLock`, and `Condition`, which may share one |
//! | [`semaphore`], [`event`], [`barrier`] | the others that are waited for |
//! | [`list`], [`dict`], [`set`], [`iterator`] | containers |
//! | [`key`], [`elements`] | keys of dicts; the parts of a container that is an argument |
//! | [`arena`] | those that clients of the same host share |
//! | [`namespace`], [`value`], [`array`] | `Namespace`, `Value`, `Array` |
//! | **values** | |
//! | [`index`] | Python's indices and slices |
//! | [`order`] | comparing plain values |
//!
//! All objects belong to one thread. A call that has to wait leaves its caller's number in the object's line and is
//! answered later, through [`call::Turn::wake`].

pub(crate) mod arena;
pub(crate) mod array;
pub(crate) mod barrier;
pub(crate) mod call;
pub(crate) mod condition;
pub(crate) mod dict;
pub(crate) mod elements;
pub(crate) mod event;
pub(crate) mod index;
pub(crate) mod iterator;
pub(crate) mod key;
pub(crate) mod list;
pub(crate) mod lock;
pub(crate) mod namespace;
pub(crate) mod order;
pub(crate) mod queue;
pub(crate) mod raise;
pub(crate) mod semaphore;
pub(crate) mod set;
pub(crate) mod store;
pub(crate) mod typeid;
pub(crate) mod value;

pub(crate) use call::{Answer, Call, Fault, Hosted, Outcome, Owner, Turn};
