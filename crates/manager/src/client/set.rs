//! Sets that a manager has.

use super::error::ManagerError;
use super::list::there;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A set of values of type `T` that a manager has: Python's `set`. Managers of CPython have it from 3.14 on.
///
/// # If a process dies
/// What it had changed is changed.
///
/// # After fork
/// Parent and child both use the set.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let set = manager.set([1, 2])?;
/// set.add(&3)?;
/// assert!(set.contains(&3)? && set.discard(&1)?);
/// assert_eq!(set.len()?, 2);
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Set<T> {
    proxy: Proxy,
    _items: PhantomData<fn(T) -> T>,
}

typed!(Set<T> as "set" with "__contains__", "__len__", "add", "remove", "clear");

impl<T> Set<T> {
    /// How many members it has.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        self.proxy.ask("__len__", (), Waits::Not)
    }

    /// Whether it has none.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_empty(&self) -> Result<bool, ManagerError> {
        self.len().map(|len| len == 0)
    }

    /// Takes everything out.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn clear(&self) -> Result<(), ManagerError> {
        self.proxy.ask("clear", (), Waits::Not)
    }
}

impl<T: Serialize> Set<T> {
    /// Adds a member.
    ///
    /// # Errors
    /// [`ManagerError::Encode`]; [`ManagerError::Raised`] (`TypeError`) if it cannot be one; [`ManagerError::Lost`].
    pub fn add(&self, member: &T) -> Result<(), ManagerError> {
        self.proxy.ask("add", (member,), Waits::Not)
    }

    /// Adds members, all of them at once.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn update(&self, members: &[T]) -> Result<(), ManagerError> {
        self.proxy.ask("update", (members,), Waits::Not)
    }

    /// Takes a member out; whether it was there.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn discard(&self, member: &T) -> Result<bool, ManagerError> {
        let removed = self.proxy.ask("remove", (member,), Waits::Not);
        there::<()>(removed, "KeyError").map(|found| found.is_some())
    }

    /// Whether it has this member.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn contains(&self, member: &T) -> Result<bool, ManagerError> {
        self.proxy.ask("__contains__", (member,), Waits::Not)
    }
}

impl<T: DeserializeOwned> Set<T> {
    /// Takes any member out, if there is one.
    ///
    /// # Errors
    /// [`ManagerError::Decode`] if it is not a `T`, [`ManagerError::Lost`].
    pub fn pop(&self) -> Result<Option<T>, ManagerError> {
        there(self.proxy.ask("pop", (), Waits::Not), "KeyError")
    }

    /// All members, in no order.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn to_vec(&self) -> Result<Vec<T>, ManagerError> {
        self.proxy.ask_list("#GETVALUE")
    }
}
