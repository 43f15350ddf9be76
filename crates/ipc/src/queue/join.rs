//! Declaring items done, and waiting until all are.
//!
//! Every item that was got is in one of four states, and who holds the getters' lock sees how many are
//! in each: what was got is `done`, `lost`, in living hands (see `tally`), **or in nobody's**. The last
//! is what is left of the sum, so no death has to be written down: it follows from the ledger. A joiner
//! that finds such items adds them to `lost`, one store, and says so.

use super::byte_queue::ByteQueue;
use crate::Error;
use procession_shm::Side;
use procession_sys::atomic::Ordering::{Acquire, Release};
use procession_sys::{Deadline, crash_point};

impl ByteQueue {
    /// Declares one item done: one that this process has in hand, or else one that another has.
    ///
    /// # Errors
    /// [`Error::TaskDoneTooOften`] if all that were put are done, or lost and known to be.
    pub fn task_done(&self) -> Result<(), Error> {
        let control = self.control;
        let hand = self.hand();
        let gate = self.lock(&control.get, Side::Get);
        if self.unfinished() == 0 {
            return Err(Error::TaskDoneTooOften);
        }
        crash_point!("queue.task_done.before_commit");
        control.done.store(control.done.load(Acquire) + 1, Release);
        crash_point!("queue.task_done.after_commit");
        if let Some(hand) = hand {
            hand.let_go(&gate);
        }
        drop(gate);
        crash_point!("queue.task_done.before_wake");
        if self.unfinished() == 0 {
            control.head.waits[2].notify_all();
            self.ring_for_joiners();
        }
        Ok(())
    }

    /// Items that were put, and neither declared done nor found lost.
    pub fn unfinished(&self) -> u64 {
        let put = self.control.put.index();
        put.saturating_sub(self.control.done.load(Acquire) + self.control.lost.load(Acquire))
    }

    /// Waits until all items are declared done.
    ///
    /// If the queue was made [`joinable`](Self::joinable), it also ends when items are found whose
    /// getters are dead. They count no more then.
    ///
    /// # Errors
    /// [`Error::ItemsLost`], [`Error::TimedOut`].
    pub fn join(&self, deadline: Deadline) -> Result<(), Error> {
        self.join_until(deadline, || false)
    }

    /// As [`join`](Self::join), or until `interrupt`, which is asked after every sleep that was for
    /// nothing, says that it is enough.
    ///
    /// # Errors
    /// [`Error::Interrupted`] too.
    pub fn join_until(
        &self,
        deadline: Deadline,
        mut interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        let what = "waiting for all items to be done";
        let lost = self.control.lost.load(Acquire);
        let joiners = &self.control.head.waits[2];
        while !self.is_joined(lost)? {
            let ticket = joiners.announce();
            if self.is_joined(lost)? {
                break;
            }
            if deadline.expired() {
                return Err(Error::TimedOut { what });
            }
            joiners.sleep(ticket, deadline);
            self.ring.family().look_for_deaths();
            if !self.is_joined(lost)? && interrupt() {
                return Err(Error::Interrupted { what });
            }
        }
        Ok(())
    }

    /// Whether all is done, for a joiner that came when `lost` items had been found lost.
    fn is_joined(&self, lost: u64) -> Result<bool, Error> {
        self.find_lost();
        // Before the losses: if what another joiner finds in between makes nothing be unfinished, this
        // one is told.
        let unfinished = self.unfinished();
        match self.control.lost.load(Acquire) - lost {
            0 => Ok(unfinished == 0),
            count => Err(Error::ItemsLost { count: count as usize }),
        }
    }

    /// Adds what is in nobody's hands to what is lost, and tells the joiners.
    fn find_lost(&self) {
        let control = self.control;
        if !self.is_tallied() || self.unfinished() == 0 {
            return;
        }
        let gate = self.lock(&control.get, Side::Get);
        let (done, lost) = (control.done.load(Acquire), control.lost.load(Acquire));
        let accounted = done + lost + self.in_living_hands(&gate);
        let nobodys = gate.record().index.saturating_sub(accounted);
        if nobodys == 0 {
            return;
        }
        crash_point!("queue.join.before_commit");
        control.lost.store(lost + nobodys, Release);
        crash_point!("queue.join.after_commit");
        drop(gate);
        control.head.waits[2].notify_all();
    }
}
