//! What all handles of one manager share.

use super::answer;
use super::error::ManagerError;
use super::home::{Home, Kind};
use super::lane;
use super::link::Link;
use super::near;
use super::request;
use super::settings::Settings;
use procession_shm::Family;
use procession_sys::Deadline;
use serde::Deserialize;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

/// The newest version of the rules beyond stock's that are known here; see the README.
const VERSION: u32 = 1;

/// One manager, as this process sees it.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) settings: Settings,
    /// Control requests, and with them the references.
    pub(super) home: Home,
    /// How often it was reconnected.
    epoch: AtomicU32,
    /// The number of the manager's arena, if it lends that; else 0.
    arena: AtomicU64,
}

/// What a manager of ours says of itself.
#[derive(Deserialize)]
struct Told {
    arena: Option<u64>,
}

impl Shared {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, home: Home::new(), epoch: AtomicU32::new(0), arena: AtomicU64::new(0) }
    }

    pub(super) fn epoch(&self) -> u32 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Everything from before is old from now on.
    pub(super) fn next_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// When a call is given up that waits for so long at the manager.
    pub(super) fn deadline(&self, waits: Waits) -> Deadline {
        match waits {
            Waits::Not => Deadline::after(self.settings.answer_timeout),
            Waits::At(timeout) => {
                Deadline::after(timeout.saturating_add(self.settings.answer_timeout))
            }
            Waits::ForEver => Deadline::never(),
        }
    }

    /// The manager's family, if this process belongs to it or is let in.
    pub(super) fn family(&self) -> Option<&'static Family> {
        let number = self.arena.load(Ordering::Relaxed);
        if number == 0 {
            return None;
        }
        let family = near::join(self, number);
        if family.is_none() {
            // It is asked once.
            self.arena.store(0, Ordering::Relaxed);
        }
        family
    }

    pub(super) fn lost(&self, reason: impl Into<String>) -> ManagerError {
        ManagerError::Lost { peer: self.settings.peer.clone(), reason: reason.into() }
    }

    pub(super) fn protocol(&self, reason: impl ToString) -> ManagerError {
        ManagerError::Protocol { peer: self.settings.peer.clone(), reason: reason.to_string() }
    }

    /// The manager could not carry out a call.
    pub(super) fn failed(&self, method: &str, traceback: &str) -> ManagerError {
        ManagerError::Failed {
            peer: self.settings.peer.clone(),
            method: method.to_owned(),
            traceback: traceback.to_owned(),
        }
    }

    /// A new connection that carries calls.
    pub(super) fn serving(&self) -> Result<Link, ManagerError> {
        let (link, said) = self.begin(self.home.kind(self)?)?;
        said.map(|()| link)
    }

    /// A new connection, and what a manager of that kind says to its carrying calls.
    pub(super) fn begin(
        &self,
        kind: Kind,
    ) -> Result<(Link, Result<(), ManagerError>), ManagerError> {
        let mut link = Link::open(&self.settings)?;
        let thread = std::thread::current();
        let name = match thread.name() {
            Some("main") | None => self.settings.name.clone(),
            Some(thread) => format!("{}|{thread}", self.settings.name),
        };
        let mut out = Vec::new();
        let method = match kind {
            Kind::Stock => {
                request::control(&mut out, "accept_connection", (name.as_str(),))?;
                "accept_connection"
            }
            Kind::Ours => {
                request::control(&mut out, "hello", (VERSION, name.as_str()))?;
                "hello"
            }
        };
        let deadline = self.deadline(Waits::Not);
        let said = link.ask(&out, deadline, |answer| match kind {
            Kind::Stock => answer::done(self, method, answer),
            Kind::Ours => answer::value(self, method, answer).map(|told: Told| {
                self.arena.store(told.arena.unwrap_or(0), Ordering::Relaxed);
            }),
        })?;
        Ok((link, said))
    }
}

/// How long a call may wait at the manager.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waits {
    Not,
    At(Duration),
    ForEver,
}

impl Drop for Shared {
    fn drop(&mut self) {
        lane::close(self);
    }
}
