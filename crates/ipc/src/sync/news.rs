//! Word of a holder's death, kept for as long as the next holder has the lock.

use procession_shm::Taken;
use procession_sys::atomic::{AtomicU32, Ordering::Relaxed};

procession_shm::shared_struct! {
    /// | value | meaning | written by |
    /// |---|---|---|
    /// | 0 | the holder got the lock from one who released it | the holder, when it has just taken the lock |
    /// | 1 | the one before died with it | the same |
    #[derive(Debug)]
    pub(super) struct News: 4 {
        died: AtomicU32,
    }
}

impl News {
    /// Keeps how the lock was taken. Nothing is written where nobody died.
    #[inline]
    pub(super) fn note(&self, taken: Taken) {
        let died = u32::from(taken == Taken::OwnerDied);
        if self.died.load(Relaxed) != died {
            self.died.store(died, Relaxed);
        }
    }

    pub(super) fn owner_died(&self) -> bool {
        self.died.load(Relaxed) != 0
    }
}
