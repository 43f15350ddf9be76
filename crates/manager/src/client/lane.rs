//! The connection of each thread.
//!
//! A manager's locks belong to the connection that took them, and a call that waits holds its connection up. So each thread
//! that calls has one of its own for each manager, from its first call to its end. A lane is taken out of the thread's list
//! while a call is under way: code of the user's that runs inside of it may call again, over another one.

use super::error::ManagerError;
use super::link::Link;
use super::shared::Shared;
use procession_sys::forked;
use std::cell::RefCell;
use std::sync::{Arc, Weak};

thread_local! {
    static LANES: RefCell<Vec<Lane>> = const { RefCell::new(Vec::new()) };
}

/// This thread's connection to one manager.
struct Lane {
    manager: Weak<Shared>,
    /// How often the manager had been reconnected when this was opened.
    epoch: u32,
    /// The process that opened it, as [`forked::generation`] counts.
    forked: u32,
    /// The connection, or how it was lost.
    link: Result<Link, String>,
}

impl Lane {
    fn is_of(&self, shared: &Arc<Shared>) -> bool {
        std::ptr::eq(self.manager.as_ptr(), Arc::as_ptr(shared))
    }

    /// Whether it is from before a reconnect or a fork.
    fn is_old(&self, shared: &Shared) -> bool {
        self.epoch != shared.epoch() || self.forked != forked::generation()
    }

    fn open(shared: &Arc<Shared>) -> Result<Self, ManagerError> {
        let epoch = shared.epoch();
        let link = shared.serving()?;
        let manager = Arc::downgrade(shared);
        Ok(Self { manager, epoch, forked: forked::generation(), link: Ok(link) })
    }
}

/// Takes this thread's lane out of the list; a new one if there is none, or an old one.
fn take(shared: &Arc<Shared>) -> Result<Lane, ManagerError> {
    let found = LANES.with_borrow_mut(|lanes| {
        lanes.retain(|lane| lane.manager.strong_count() > 0);
        let at = lanes.iter().position(|lane| lane.is_of(shared))?;
        Some(lanes.swap_remove(at))
    });
    match found {
        // The kernel closes this process's end of it only: a parent that has it too goes on.
        Some(lane) if lane.is_old(shared) => drop(lane),
        Some(lane) => return Ok(lane),
        None => {}
    }
    Lane::open(shared)
}

/// Calls over this thread's connection.
pub(super) fn with<R>(
    shared: &Arc<Shared>,
    call: impl FnOnce(&mut Link) -> Result<R, ManagerError>,
) -> Result<R, ManagerError> {
    let mut lane = take(shared)?;
    let called = match &mut lane.link {
        Ok(link) => call(link),
        Err(reason) => Err(shared.lost(reason.clone())),
    };
    if let Err(ManagerError::Lost { reason, .. } | ManagerError::Protocol { reason, .. }) = &called
    {
        lane.link = Err(reason.clone());
    }
    LANES.with_borrow_mut(|lanes| {
        // One that was opened in between, by code inside of the call, is of no use any more.
        lanes.retain(|other| !other.is_of(shared));
        lanes.push(lane);
    });
    called
}

/// The manager goes: this thread's connection to it, too.
pub(super) fn close(shared: &Shared) {
    // A thread that ends has closed its lanes already.
    let _ = LANES.try_with(|lanes| {
        if let Ok(mut lanes) = lanes.try_borrow_mut() {
            lanes.retain(|lane| !std::ptr::eq(lane.manager.as_ptr(), shared));
        }
    });
}
