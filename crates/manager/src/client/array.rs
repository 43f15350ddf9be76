//! Arrays of numbers that a manager has.

use super::error::ManagerError;
use super::list::there;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// An array of numbers of type `T` that a manager has: Python's `Array`, of a fixed length.
///
/// With a manager of ours on a Unix socket of this machine, the array is used in shared memory, unless it is one of characters
/// (`"u"`, `"w"`). Else every call is one way to the manager and back.
///
/// # If a process dies
/// What it had set is set.
///
/// # After fork
/// Parent and child both use it.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let array = manager.array("d", &[1.0, 2.0])?;
/// array.set(1, &2.5)?;
/// assert_eq!(array.get(-1)?, Some(2.5));
/// assert_eq!(array.to_vec()?, [1.0, 2.5]);
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Array<T> {
    proxy: Proxy,
    _items: PhantomData<fn(T) -> T>,
}

typed!(Array<T> as "array" with "__getitem__", "__setitem__", "__len__"; come_near);

impl<T> Array<T> {
    /// How many numbers it has.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn len(&self) -> Result<usize, ManagerError> {
        if let Some(near) = self.proxy.near_array()? {
            return Ok(near.len());
        }
        self.proxy.ask("__len__", (), Waits::Not)
    }

    /// Whether it has none.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn is_empty(&self) -> Result<bool, ManagerError> {
        self.len().map(|len| len == 0)
    }
}

impl<T: DeserializeOwned> Array<T> {
    /// The number at `index`, if there is one; -1 is the last.
    ///
    /// # Errors
    /// [`ManagerError::Decode`] if it is not a `T`, [`ManagerError::Lost`].
    pub fn get(&self, index: i64) -> Result<Option<T>, ManagerError> {
        if let Some(near) = self.proxy.near_array()? {
            return near.get(index);
        }
        there(self.proxy.ask("__getitem__", (index,), Waits::Not), "IndexError")
    }

    /// All numbers, as they were at one time.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn to_vec(&self) -> Result<Vec<T>, ManagerError> {
        if let Some(near) = self.proxy.near_array()? {
            return near.all();
        }
        self.proxy.ask_list("#GETVALUE")
    }
}

impl<T: Serialize> Array<T> {
    /// Sets the number at `index`.
    ///
    /// # Errors
    /// [`ManagerError::Raised`] if there is no such index (`IndexError`), or the number is none for this array (`TypeError`,
    /// `OverflowError`); [`ManagerError::Lost`].
    pub fn set(&self, index: i64, number: &T) -> Result<(), ManagerError> {
        if let Some(near) = self.proxy.near_array()? {
            return near.set(index, number);
        }
        self.proxy.ask("__setitem__", (index, number), Waits::Not)
    }
}
