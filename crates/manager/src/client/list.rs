//! Lists that a manager has.

use super::error::ManagerError;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// A list of values of type `T` that a manager has: Python's `list`.
///
/// Indices are Python's: -1 is the last. Each method is one call; two of them are not one act, so take a
/// [`Lock`](super::Lock) of the same manager where that matters.
///
/// # If a process dies
/// What it had changed is changed.
///
/// # After fork
/// Parent and child both use the list.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let list = manager.list(["a", "b"].map(str::to_owned))?;
/// list.append(&"c".to_owned())?;
/// list.set(0, &"A".to_owned())?;
/// assert_eq!(list.get(-1)?, Some("c".to_owned()));
/// assert_eq!(list.get(3)?, None);
/// assert_eq!(list.pop()?, Some("c".to_owned()));
/// assert_eq!(list.to_vec()?, ["A", "b"]);
/// # Ok::<(), ManagerError>(())
/// ```
pub struct List<T> {
    proxy: Proxy,
    _items: PhantomData<fn(T) -> T>,
}

typed!(List<T> as "list" with "__getitem__", "__setitem__", "__delitem__", "__len__", "append", "insert");

/// Nothing, for an index that is not there.
pub(super) fn there<R>(
    called: Result<R, ManagerError>,
    otherwise: &str,
) -> Result<Option<R>, ManagerError> {
    match called {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is("builtins", otherwise) => Ok(None),
        Err(error) => Err(error),
    }
}

impl<T> List<T> {
    /// How many items it has.
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

    /// Takes an item out, and does not look at it.
    ///
    /// # Errors
    /// [`ManagerError::Raised`] (`IndexError`) if there is no such item; [`ManagerError::Lost`].
    pub fn delete(&self, index: i64) -> Result<(), ManagerError> {
        self.proxy.ask("__delitem__", (index,), Waits::Not)
    }

    /// Turns the order round.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn reverse(&self) -> Result<(), ManagerError> {
        self.proxy.ask("reverse", (), Waits::Not)
    }

    /// Sorts it, as Python compares.
    ///
    /// # Errors
    /// [`ManagerError::Raised`] (`TypeError`) if the items cannot be compared: at a manager of ours, if they are no plain data.
    pub fn sort(&self) -> Result<(), ManagerError> {
        self.proxy.ask("sort", (), Waits::Not)
    }
}

impl<T: Serialize> List<T> {
    /// Adds an item at the end.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn append(&self, item: &T) -> Result<(), ManagerError> {
        self.proxy.ask("append", (item,), Waits::Not)
    }

    /// Adds items at the end, all of them at once.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn extend(&self, items: &[T]) -> Result<(), ManagerError> {
        self.proxy.ask("extend", (items,), Waits::Not)
    }

    /// Puts an item before the one at `index`.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn insert(&self, index: i64, item: &T) -> Result<(), ManagerError> {
        self.proxy.ask("insert", (index, item), Waits::Not)
    }

    /// Puts an item in the place of the one at `index`.
    ///
    /// # Errors
    /// As [`append`](Self::append); [`ManagerError::Raised`] (`IndexError`) if there is no such item.
    pub fn set(&self, index: i64, item: &T) -> Result<(), ManagerError> {
        self.proxy.ask("__setitem__", (index, item), Waits::Not)
    }

    /// How many items are equal to this one, as Python compares.
    ///
    /// # Errors
    /// As [`append`](Self::append), and as [`sort`](Self::sort).
    pub fn count(&self, item: &T) -> Result<usize, ManagerError> {
        self.proxy.ask("count", (item,), Waits::Not)
    }

    /// Whether an item is equal to this one.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub fn contains(&self, item: &T) -> Result<bool, ManagerError> {
        self.proxy.ask("__contains__", (item,), Waits::Not)
    }

    /// Where the first item is that is equal to this one.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub fn index(&self, item: &T) -> Result<Option<usize>, ManagerError> {
        there(self.proxy.ask("index", (item,), Waits::Not), "ValueError")
    }

    /// Takes out the first item that is equal to this one; whether there was one.
    ///
    /// # Errors
    /// As [`count`](Self::count).
    pub fn remove(&self, item: &T) -> Result<bool, ManagerError> {
        let removed = self.proxy.ask("remove", (item,), Waits::Not);
        there::<()>(removed, "ValueError").map(|found| found.is_some())
    }
}

impl<T: DeserializeOwned> List<T> {
    /// The item at `index`, if there is one.
    ///
    /// # Errors
    /// [`ManagerError::Decode`] if it is not a `T`, [`ManagerError::Lost`].
    pub fn get(&self, index: i64) -> Result<Option<T>, ManagerError> {
        there(self.proxy.ask("__getitem__", (index,), Waits::Not), "IndexError")
    }

    /// Takes the last item out, if there is one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn pop(&self) -> Result<Option<T>, ManagerError> {
        there(self.proxy.ask("pop", (), Waits::Not), "IndexError")
    }

    /// Takes the item at `index` out, if there is one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn pop_at(&self, index: i64) -> Result<Option<T>, ManagerError> {
        there(self.proxy.ask("pop", (index,), Waits::Not), "IndexError")
    }

    /// All items.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn to_vec(&self) -> Result<Vec<T>, ManagerError> {
        self.proxy.ask_list("#GETVALUE")
    }
}
