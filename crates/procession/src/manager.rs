//! One process serves, many machines work: the objects of `multiprocessing.managers`, for Rust and for any CPython from 3.8 on.
//!
//! A [`Server`] has queues, locks, dicts and the others; a [`Manager`] connects to one, or to a manager that CPython runs, and
//! has proxies for its objects. Either side may be a stock Python program with nothing of ours installed.
//!
//! ```
//! use procession::manager::{Manager, Queue, Server, Type};
//!
//! let server = Server::builder()
//!     .authkey("secret")
//!     .register("get_task_queue", Type::Queue, vec![])
//!     .bind(&"127.0.0.1:0".parse()?)?;
//! let address = server.address().clone();
//! std::thread::spawn(move || server.run());
//!
//! // On any machine that reaches the address:
//! let manager = Manager::connect(address, "secret")?;
//! let tasks: Queue<(u32, String)> = manager.get("get_task_queue")?;
//! tasks.put(&(7, "seven".to_owned()))?;
//! assert_eq!(tasks.get()?, (7, "seven".to_owned()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The same queue in Python:
//!
//! ```python
//! class QueueManager(BaseManager):
//!     pass
//!
//! QueueManager.register("get_task_queue")
//! manager = QueueManager(address=("10.0.0.1", 8888), authkey=b"secret")
//! manager.connect()
//! number, word = manager.get_task_queue().get()
//! ```
//!
//! | | names |
//! |---|---|
//! | serving | [`Server`], [`ServerBuilder`], [`Type`], [`UnknownType`], [`Limits`], [`Stopper`], [`Counters`] |
//! | connecting | [`Manager`], [`ManagerBuilder`], [`Address`], [`TlsClient`], [`TlsServer`] |
//! | objects | [`Queue`], [`JoinableQueue`], [`List`], [`Dict`], [`Set`], [`Namespace`], [`Value`], [`Array`], [`Lock`], [`RLock`], [`Semaphore`], [`BoundedSemaphore`], [`Condition`], [`Event`], [`Barrier`] |
//! | objects of any type | [`Proxy`], [`Typed`], [`Arguments`], [`Pipeline`] |
//! | what travels | [plain data](procession_wire::pickle) through serde; [`Payload`] and [`value`] for the rest |
//! | what can go wrong | [`ManagerError`], [`Exception`], [`BindError`] |

pub use procession_manager::client::{
    Answers, Arguments, Array, Barrier, BoundedSemaphore, Condition, ConditionGuard, Dict, Event,
    Exception, JoinableQueue, List, Lock, LockGuard, Manager, ManagerBuilder, ManagerError,
    Namespace, Payload, Permit, Pipeline, Proxy, Queue, RLock, RLockGuard, Semaphore, Set, Typed,
    Value,
};
pub use procession_manager::server::{
    BindError, Builder as ServerBuilder, Counters, Limits, Server, Status, Stopper,
};
pub use procession_manager::transport::{Address, TlsClient, TlsServer};
pub use procession_manager::{Type, UnknownType};
pub use procession_wire::value;
