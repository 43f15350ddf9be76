//! What a pool and its workers share, beside the two queues.

use procession_ipc::{Error, Shareable, message};
use procession_shm::{Family, Handle, Held, Kind, ObjectHead, Region, family, shared_struct};
use procession_sys::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use procession_sys::atomic::{AtomicU64, fence};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const TAG: u32 = 0x706f_6f6c;
/// How many cancelled tasks are remembered; a forgotten one runs for nothing.
const CANCELLED: usize = 256;

shared_struct! {
    /// The words of all.
    struct Common: 2112 {
        head: ObjectHead,
        rest: [AtomicU64; 4],
        /// Numbers of tasks that are to be skipped, each at its own place.
        cancelled: [AtomicU64; CANCELLED],
    }
}

shared_struct! {
    /// The words of one worker.
    ///
    /// | word | meaning | written by |
    /// |---|---|---|
    /// | `claim` | number of the task that it took last, see `GateGuard::commit_handover` | the worker, with the commit of the get; who settles after its death |
    /// | `since` | when it took it, in milliseconds, plus one; 0 between tasks | the worker |
    /// | `ready` | 1 once its initializer has returned | the worker |
    /// | `member` | which member it is, if it says so; else 0 | the worker |
    pub(super) struct Seat: 64 {
        pub(super) claim: AtomicU64,
        pub(super) since: AtomicU64,
        pub(super) ready: AtomicU64,
        pub(super) member: AtomicU64,
        rest: [AtomicU64; 4],
    }
}

/// The block, held.
#[derive(Debug)]
pub(super) struct Block {
    held: Held,
    common: &'static Common,
    region: Region,
}

impl std::fmt::Debug for Common {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Common")
    }
}

impl Block {
    pub(super) fn new(workers: usize) -> Result<Self, procession_shm::Error> {
        let len = size_of::<Common>() + workers * size_of::<Seat>();
        Ok(Self::of(family()?.make(Kind::Pool, len as u64, TAG, |_| Ok(()))?))
    }

    fn of(held: Held) -> Self {
        Self { common: held.words(0), region: held.region(), held }
    }

    fn family(&self) -> &'static Family {
        self.held.family()
    }

    fn at(number: usize) -> usize {
        size_of::<Common>() + number * size_of::<Seat>()
    }

    /// The words of a worker.
    pub(super) fn seat(&self, number: usize) -> &'static Seat {
        self.region.object(Self::at(number))
    }

    /// Where the claim cell of a worker lies in the arena.
    pub(super) fn claim_at(&self, number: usize) -> u64 {
        let part = self.region.part(Self::at(number), size_of::<Seat>());
        self.family().arena().offset_of(part)
    }

    pub(super) fn cancel(&self, task: u64) {
        self.common.cancelled[task as usize % CANCELLED].store(task, Release);
    }

    /// Takes a task back unless a worker has it: whether it will not be begun.
    pub(super) fn withdraw(&self, task: u64, workers: usize) -> bool {
        self.cancel(task);
        // (W) pairs with the fence in `is_cancelled`: the worker sees the mark, or we see its claim.
        fence(SeqCst);
        (0..workers).all(|number| self.seat(number).claim.load(Acquire) >> 1 != task)
    }

    /// For the worker that has claimed it.
    pub(super) fn is_cancelled(&self, task: u64) -> bool {
        // (W) after the claim.
        fence(SeqCst);
        self.common.cancelled[task as usize % CANCELLED].load(Acquire) == task
    }
}

impl Seat {
    /// Makes the seat that of a new worker.
    pub(super) fn clear(&self) {
        self.claim.store(0, Relaxed);
        self.since.store(0, Relaxed);
        self.member.store(0, Relaxed);
        self.ready.store(0, Release);
    }

    /// The number of the task that the worker took for sure, if it did.
    pub(super) fn claimed(&self) -> Option<u64> {
        let claim = self.claim.load(Acquire);
        (claim & procession_shm::CLAIM_SURE != 0).then_some(claim >> 1)
    }
}

impl Serialize for Block {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        message::serialize_handle(&self.held, serializer)
    }
}

impl<'de> Deserialize<'de> for Block {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        message::deserialize_handle(deserializer, Kind::Pool, TAG).map(Self::of)
    }
}

impl Shareable for Block {
    fn held(&self) -> &Held {
        &self.held
    }

    fn attach(family: &'static Family, handle: Handle) -> Result<Self, Error> {
        Ok(Self::of(family.attach(handle, Kind::Pool, TAG)?))
    }
}

impl Block {
    /// Another handle to the same block.
    pub(super) fn share(&self) -> Self {
        Self::of(self.held.clone())
    }
}
