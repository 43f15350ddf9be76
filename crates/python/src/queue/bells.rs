//! Descriptors for those who poll a queue: `add_reader` of an event loop, `connection.wait`.

use crate::wait::raise;
use procession_ipc::Doorbell;
use procession_ipc::byte_queue::ByteQueue;
use pyo3::prelude::*;
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// The doorbells of this process at one queue, hung up when first asked for.
///
/// The locks are taken with the interpreter attached, for a moment, so that no fork finds one taken.
#[derive(Default)]
pub(super) struct Bells {
    are_hung: AtomicBool,
    items: Mutex<Option<Doorbell>>,
    room: Mutex<Option<Doorbell>>,
}

impl Bells {
    /// The descriptor that is readable while there is an item, or the end.
    ///
    /// # Errors
    /// `OSError` without a free descriptor.
    pub(super) fn items_fd(&self, queue: &ByteQueue) -> PyResult<i32> {
        self.fd(&self.items, queue, ByteQueue::show_items)
    }

    /// The descriptor that is readable while there is room.
    ///
    /// # Errors
    /// As [`items_fd`](Self::items_fd).
    pub(super) fn room_fd(&self, queue: &ByteQueue) -> PyResult<i32> {
        self.fd(&self.room, queue, ByteQueue::show_room)
    }

    fn fd(
        &self,
        bell: &Mutex<Option<Doorbell>>,
        queue: &ByteQueue,
        show: impl Fn(&ByteQueue, &Doorbell),
    ) -> PyResult<i32> {
        let mut bell = bell.lock().unwrap_or_else(PoisonError::into_inner);
        if bell.as_ref().is_none_or(|bell| !bell.is_mine()) {
            *bell = Some(Doorbell::hang(queue.held()).map_err(|error| raise(&error))?);
            self.are_hung.store(true, Relaxed);
        }
        let hung = bell.as_ref().map(|bell| {
            show(queue, bell);
            bell.as_fd().as_raw_fd()
        });
        Ok(hung.unwrap_or(-1))
    }

    /// Has the descriptors show how the queue is now; after every use of it.
    #[inline]
    pub(super) fn show(&self, queue: &ByteQueue) {
        if self.are_hung.load(Relaxed) {
            self.show_all(queue);
        }
    }

    #[cold]
    fn show_all(&self, queue: &ByteQueue) {
        show_one(&self.items, |bell| queue.show_items(bell));
        show_one(&self.room, |bell| queue.show_room(bell));
    }

    /// Takes them down.
    pub(super) fn take_down(&self) {
        for bell in [&self.items, &self.room] {
            *bell.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.are_hung.store(false, Relaxed);
    }
}

fn show_one(bell: &Mutex<Option<Doorbell>>, show: impl Fn(&Doorbell)) {
    let bell = bell.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(bell) = bell.as_ref().filter(|bell| bell.is_mine()) {
        show(bell);
    }
}
