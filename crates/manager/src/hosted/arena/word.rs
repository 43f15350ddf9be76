//! The word of a lock in the arena.

use super::Place;
use super::line::Line;
use crate::memory::bells::Bells;
use procession_ipc::{Doorbell, Error, Lock, Shareable};
use std::rc::Rc;

/// A lock in the arena, which the server takes for its clients. It is freed if the process that has it dies.
#[derive(Debug)]
pub(in crate::hosted) struct Word {
    lock: Lock,
    number: u64,
    line: Line,
}

impl Word {
    pub(in crate::hosted) fn new(bells: &Rc<Bells>) -> Result<Self, Error> {
        let number = bells.number();
        Ok(Self { lock: Lock::recovering()?, number, line: Line::new(bells, number) })
    }

    pub(in crate::hosted) fn number(&self) -> u64 {
        self.number
    }

    pub(in crate::hosted) fn place(&self) -> Place {
        Place { handle: self.lock.handle(), kind: "Lock", code: None }
    }

    /// Takes it for a client of the server, if it is free.
    pub(in crate::hosted) fn take(&self) -> bool {
        self.lock.try_acquire()
    }

    /// Frees it, whoever has it. `false` if it was free.
    pub(in crate::hosted) fn free(&self) -> bool {
        self.lock.release().is_ok()
    }

    pub(in crate::hosted) fn is_free(&self) -> bool {
        !self.lock.is_locked()
    }

    /// Whether the server has it, for one of its clients.
    pub(in crate::hosted) fn is_ours(&self) -> bool {
        self.lock.is_mine()
    }

    /// Has a bell hang while somebody waits.
    pub(in crate::hosted) fn settle(&mut self, is_waited: bool) -> Result<(), Error> {
        let lock = &self.lock;
        self.line.settle(is_waited, || Doorbell::hang(lock.held()), |bell| lock.show_free(bell))
    }
}
