//! Dicts that a manager has.

use super::error::ManagerError;
use super::list::there;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A dict from `K` to `V` that a manager has: Python's `dict`, which keeps the order in which keys came.
///
/// Each method is one call; two of them are not one act, so take a [`Lock`](super::Lock) of the same manager where that
/// matters.
///
/// # If a process dies
/// What it had changed is changed.
///
/// # After fork
/// Parent and child both use the dict.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let dict = manager.dict([("a".to_owned(), 1)])?;
/// dict.insert(&"b".to_owned(), &2)?;
/// assert_eq!(dict.get(&"b".to_owned())?, Some(2));
/// assert_eq!(dict.remove(&"a".to_owned())?, Some(1));
/// assert_eq!(dict.items()?, [("b".to_owned(), 2)]);
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Dict<K, V> {
    proxy: Proxy,
    _items: PhantomData<fn() -> (K, V)>,
}

typed!(Dict<K, V> as "dict" with "__getitem__", "__setitem__", "__delitem__", "__len__", "items", "keys");

impl<K, V> Dict<K, V> {
    /// How many keys it has.
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

impl<K: Serialize, V: Serialize> Dict<K, V> {
    /// Puts all of these under their keys, at once.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn update(&self, items: &[(K, V)]) -> Result<(), ManagerError> {
        self.proxy.ask("update", (items,), Waits::Not)
    }

    /// Puts a value under a key, in the place of one that is there.
    ///
    /// # Errors
    /// [`ManagerError::Encode`]; [`ManagerError::Raised`] (`TypeError`) if the key cannot be one; [`ManagerError::Lost`].
    pub fn insert(&self, key: &K, value: &V) -> Result<(), ManagerError> {
        self.proxy.ask("__setitem__", (key, value), Waits::Not)
    }
}

impl<K: Serialize, V> Dict<K, V> {
    /// Whether there is such a key.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn contains(&self, key: &K) -> Result<bool, ManagerError> {
        self.proxy.ask("__contains__", (key,), Waits::Not)
    }

    /// Takes a key out and does not look at its value; whether it was there.
    ///
    /// # Errors
    /// As [`insert`](Self::insert).
    pub fn delete(&self, key: &K) -> Result<bool, ManagerError> {
        let deleted = self.proxy.ask("__delitem__", (key,), Waits::Not);
        there::<()>(deleted, "KeyError").map(|found| found.is_some())
    }
}

impl<K: Serialize, V: DeserializeOwned> Dict<K, V> {
    /// The value under a key, if there is one.
    ///
    /// # Errors
    /// As [`insert`](Self::insert); [`ManagerError::Decode`] if it is not a `V`.
    pub fn get(&self, key: &K) -> Result<Option<V>, ManagerError> {
        there(self.proxy.ask("__getitem__", (key,), Waits::Not), "KeyError")
    }

    /// Takes a key out; the value that was there.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn remove(&self, key: &K) -> Result<Option<V>, ManagerError> {
        there(self.proxy.ask("pop", (key,), Waits::Not), "KeyError")
    }
}

impl<K: Serialize, V: Serialize + DeserializeOwned> Dict<K, V> {
    /// The value under a key; this one, which is put there, if there is none.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn setdefault(&self, key: &K, value: &V) -> Result<V, ManagerError> {
        self.proxy.ask("setdefault", (key, value), Waits::Not)
    }
}

impl<K: DeserializeOwned, V> Dict<K, V> {
    /// All keys, in their order.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn keys(&self) -> Result<Vec<K>, ManagerError> {
        self.proxy.ask_list("keys")
    }
}

impl<K, V: DeserializeOwned> Dict<K, V> {
    /// All values, in the order of their keys.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn values(&self) -> Result<Vec<V>, ManagerError> {
        self.proxy.ask_list("values")
    }
}

impl<K: DeserializeOwned, V: DeserializeOwned> Dict<K, V> {
    /// All keys with their values, in their order.
    ///
    /// # Errors
    /// [`ManagerError::Decode`], [`ManagerError::Lost`].
    pub fn items(&self) -> Result<Vec<(K, V)>, ManagerError> {
        self.proxy.ask_list("items")
    }
}
