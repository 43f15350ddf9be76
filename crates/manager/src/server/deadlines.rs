//! Every instant at which something is to be done, in order: the loop sleeps until the first.

use crate::hosted::Owner;
use std::collections::BTreeSet;
use std::time::Instant;

/// Who is to be looked at when. A connection has one deadline at most, and knows it.
#[derive(Debug, Default)]
pub(super) struct Deadlines(BTreeSet<(Instant, Owner)>);

impl Deadlines {
    pub(super) fn insert(&mut self, when: Instant, owner: Owner) {
        self.0.insert((when, owner));
    }

    pub(super) fn remove(&mut self, when: Instant, owner: Owner) {
        self.0.remove(&(when, owner));
    }

    pub(super) fn first(&self) -> Option<Instant> {
        self.0.first().map(|(when, _)| *when)
    }

    /// Takes out somebody whose time has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Owner> {
        let (when, _) = self.0.first()?;
        if *when > now { None } else { self.0.pop_first().map(|(_, owner)| owner) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn whoever_is_due_comes_out_in_order_and_once() {
        let now = Instant::now();
        let (early, late) = (now + Duration::from_secs(1), now + Duration::from_secs(2));
        let mut deadlines = Deadlines::default();
        for (when, owner) in [(late, 1), (early, 2), (early, 3)] {
            deadlines.insert(when, owner);
        }
        deadlines.remove(early, 3);
        assert_eq!(deadlines.first(), Some(early));
        assert_eq!(deadlines.pop_due(now), None);
        assert_eq!(deadlines.pop_due(late), Some(2));
        assert_eq!(deadlines.pop_due(late), Some(1));
        assert_eq!(deadlines.pop_due(late), None);
    }
}
