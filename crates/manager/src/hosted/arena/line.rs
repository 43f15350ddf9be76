//! A doorbell that hangs while somebody waits.

use crate::memory::bells::Bells;
use procession_ipc::{Doorbell, Error};
use procession_sys::crash_point;
use std::rc::Rc;

/// The bell of one line of an object.
#[derive(Debug)]
pub(in crate::hosted) struct Line {
    bells: Rc<Bells>,
    /// The object's.
    number: u64,
    bell: Option<Doorbell>,
}

impl Line {
    pub(in crate::hosted) fn new(bells: &Rc<Bells>, number: u64) -> Self {
        Self { bells: Rc::clone(bells), number, bell: None }
    }

    /// Has a bell hang, and `show` it how the object is now, if somebody waits; and none if nobody does.
    pub(in crate::hosted) fn settle(
        &mut self,
        is_waited: bool,
        hang: impl FnOnce() -> Result<Doorbell, Error>,
        show: impl FnOnce(&Doorbell),
    ) -> Result<(), Error> {
        if !is_waited {
            if self.bell.take().is_some() {
                self.bells.forget(self.number);
            }
            return Ok(());
        }
        let bell = match self.bell.take() {
            Some(bell) => bell,
            None => {
                let bell = hang()?;
                let watched = self.bells.watch(self.number, &bell);
                watched
                    .map_err(|source| Error::System { attempted: "watch a doorbell", source })?;
                crash_point!("manager.bells.hung");
                bell
            }
        };
        show(self.bell.insert(bell));
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.bell.take().is_some() {
            self.bells.forget(self.number);
        }
    }
}
