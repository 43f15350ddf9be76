//! A queue in memory.

use super::batch::Batch;
use super::object::{NearQueue, deadline, decode, encode};
use crate::client::answer;
use crate::client::error::ManagerError;
use crate::client::request;
use crate::client::shared::Waits;
use crate::memory::TICKET;
use procession_ipc::byte_queue::{Got, is_large};
use procession_ipc::message::PICKLE;
use procession_sys::{Deadline, crash_point};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::borrow::Borrow;
use std::ops::Range;

/// How many items are got together.
const MOST: usize = 1024;

impl NearQueue<'_> {
    /// Puts a pickle that names no object.
    pub(in crate::client) fn put(&self, pickle: &[u8], waits: Waits) -> Result<(), ManagerError> {
        let (deadline, gone) = (deadline(waits), || self.near.is_gone());
        let put = if is_large(pickle.len()) {
            let mut batch = Batch::default();
            let added = batch.add(self.near.family, pickle);
            added.and_then(|()| batch.put(self.object, deadline, gone).1.map_or(Ok(()), Err))
        } else {
            self.object.put_one_until(PICKLE, pickle, deadline, gone)
        };
        put.map_err(|error| self.meaning("put", waits, &error))
    }

    /// Puts values, waiting for room, those that fit together at once.
    pub(in crate::client) fn put_many<T: Serialize>(
        &self,
        values: impl IntoIterator<Item = impl Borrow<T>>,
    ) -> Result<usize, (usize, ManagerError)> {
        let mut values = values.into_iter();
        let mut put = 0;
        loop {
            let (mut batch, mut failed) = (Batch::default(), None);
            while !batch.is_full()
                && failed.is_none()
                && let Some(value) = values.next()
            {
                let added = encode("put", value.borrow()).and_then(|pickle| {
                    let added = batch.add(self.near.family, &pickle);
                    added.map_err(|error| self.meaning("put", Waits::ForEver, &error))
                });
                failed = added.err();
            }
            if batch.is_empty() {
                return failed.map_or(Ok(put), |error| Err((put, error)));
            }
            let (count, refused) =
                batch.put(self.object, Deadline::never(), || self.near.is_gone());
            put += count;
            let refused = refused.map(|error| self.meaning("put", Waits::ForEver, &error));
            if let Some(error) = refused.or(failed) {
                return Err((put, error));
            }
        }
    }

    /// Takes an item as its pickle, which `read` reads.
    pub(in crate::client) fn get<R>(
        &self,
        waits: Waits,
        read: impl FnOnce(&[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        let mut bytes = Vec::new();
        let got = self.object.get_until(&mut bytes, None, deadline(waits), || self.near.is_gone());
        let got = got.map_err(|error| self.meaning("get", waits, &error))?;
        self.read(got, &bytes, read)
    }

    /// Has `read` read the pickle of an item, which may be with the manager.
    fn read<R>(
        &self,
        got: Got,
        bytes: &[u8],
        read: impl FnOnce(&[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        match got {
            Got::Message { format: PICKLE, .. } => read(bytes),
            Got::Message { format: TICKET, .. } => {
                let ticket = bytes.try_into().map_or(0, u64::from_ne_bytes);
                crash_point!("manager.ticket.taken");
                let mut out = Vec::new();
                request::control(&mut out, "claim", (self.proxy.id(), ticket))?;
                let kept = self.proxy.send("claim", &out, Waits::Not, answer::payload)?;
                read(kept.as_pickle())
            }
            Got::Parcel(parcel) if parcel.format() == PICKLE => read(parcel.bytes()),
            _ => Err(self.proxy.shared().failed("get", "ValueError: the item is no pickle")),
        }
    }

    /// Takes at least one item and at most `max`; of those that are there, as many as go at once.
    pub(in crate::client) fn get_some<T: DeserializeOwned>(
        &self,
        max: usize,
        waits: Waits,
    ) -> Result<Vec<T>, ManagerError> {
        let (mut bytes, mut items) = (Vec::new(), Vec::new());
        let take = |item, append: &dyn Fn(&mut Vec<u8>)| {
            let start = bytes.len();
            append(&mut bytes);
            items.push((item, start..bytes.len()));
        };
        let gone = || self.near.is_gone();
        let got = self.object.get_many_until(max.min(MOST), None, deadline(waits), gone, take);
        got.map_err(|error| self.meaning("get", waits, &error))?;
        // All of them are looked at, so that the manager keeps none whose ticket is gone.
        let read = |(item, range): (Got, Range<usize>)| {
            self.read(item, &bytes[range], |pickle| decode("get", pickle))
        };
        let read: Vec<Result<T, ManagerError>> = items.into_iter().map(read).collect();
        read.into_iter().collect()
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
