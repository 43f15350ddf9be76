//! The manager itself.

use super::answer;
use super::error::ManagerError;
use super::proxy::{Proxy, Typed};
use super::request::{self, Arguments, Named};
use super::settings::{ManagerBuilder, Settings};
use super::shared::Shared;
use crate::transport::Address;
use crate::transport::address::NotAnAddress;
use serde::Serialize;
use std::sync::Arc;

/// A manager, which has objects for many processes, on this machine or elsewhere.
///
/// It may be one of ours or one of CPython's `multiprocessing.managers`, of any version from 3.8 on. Cloning makes another
/// handle. Objects are made by the methods that `SyncManager` has them made by, and got by the names under which
/// the manager has registered them.
///
/// Each thread that calls has a connection of its own, from its first call to its end: a call that waits
/// holds up nobody else, and locks belong to the thread that took them.
///
/// # If a process dies
/// A manager that dies is a [`ManagerError::Lost`] in every call that waits for it: at once if its machine lives; if that is gone,
/// too, after a minute, or a quarter of an hour where a request was just on its way. Nothing connects again by itself. When this process dies, a manager of ours releases its
/// locks and counts its references down; stock does neither.
///
/// # After fork
/// Parent and child both use it and its objects. The child has connections of its own; what it held before the fork is held
/// by the parent. A proxy from before keeps its object alive as long as the parent has it; clones that the child makes are
/// no different.
#[derive(Clone, Debug)]
pub struct Manager {
    shared: Arc<Shared>,
}

impl Manager {
    /// Connects to a manager, as `BaseManager.connect` does: `authkey` is shown, and the manager shows that it has the same.
    ///
    /// # Errors
    /// [`ManagerError::Connect`] if nobody answers there, [`ManagerError::Refused`] if the keys are not the same.
    pub fn connect<A>(address: A, authkey: impl AsRef<[u8]>) -> Result<Self, ManagerError>
    where
        A: TryInto<Address>,
        NotAnAddress: From<A::Error>,
    {
        Self::builder().connect(address, authkey)
    }

    /// A manager that is reached in another way than the usual one.
    pub fn builder() -> ManagerBuilder {
        ManagerBuilder::default()
    }

    pub(super) fn open(settings: Settings) -> Result<Self, ManagerError> {
        let shared = Shared::new(settings);
        shared.home.open(&shared)?;
        Ok(Self { shared: Arc::new(shared) })
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Whether the object is this manager's.
    pub(super) fn has(&self, proxy: &Proxy) -> bool {
        Arc::ptr_eq(&self.shared, proxy.shared())
    }

    /// Where the manager is.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.shared.settings.address
    }

    /// Connects again, whether the connections were lost or not.
    ///
    /// Every thread has a new connection from its next call on, so locks that it held are not its any more. Proxies
    /// from before are [`ManagerError::Stale`], as the manager may be another one: ask for the objects again.
    ///
    /// # Errors
    /// As [`connect`](Self::connect); everything is as before then.
    pub fn reconnect(&self) -> Result<(), ManagerError> {
        self.shared.home.open(&self.shared)
    }

    /// The object that the manager has under a registered name, as what the caller says it is.
    ///
    /// # Errors
    /// [`ManagerError::Failed`] if the name is not registered, [`ManagerError::OtherType`] if the object has not the methods
    /// of a `P`, [`ManagerError::Lost`].
    pub fn get<P: Typed>(&self, name: &str) -> Result<P, ManagerError> {
        self.create(name, ())
    }

    /// Has the manager make an object of a registered type.
    ///
    /// # Errors
    /// As [`get`](Self::get), and [`ManagerError::Encode`].
    pub fn create<P: Typed>(
        &self,
        typeid: &str,
        arguments: impl Arguments,
    ) -> Result<P, ManagerError> {
        self.make(typeid, arguments, &Named::default())
    }

    /// As [`create`](Self::create), with arguments that have names: a map or a struct.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub fn create_with<P: Typed>(
        &self,
        typeid: &str,
        arguments: impl Arguments,
        named: &(impl Serialize + ?Sized),
    ) -> Result<P, ManagerError> {
        self.make(typeid, arguments, &Named::of(typeid, named)?)
    }

    fn make<P: Typed>(
        &self,
        typeid: &str,
        arguments: impl Arguments,
        named: &Named,
    ) -> Result<P, ManagerError> {
        let mut out = Vec::new();
        request::create(&mut out, typeid, arguments, named)?;
        let epoch = self.shared.epoch();
        let (id, exposed) = self.shared.home.ask(&self.shared, &out, |answer| {
            answer::value::<(String, Vec<String>)>(&self.shared, typeid, answer)
        })?;
        P::from_proxy(Proxy::counted(&self.shared, epoch, typeid, id, exposed))
    }

    fn ask<R: serde::de::DeserializeOwned>(&self, method: &str) -> Result<R, ManagerError> {
        let mut out = Vec::new();
        request::control(&mut out, method, ())?;
        self.shared
            .home
            .ask(&self.shared, &out, |answer| answer::value(&self.shared, method, answer))
    }

    /// How many objects the manager has that somebody refers to.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn number_of_objects(&self) -> Result<u64, ManagerError> {
        self.ask("number_of_objects")
    }

    /// What the manager says of its objects, for people to read.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn debug_info(&self) -> Result<String, ManagerError> {
        self.ask("debug_info")
    }

    /// Ends the manager, for everybody.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn shutdown(&self) -> Result<(), ManagerError> {
        self.ask("shutdown")
    }
}
