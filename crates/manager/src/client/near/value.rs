//! A value in memory.

use super::object::{NearValue, decode, encode};
use crate::client::error::ManagerError;
use crate::client::shared::Waits;
use procession_sys::Deadline;
use serde::Serialize;
use serde::de::DeserializeOwned;

impl NearValue<'_> {
    /// What it is; `None` if the manager has it.
    pub(in crate::client) fn get<T: DeserializeOwned>(&self) -> Result<Option<T>, ManagerError> {
        let mut pickle = Vec::new();
        let is_here = self.object.get(&mut pickle, Deadline::never(), || self.near.is_gone());
        match is_here.map_err(|error| self.meaning("get", Waits::ForEver, &error))? {
            true => decode("get", &pickle).map(Some),
            false => Ok(None),
        }
    }

    /// Sets it; `false` if it is the manager's to keep.
    pub(in crate::client) fn set<T: Serialize>(&self, value: &T) -> Result<bool, ManagerError> {
        let set =
            self.object.set(&encode("set", value)?, Deadline::never(), || self.near.is_gone());
        set.map_err(|error| self.meaning("set", Waits::ForEver, &error))
    }
}
