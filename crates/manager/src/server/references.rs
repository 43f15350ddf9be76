//! References to objects, and who counted them.

use super::ident::Ident;
use super::processes::Pid;
use std::collections::HashMap;

/// Who counts a reference, and with whose end it is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// A serving connection of one of our clients.
    Connection,
    /// A process of this machine, at the other end of a Unix socket.
    Process(Pid),
    /// Somebody far away, of whom nothing is known once its connection is closed.
    Anyone,
}

/// How many references one holder has to each object.
#[derive(Debug, Default)]
pub(super) struct Counts(HashMap<Ident, u64>);

impl Counts {
    pub(super) fn add(&mut self, ident: Ident) {
        *self.0.entry(ident).or_insert(0) += 1;
    }

    /// Takes one away; says whether there was one.
    pub(super) fn take(&mut self, ident: Ident) -> bool {
        let Some(count) = self.0.get_mut(&ident) else { return false };
        *count -= 1;
        if *count == 0 {
            self.0.remove(&ident);
        }
        true
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything, once its holder is gone.
    pub(super) fn into_all(self) -> impl Iterator<Item = (Ident, u64)> {
        self.0.into_iter()
    }
}
