//! A handle to an object that the manager has.

use super::answer;
use super::error::ManagerError;
use super::lane;
use super::near::Near;
use super::request::{self, Arguments, Named};
use super::shared::{Shared, Waits};
use procession_sys::{crash_point, forked};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A handle to an object of any type that a manager has.
///
/// Cloning makes another handle to the same object. The manager counts who refers to it: one reference for all clones, given
/// back with the last of them. An object with a registered name lives as long as the manager.
///
/// Whatever the type, its methods can be [called](Proxy::call) by their names; [`Queue`](super::Queue) and the others have
/// them typed, and [`Typed`] makes more of them.
///
/// # If a process dies
/// See [`Manager`](super::Manager).
///
/// # After fork
/// The child may call, as long as the parent has the object.
#[derive(Clone)]
pub struct Proxy {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    typeid: Box<str>,
    id: Box<str>,
    exposed: Vec<String>,
    /// How often the manager had been reconnected.
    epoch: u32,
    /// The process whose reference it is.
    forked: u32,
    /// The object in the manager's memory, once it is known whether it is there.
    near: OnceLock<Option<Near>>,
}

/// A proxy with a type: [`Manager::get`](super::Manager::get) makes one.
///
/// Implement it for objects of your own that a manager in Python has.
///
/// ```no_run
/// use procession_manager::client::{Manager, ManagerError, Proxy, Typed};
///
/// struct Counter(Proxy);
///
/// impl Typed for Counter {
///     const NAME: &'static str = "Counter";
///     const METHODS: &'static [&'static str] = &["add"];
///
///     fn over(proxy: Proxy) -> Self {
///         Self(proxy)
///     }
///
///     fn proxy(&self) -> &Proxy {
///         &self.0
///     }
/// }
///
/// impl Counter {
///     fn add(&self, number: u64) -> Result<u64, ManagerError> {
///         self.0.call("add", (number,))
///     }
/// }
///
/// let manager = Manager::connect("10.0.0.1:8888", "secret")?;
/// let counter: Counter = manager.get("get_counter")?;
/// counter.add(5)?;
/// # Ok::<(), ManagerError>(())
/// ```
pub trait Typed: Sized {
    /// What it is called in errors.
    const NAME: &'static str;

    /// Methods that an object of this type has; one that exposes less is refused.
    const METHODS: &'static [&'static str];

    /// The handle with its type; the methods are there.
    fn over(proxy: Proxy) -> Self;

    /// The handle without its type.
    fn proxy(&self) -> &Proxy;

    /// As [`over`](Self::over), after a look at the methods.
    ///
    /// # Errors
    /// [`ManagerError::OtherType`].
    fn from_proxy(proxy: Proxy) -> Result<Self, ManagerError> {
        let has = |method: &&&str| proxy.exposed().iter().any(|exposed| exposed == **method);
        match Self::METHODS.iter().find(|method| !has(method)) {
            None => Ok(Self::over(proxy)),
            Some(missing) => Err(ManagerError::OtherType {
                typeid: proxy.typeid().to_owned(),
                wanted: Self::NAME,
                missing,
            }),
        }
    }
}

impl Typed for Proxy {
    const NAME: &'static str = "Proxy";
    const METHODS: &'static [&'static str] = &[];

    fn over(proxy: Proxy) -> Self {
        proxy
    }

    fn proxy(&self) -> &Proxy {
        self
    }
}

impl Proxy {
    /// One for a reference that was counted already.
    pub(super) fn counted(
        shared: &Arc<Shared>,
        epoch: u32,
        typeid: &str,
        id: String,
        exposed: Vec<String>,
    ) -> Self {
        let inner = Inner {
            shared: Arc::clone(shared),
            typeid: typeid.into(),
            id: id.into(),
            exposed,
            epoch,
            forked: forked::generation(),
            near: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Finds out whether the object is in memory that this process shares. Whoever gives the proxy its type does, so
    /// that nobody who calls has to.
    pub(super) fn come_near(&self) {
        self.inner.near.get_or_init(|| Near::of(self));
    }

    /// The object in memory, if it was found there.
    pub(super) fn near(&self) -> Result<Option<&Near>, ManagerError> {
        self.is_current()?;
        Ok(self.inner.near.get().and_then(Option::as_ref))
    }

    /// The object's type, or the name under which the manager has it.
    #[must_use]
    pub fn typeid(&self) -> &str {
        &self.inner.typeid
    }

    /// What the manager calls it: the same for all handles to one object.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.inner.id
    }

    /// The methods that may be called.
    #[must_use]
    pub fn exposed(&self) -> &[String] {
        &self.inner.exposed
    }

    /// Calls a method, and waits for as long as it takes. The arguments are a tuple.
    ///
    /// ```no_run
    /// # use procession_manager::client::{Manager, ManagerError, Proxy};
    /// let tasks: Proxy = Manager::connect("10.0.0.1:8888", "secret")?.get("get_task_queue")?;
    /// tasks.call::<()>("put", (7,))?;
    /// let task: u32 = tasks.call("get", (true, 2.5))?;
    /// # Ok::<(), ManagerError>(())
    /// ```
    ///
    /// # Errors
    /// [`ManagerError::Raised`] if it raises; [`ManagerError::Failed`] if the manager cannot call it;
    /// [`ManagerError::Encode`] and [`ManagerError::Decode`]; [`ManagerError::Lost`]; [`ManagerError::Stale`].
    pub fn call<R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: impl Arguments,
    ) -> Result<R, ManagerError> {
        self.ask(method, arguments, Waits::ForEver)
    }

