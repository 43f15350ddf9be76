//! What each process has in hand: how many items it got and did not declare done.
//!
//! Without it, an item whose getter was killed would stay undone for ever, and nobody could tell it
//! from one that is being worked on.
//!
//! A tally stands at a place that follows from the process's seat, in a group of the queue that is
//! made when a process with such a seat first gets. Seats are given from the lowest on, so there is
//! one group of 1 KiB as a rule.
//!
//! | word | meaning | written by |
//! |---|---|---|
//! | `member` | whose tally this is, or was | a getter of that member, under the getters' lock |
//! | `in_hand` | how many items it has | any thread of that member, under the getters' lock |
//!
//! **If the process dies** nothing has to be done: a tally counts while the ledger says that its member
//! is alive. The next process in that seat makes it its own. Threads of one process share theirs; the
//! child **of a fork** has its own, with nothing in hand.

use super::byte_queue::ByteQueue;
use super::control::TALLIED;
use crate::Error;
use procession_shm::{GateGuard, Kind, MemberId, MemberState, Region, Side, shared_struct};
use procession_sys::atomic::AtomicU64;
use procession_sys::atomic::Ordering::{Acquire, Relaxed, Release};
use procession_sys::crash_point;

/// A group ends below these seats; the last is more than there are.
const ENDS: [usize; GROUPS] = [64, 512, 4096];
/// How many groups of tallies a queue has at most.
pub(super) const GROUPS: usize = 3;

shared_struct! {
    #[derive(Debug)]
    struct Tally: 16 {
        member: AtomicU64,
        in_hand: AtomicU64,
    }
}

/// The tally of this process.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hand {
    tally: &'static Tally,
    me: MemberId,
}

impl Hand {
    /// Takes items into the hand, just before the commit that makes them this process's. If it is
    /// killed in between, its tally counts no more.
    #[inline]
    pub(super) fn take(self, _gate: &GateGuard<'_>, count: u64) {
        if self.tally.member.load(Relaxed) != self.me.to_word() {
            self.tally.in_hand.store(0, Relaxed);
            self.tally.member.store(self.me.to_word(), Relaxed);
        }
        self.tally.in_hand.store(self.tally.in_hand.load(Relaxed) + count, Relaxed);
    }

    /// Lets one item go, if there is one.
    pub(super) fn let_go(self, _gate: &GateGuard<'_>) {
        if self.tally.member.load(Relaxed) == self.me.to_word() {
            let left = self.tally.in_hand.load(Relaxed).saturating_sub(1);
            self.tally.in_hand.store(left, Relaxed);
        }
    }
}

impl ByteQueue {
    /// Whether the queue knows what each process has in hand.
    pub(crate) fn is_tallied(&self) -> bool {
        self.control.state.load(Relaxed) & TALLIED != 0
    }

    /// This process's tally, if its group was made.
    #[inline]
    pub(super) fn hand(&self) -> Option<Hand> {
        let me = self.ring.family().me();
        let (group, index) = place_of(me.seat() as usize);
        let tally = self.group(group)?.object(index * size_of::<Tally>());
        Some(Hand { tally, me })
    }

    /// This process's tally, whose group is made if need be.
    pub(super) fn make_hand(&self) -> Result<Hand, Error> {
        loop {
            if let Some(hand) = self.hand() {
                return Ok(hand);
            }
            self.make_group(place_of(self.ring.family().me().seat() as usize).0)?;
        }
    }

    #[cold]
    fn make_group(&self, group: usize) -> Result<(), Error> {
        let family = self.ring.family();
        let block = family.take(Kind::Part, len_of(group))?;
        block.region.part(0, len_of(group) as usize).clear();
        let gate = self.lock(&self.control.get, Side::Get);
        if self.control.tallies[group].load(Relaxed) != 0 {
            drop(gate);
            family.give(block.handle);
            return Ok(());
        }
        gate.adopt_part(block.handle, family.me());
        crash_point!("queue.tally.before_publish");
        let offset = family.arena().offset_of(block.region);
        self.control.tallies[group].store(offset, Release);
        Ok(())
    }

    /// How many items are in the hands of processes that live, as far as is known.
    pub(super) fn in_living_hands(&self, _gate: &GateGuard<'_>) -> u64 {
        let family = self.ring.family();
        let lives = |member| family.state(MemberId::from_word(member)) == MemberState::Alive;
        self.tallies()
            .map(|tally| (tally.member.load(Relaxed), tally.in_hand.load(Relaxed)))
            .filter(|(member, in_hand)| *in_hand > 0 && lives(*member))
            .map(|(_, in_hand)| in_hand)
            .sum()
    }

    fn tallies(&self) -> impl Iterator<Item = &'static Tally> {
        let groups = (0..GROUPS).filter_map(|group| Some((group, self.group(group)?)));
        groups.flat_map(|(group, region)| {
            (0..size_of_group(group)).map(move |index| region.object(index * size_of::<Tally>()))
        })
    }

    fn group(&self, group: usize) -> Option<Region> {
        let offset = self.control.tallies[group].load(Acquire);
        (offset != 0).then(|| self.ring.family().arena().region_at(offset, len_of(group)))
    }
}

/// In which group the tally of a seat stands, and where in it.
fn place_of(seat: usize) -> (usize, usize) {
    let group = ENDS.iter().position(|end| seat < *end).expect("a seat below the ledger's end");
    (group, seat - start_of(group))
}

fn start_of(group: usize) -> usize {
    if group == 0 { 0 } else { ENDS[group - 1] }
}

fn size_of_group(group: usize) -> usize {
    ENDS[group] - start_of(group)
}

fn len_of(group: usize) -> u64 {
    (size_of_group(group) * size_of::<Tally>()) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seat_has_a_tally_of_its_own() {
        let mut next = (0, 0);
        for seat in 0..ENDS[GROUPS - 1] {
            if next.1 == size_of_group(next.0) {
                next = (next.0 + 1, 0);
            }
            assert_eq!(place_of(seat), next);
            next.1 += 1;
        }
    }
}
