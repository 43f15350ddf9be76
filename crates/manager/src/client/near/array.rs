//! An array in memory.

use super::object::{Coded, NearArray, decode, raised};
use crate::client::error::ManagerError;
use crate::client::shared::Waits;
use procession_sys::Deadline;
use procession_wire::message::Payload;
use procession_wire::value::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A number as Python's server would have it.
fn value_of<T: Serialize>(number: &T) -> Result<Value, ManagerError> {
    let value = Payload::new(number).and_then(|payload| payload.value());
    value.map_err(|error| ManagerError::Encode {
        method: "__setitem__".to_owned(),
        reason: error.to_string(),
    })
}

impl NearArray<'_> {
    pub(in crate::client) fn len(&self) -> usize {
        self.object.numbers.size() / self.object.code.width
    }

    /// Where the number of Python's `index` begins, if there is one.
    fn find(&self, index: i64) -> Option<usize> {
        let from_end = if index < 0 { self.len() as i64 } else { 0 };
        let place = usize::try_from(index.checked_add(from_end)?).ok()?;
        (place < self.len()).then_some(place * self.object.code.width)
    }

    fn read(&self, at: usize, to: &mut [u8]) -> Result<(), ManagerError> {
        let read = self.object.numbers.read(at, to, Deadline::never(), || self.near.is_gone());
        read.map_err(|error| self.meaning("__getitem__", Waits::ForEver, &error))
    }

    /// The number at `index`, if there is one.
    pub(in crate::client) fn get<T: DeserializeOwned>(
        &self,
        index: i64,
    ) -> Result<Option<T>, ManagerError> {
        let Some(at) = self.find(index) else { return Ok(None) };
        let mut number = [0; size_of::<u64>()];
        let number = &mut number[..self.object.code.width];
        self.read(at, number)?;
        decode("__getitem__", &self.object.code.read(number).to_pickle()).map(Some)
    }

    /// All numbers, as they were at one time.
    pub(in crate::client) fn all<T: DeserializeOwned>(&self) -> Result<Vec<T>, ManagerError> {
        let Coded { code, numbers } = self.object;
        let mut bytes = vec![0; numbers.size()];
        self.read(0, &mut bytes)?;
        let values = bytes.chunks_exact(code.width).map(|number| code.read(number)).collect();
        decode("#GETVALUE", &Value::List(values).to_pickle())
    }

    /// Sets the number at `index`.
    pub(in crate::client) fn set<T: Serialize>(
        &self,
        index: i64,
        number: &T,
    ) -> Result<(), ManagerError> {
        let Some(at) = self.find(index) else {
            return Err(raised("IndexError", &"array assignment index out of range"));
        };
        let value = value_of(number)?;
        let mut bytes = Vec::with_capacity(self.object.code.width);
        let written = self.object.code.write(&value, &mut bytes);
        written.map_err(|exception| ManagerError::Raised(Box::new(exception)))?;
        let set = self.object.numbers.write(at, &bytes, Deadline::never(), || self.near.is_gone());
        set.map_err(|error| self.meaning("__setitem__", Waits::ForEver, &error))
    }
}
