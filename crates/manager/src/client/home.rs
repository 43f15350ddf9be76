//! Control requests: making objects, and counting who has them.
//!
//! A manager of ours takes them over a serving connection and ties the references to it, so one connection has all of this
//! process's references, whichever thread made them, and when it ends they end. Stock takes each over a connection of its own.

use super::error::ManagerError;
use super::link::Link;
use super::shared::{Shared, Waits};
use procession_sys::forked;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The way for control requests, one for each process that a fork made of this one.
#[derive(Debug)]
pub(super) struct Home {
    /// Whose it is, as [`forked::generation`] counts.
    forked: u32,
    /// A parent's thread may have held it at the fork: a child never touches it.
    way: Mutex<Option<Way>>,
    child: OnceLock<Box<Home>>,
}

/// How control requests go.
#[derive(Debug)]
enum Way {
    /// Each over a connection of its own.
    Short,
    /// Over this connection, which has the references.
    Lasting(Link),
    /// That connection was lost, in this way.
    Lost(String),
}

/// What a manager is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Stock,
    Ours,
}

impl Home {
    pub(super) fn new() -> Self {
        Self { forked: forked::generation(), way: Mutex::new(None), child: OnceLock::new() }
    }

    /// That of this process.
    fn own(&self) -> &Self {
        let mut home = self;
        let generation = forked::generation();
        while home.forked != generation {
            home = home.child.get_or_init(|| Box::new(Self::new()));
        }
        home
    }

    fn way(&self) -> MutexGuard<'_, Option<Way>> {
        self.own().way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds the way anew, and only then leaves the old one.
    pub(super) fn open(&self, shared: &Shared) -> Result<(), ManagerError> {
        let way = Way::find(shared)?;
        let mut old = self.way();
        shared.next_epoch();
        *old = Some(way);
        Ok(())
    }

    /// What the manager is, if it is still there.
    pub(super) fn kind(&self, shared: &Shared) -> Result<Kind, ManagerError> {
        let mut way = self.way();
        match known(&mut way, shared)? {
            Way::Short => Ok(Kind::Stock),
            // What listens there now may be another manager, for which the names of objects mean others.
            Way::Lasting(link) if link.is_at_end() => {
                let reason = "the other side has closed it";
                Err(lost(&mut way, shared.lost(reason)))
            }
            Way::Lasting(_) => Ok(Kind::Ours),
            Way::Lost(reason) => Err(shared.lost(reason.clone())),
        }
    }

    /// Sends a control request, and has `read` read what comes of it.
    pub(super) fn ask<R>(
        &self,
        shared: &Shared,
        request: &[u8],
        read: impl FnOnce(&[u8]) -> Result<R, ManagerError>,
    ) -> Result<R, ManagerError> {
        let deadline = shared.deadline(Waits::Not);
        let mut way = self.way();
        match known(&mut way, shared)? {
            Way::Short => {
                drop(way);
                Link::open(&shared.settings)?.ask(request, deadline, read)?
            }
            Way::Lasting(link) => match link.ask(request, deadline, read) {
                Ok(read) => read,
                Err(error) => Err(lost(&mut way, error)),
            },
            Way::Lost(reason) => Err(shared.lost(reason.clone())),
        }
    }

    /// Sends a control request of which nobody needs the answer.
    pub(super) fn tell(&self, shared: &Shared, request: &[u8]) -> Result<(), ManagerError> {
        let deadline = shared.deadline(Waits::Not);
        let mut way = self.way();
        match known(&mut way, shared)? {
            Way::Short => {
                drop(way);
                // Stock carries out what it has read, so the answer is waited for.
                Link::open(&shared.settings)?.ask(request, deadline, |_| ())
            }
            Way::Lasting(link) => {
                link.tell(request, deadline).map_err(|error| lost(&mut way, error))
            }
            Way::Lost(reason) => Err(shared.lost(reason.clone())),
        }
    }
}

/// The way, which a child of a fork has yet to find.
fn known<'w>(way: &'w mut Option<Way>, shared: &Shared) -> Result<&'w mut Way, ManagerError> {
    match way {
        Some(way) => Ok(way),
        None => Ok(way.insert(Way::find(shared)?)),
    }
}

fn lost(way: &mut Option<Way>, error: ManagerError) -> ManagerError {
    if let ManagerError::Lost { reason, .. } | ManagerError::Protocol { reason, .. } = &error {
        *way = Some(Way::Lost(reason.clone()));
    }
    error
}

impl Way {
    /// Connects, and asks whether the manager is one of ours; a stock one closes that connection.
    fn find(shared: &Shared) -> Result<Self, ManagerError> {
        let (link, said) = shared.begin(Kind::Ours)?;
        match said {
            Ok(()) => Ok(Self::Lasting(link)),
            Err(ManagerError::Failed { .. }) => Ok(Self::Short),
            Err(error) => Err(error),
        }
    }
}
