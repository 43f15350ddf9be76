//! Namespaces that a manager has.

use super::error::ManagerError;
use super::list::there;
use super::proxy::Proxy;
use super::shared::Waits;
use super::typed::typed;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Attributes by name, of any type: Python's `Namespace`.
///
/// # If a process dies
/// What it had changed is changed.
///
/// # After fork
/// Parent and child both use it.
///
/// # Examples
/// ```
#[doc = include_str!("example.txt")]
/// let settings = manager.namespace()?;
/// settings.set("size", &(640, 480))?;
/// assert_eq!(settings.get("size")?, Some((640, 480)));
/// assert!(settings.delete("size")?);
/// assert_eq!(settings.get::<u32>("size")?, None);
/// # Ok::<(), ManagerError>(())
/// ```
pub struct Namespace {
    proxy: Proxy,
}

typed!(Namespace as "namespace" with "__getattribute__", "__setattr__", "__delattr__");

impl Namespace {
    /// The attribute of this name, if there is one.
    ///
    /// # Errors
    /// [`ManagerError::Decode`] if it is not a `V`, [`ManagerError::Lost`].
    pub fn get<V: DeserializeOwned>(&self, name: &str) -> Result<Option<V>, ManagerError> {
        there(self.proxy.ask("__getattribute__", (name,), Waits::Not), "AttributeError")
    }

    /// Sets an attribute.
    ///
    /// # Errors
    /// [`ManagerError::Encode`], [`ManagerError::Lost`].
    pub fn set<V: Serialize + ?Sized>(&self, name: &str, value: &V) -> Result<(), ManagerError> {
        self.proxy.ask("__setattr__", (name, value), Waits::Not)
    }

    /// Takes an attribute out; whether it was there.
    ///
    /// # Errors
    /// [`ManagerError::Lost`].
    pub fn delete(&self, name: &str) -> Result<bool, ManagerError> {
        let deleted = self.proxy.ask("__delattr__", (name,), Waits::Not);
        there::<()>(deleted, "AttributeError").map(|found| found.is_some())
    }
}
