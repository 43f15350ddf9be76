//! A lock in memory.

use super::object::{NearLock, deadline};
use crate::client::error::ManagerError;
use crate::client::shared::Waits;

impl NearLock<'_> {
    /// Takes it; whether it did.
    pub(in crate::client) fn acquire(&self, waits: Waits) -> Result<bool, ManagerError> {
        if self.object.try_acquire() {
            return Ok(true);
        }
        if let Waits::Not = waits {
            return Ok(false);
        }
        match self.object.acquire_until(deadline(waits), || self.near.is_gone()) {
            Ok(()) => Ok(true),
            Err(error) if error.is_timeout() => Ok(false),
            Err(error) => Err(self.meaning("acquire", waits, &error)),
        }
    }

    pub(in crate::client) fn release(&self) -> Result<(), ManagerError> {
        self.object.release().map_err(|error| self.meaning("release", Waits::Not, &error))
    }
}
