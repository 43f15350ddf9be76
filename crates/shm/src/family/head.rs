//! What every shared object begins with, so that whoever buries a member can do right by it.

use crate::{EventCount, OwnedLock};
use procession_sys::atomic::{AtomicU32, AtomicU64, Ordering};

crate::shared_struct! {
    /// The first words of a shared object.
    #[derive(Debug)]
    pub struct ObjectHead: 32 {
        /// What waiters of the object sleep on; notified when a member was buried.
        pub waits: [EventCount; 3],
        /// The object's lock, if it has one.
        pub lock: OwnedLock,
        flags: AtomicU32,
        rest: AtomicU32,
        /// Which doorbells want to be rung: one bit each.
        pub bells: AtomicU64,
    }
}

/// Flag: the lock is freed when its owner is buried.
const ROBUST: u32 = 1;

impl ObjectHead {
    /// Says that the lock is to be freed when its owner is buried.
    pub fn set_robust(&self) {
        self.flags.fetch_or(ROBUST, Ordering::Relaxed);
    }

    /// Does right by a member that has died, whose stamp is given.
    pub(super) fn member_buried(&self, stamp: u32) {
        if self.flags.load(Ordering::Relaxed) & ROBUST != 0 {
            self.lock.owner_died(stamp);
        }
        procession_sys::atomic::fence(Ordering::SeqCst);
        self.lock.disturb();
        self.waits.iter().for_each(EventCount::notify_all);
    }
}