    /// As [`call`](Self::call), with arguments that have names: a map or a struct.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_with<R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: impl Arguments,
        named: &(impl Serialize + ?Sized),
    ) -> Result<R, ManagerError> {
        self.ask_with(method, arguments, &Named::of(method, named)?, Waits::ForEver)
    }

    /// As [`call`](Self::call); a manager that takes longer than this is [`ManagerError::Lost`].
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_timeout<R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: impl Arguments,
        timeout: Duration,
    ) -> Result<R, ManagerError> {
        self.ask(method, arguments, Waits::At(timeout))
    }

    /// Has the manager show the object, as Python's `str` shows a proxy.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn show(&self) -> Result<String, ManagerError> {
        self.ask("__repr__", (), Waits::Not)
    }

    /// Calls a method that waits at the manager for so long.
    pub(super) fn ask<R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: impl Arguments,
        waits: Waits,
    ) -> Result<R, ManagerError> {
        self.ask_with(method, arguments, &Named::default(), waits)
    }

    fn ask_with<R: DeserializeOwned>(
        &self,
        method: &str,
        arguments: impl Arguments,
        named: &Named,
        waits: Waits,
    ) -> Result<R, ManagerError> {
        let mut out = Vec::new();
        request::call(&mut out, self.id(), method, arguments, named)?;
        self.send(method, &out, waits, answer::value)
    }

    /// Calls a method that returns items.
    pub(super) fn ask_list<T: DeserializeOwned>(
        &self,
        method: &str,
    ) -> Result<Vec<T>, ManagerError> {
        let mut out = Vec::new();
        request::call(&mut out, self.id(), method, (), &Named::default())?;
        self.send(method, &out, Waits::Not, answer::list)
    }

    /// Sends one request, and reads what comes of it.
    pub(super) fn send<R>(
        &self,
        method: &str,
        request: &[u8],
        waits: Waits,
        read: impl FnOnce(&Shared, &str, &[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        self.is_current()?;
        let shared = &self.inner.shared;
        lane::with(shared, |link| {
            link.ask(request, shared.deadline(waits), |answer| read(shared, method, answer))?
        })
    }

    /// Sends requests, one behind the other, and has each answer looked at, in order.
    pub(super) fn send_many(
        &self,
        requests: &[u8],
        count: usize,
        waits: Waits,
        mut each: impl FnMut(&Shared, &[u8]),
    ) -> Result<(), ManagerError> {
        self.is_current()?;
        let shared = &self.inner.shared;
        lane::with(shared, |link| {
            link.exchange(requests, count, shared.deadline(waits), |answer| each(shared, answer))
        })
    }

    pub(super) fn is_current(&self) -> Result<(), ManagerError> {
        if self.inner.epoch == self.inner.shared.epoch() {
            return Ok(());
        }
        Err(ManagerError::Stale { typeid: self.typeid().to_owned() })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        drop(self.near.take());
        crash_point!("manager.near.let_go");
        // A reference of the parent's, or of a connection that is no more.
        if self.forked != forked::generation() || self.epoch != self.shared.epoch() {
            return;
        }
        let mut out = Vec::new();
        if request::control(&mut out, "decref", (&*self.id,)).is_ok() {
            // A manager that is gone counts no more.
            let _ = self.shared.home.tell(&self.shared, &out);
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Proxy")
            .field("typeid", &self.typeid())
            .field("id", &self.id())
            .field("manager", &self.inner.shared.settings.peer)
            .finish()
    }
}

/// Two handles to the same object.
impl PartialEq for Proxy {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.shared(), other.shared()) && self.id() == other.id()
    }
}

impl Eq for Proxy {}
