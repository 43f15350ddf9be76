//! A queue in memory.

use super::object::{NearQueue, deadline, decode};
use crate::client::answer;
use crate::client::error::ManagerError;
use crate::client::request;
use crate::client::shared::Waits;
use crate::memory::TICKET;
use procession_ipc::byte_queue::{Got, Item, is_large};
use procession_ipc::message::{PICKLE, Parcel};
use procession_sys::Deadline;
use procession_sys::bytes::Bytes;
use serde::de::DeserializeOwned;

impl NearQueue<'_> {
    /// Puts a pickle that names no object.
    pub(in crate::client) fn put(&self, pickle: &[u8], waits: Waits) -> Result<(), ManagerError> {
        let (deadline, gone) = (deadline(waits), || self.near.is_gone());
        let put = if is_large(pickle.len()) {
            Parcel::gather(self.near.family, PICKLE, &[Bytes::Still(pickle)], 1).and_then(
                |parcel| {
                    let item = [Item::Parcel(&parcel)];
                    self.object.put_until(&item, deadline, gone).map_err(|(_, error)| error)?;
                    parcel.keep();
                    Ok(())
                },
            )
        } else {
            self.object.put_one_until(PICKLE, pickle, deadline, gone)
        };
        put.map_err(|error| self.meaning("put", waits, &error))
    }

    /// Takes an item as its pickle, which `read` reads.
    pub(in crate::client) fn get<R>(
        &self,
        waits: Waits,
        read: impl FnOnce(&[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        let mut bytes = Vec::new();
        let got = self.object.get_until(&mut bytes, None, deadline(waits), || self.near.is_gone());
        match got.map_err(|error| self.meaning("get", waits, &error))? {
            Got::Message { format: PICKLE, .. } => read(&bytes),
            Got::Message { format: TICKET, .. } => {
                let ticket = bytes.as_slice().try_into().map_or(0, u64::from_ne_bytes);
                let mut out = Vec::new();
                request::control(&mut out, "claim", (self.proxy.id(), ticket))?;
                let kept = self.proxy.send("claim", &out, Waits::Not, answer::payload)?;
                read(kept.as_pickle())
            }
            Got::Parcel(parcel) if parcel.format() == PICKLE => read(parcel.bytes()),
            _ => Err(self.proxy.shared().failed("get", "ValueError: the item is no pickle")),
        }
    }

    /// Takes an item.
    pub(in crate::client) fn get_value<T: DeserializeOwned>(
        &self,
        waits: Waits,
    ) -> Result<T, ManagerError> {
        self.get(waits, |pickle| decode("get", pickle))
    }

    pub(in crate::client) fn len(&self) -> usize {
        usize::try_from(self.object.len()).unwrap_or(usize::MAX)
    }

    pub(in crate::client) fn is_full(&self) -> bool {
        self.object.is_full()
    }

    pub(in crate::client) fn task_done(&self) -> Result<(), ManagerError> {
        self.object.task_done().map_err(|error| self.meaning("task_done", Waits::Not, &error))
    }

    pub(in crate::client) fn join(&self) -> Result<(), ManagerError> {
        let joined = self.object.join_until(Deadline::never(), || self.near.is_gone());
        joined.map_err(|error| self.meaning("join", Waits::ForEver, &error))
    }
}
