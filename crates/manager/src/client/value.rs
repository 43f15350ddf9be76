//! Single values that a manager has.

use super::error::ManagerError;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// One value of type `T` that a manager has: Python's `Value`.
///
/// Reading and writing are two calls; take a [`Lock`](super::Lock) of the same manager to change it depending on what it is.
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
/// let value = manager.value("i", 3)?;
/// value.set(&(value.get()? + 1))?;
/// assert_eq!(value.get()?, 4);
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Value<T> {
    proxy: Proxy,
    _items: PhantomData<fn(T) -> T>,
}

typed!(Value<T> as "value" with "get", "set"; come_near);

impl<T: DeserializeOwned> Value<T> {
    /// What it is.
    ///
    /// # Errors
    /// [`ManagerError::Decode`] if it is not a `T`, [`ManagerError::Lost`].
    pub fn get(&self) -> Result<T, ManagerError> {
        if let Some(near) = self.proxy.near_value()?
            && let Some(value) = near.get()?
        {
            return Ok(value);
        }
        self.proxy.ask("get", (), Waits::Not)
    }
}

impl<T: Serialize> Value<T> {
    /// Sets it.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn set(&self, value: &T) -> Result<(), ManagerError> {
        if let Some(near) = self.proxy.near_value()?
            && near.set(value)?
        {
            return Ok(());
        }
        self.proxy.ask("set", (value,), Waits::Not)
    }
}
