//! What all handles of a pool have in common, and how results come in.
//!
//! There is no thread that everybody needs: whoever waits for a result takes the results from the
//! queue, for all, while it waits (the *pump*); others who wait meanwhile sleep until it has booked
//! something, and one of them goes on when it leaves. Only callbacks need the supervisor's thread.

use super::error::PoolError;
use super::ledger::{Due, Ended, Ledger, Phase};
use super::supervisor::Bench;
use procession_ipc::byte_queue::{ByteQueue, Got};
use procession_shm::RECHECK;
use procession_sys::Deadline;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, TryLockError};

/// How many results are taken from the queue at once.
const BATCH: usize = 256;
/// More memory than this is not kept for the next results.
const KEPT: usize = 1 << 20;

pub(super) struct Shared {
    ledger: Mutex<Ledger>,
    results: ByteQueue,
    pump: Mutex<Pump>,
    /// Counts bookings that somebody else might wait for.
    booked: Mutex<u64>,
    changed: Condvar,
    followers: AtomicUsize,
    /// Jobs whose end has to be told to a callback.
    pub(super) callbacks: AtomicUsize,
    due: Mutex<Vec<Due>>,
    pub(super) bench: Bench,
}

/// What whoever takes results in works with; kept for the next one.
#[derive(Default)]
struct Pump {
    bytes: Vec<u8>,
    /// Items, and where the bytes of each begin.
    got: Vec<(Got, usize)>,
    ended: Vec<Ended>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    pub(super) fn new(ledger: Ledger, results: ByteQueue, bench: Bench) -> Self {
        Self {
            ledger: Mutex::new(ledger),
            results,
            pump: Mutex::default(),
            booked: Mutex::default(),
            changed: Condvar::new(),
            followers: AtomicUsize::new(0),
            callbacks: AtomicUsize::new(0),
            due: Mutex::default(),
            bench,
        }
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub(super) fn results(&self) -> &ByteQueue {
        &self.results
    }

    /// Waits until `done`, taking results in meanwhile.
    pub(super) fn wait(
        &self,
        deadline: Deadline,
        done: impl Fn() -> bool,
    ) -> Result<(), PoolError> {
        loop {
            if done() {
                return Ok(());
            }
            if let Some(mut pump) = self.try_pump() {
                if done() {
                    return Ok(());
                }
                let until = deadline.within(RECHECK);
                self.take_in(&mut pump, until)?;
                drop(pump);
                self.tell();
            } else {
                self.follow(deadline, &done);
            }
            if deadline.expired() && !done() {
                return Err(PoolError::TimedOut);
            }
        }
    }

    /// The pump, if nobody is at it. A panic at the pump, in a user's function, leaves it as it is.
    fn try_pump(&self) -> Option<MutexGuard<'_, Pump>> {
        match self.pump.try_lock() {
            Ok(pump) => Some(pump),
            Err(TryLockError::Poisoned(broken)) => Some(broken.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Takes in what is there, unless somebody is at it.
    pub(super) fn take_in_now(&self) -> Result<(), PoolError> {
        if let Some(mut pump) = self.try_pump() {
            while self.take_in(&mut pump, Deadline::now())? > 0 {}
            drop(pump);
            self.tell();
        }
        Ok(())
    }

    fn take_in(&self, pump: &mut Pump, until: Deadline) -> Result<usize, PoolError> {
        let Pump { bytes, got, ended } = pump;
        bytes.clear();
        got.clear();
        let taken = self.results.get_many(BATCH, None, until, |item, append| {
            got.push((item, bytes.len()));
            append(bytes);
        });
        match taken {
            Ok(_) => {}
            Err(error) if error.is_timeout() => return Ok(0),
            Err(error) => return Err(PoolError::Transfer(error.to_string())),
        }
        let count = got.len();
        let mut due = Vec::new();
        let mut ledger = self.ledger();
        for (item, start) in got.drain(..) {
            let len = if let Got::Message { len, .. } = &item { *len } else { 0 };
            due.extend(ledger.book(item, &bytes[start..start + len], ended));
        }
        let (callbacks, watched) = Ledger::tell(ended);
        due.extend(callbacks);
        self.end_if_done(&ledger);
        drop(ledger);
        if bytes.capacity() > KEPT {
            *bytes = Vec::new();
        }
        self.call_soon(due);
        watched.iter().for_each(|job| job.tell_progress());
        Ok(count)
    }

    /// A closed pool whose tasks have all ended needs no workers.
    pub(super) fn end_if_done(&self, ledger: &Ledger) {
        if ledger.outstanding == 0 && !matches!(ledger.phase, Phase::Open) {
            ledger.tasks().shut();
            self.bench.kick();
        }
    }

    /// Has callbacks called by the supervisor's thread.
    pub(super) fn call_soon(&self, due: impl IntoIterator<Item = Due>) {
        let mut due = due.into_iter().peekable();
        if due.peek().is_some() {
            lock(&self.due).extend(due);
            self.bench.kick();
        }
    }

    pub(super) fn due(&self) -> Vec<Due> {
        std::mem::take(&mut *lock(&self.due))
    }

    /// Tells those who wait while somebody else takes results in.
    pub(super) fn tell(&self) {
        if self.followers.load(SeqCst) > 0 {
            *lock(&self.booked) += 1;
            self.changed.notify_all();
        }
    }

    fn follow(&self, deadline: Deadline, done: &impl Fn() -> bool) {
        self.followers.fetch_add(1, SeqCst);
        let seen = *lock(&self.booked);
        let is_free = || self.try_pump().is_some();
        if !done() && !is_free() {
            let longest = deadline.within(RECHECK).remaining().unwrap_or(RECHECK);
            let guard = lock(&self.booked);
            drop(
                self.changed
                    .wait_timeout_while(guard, longest, |booked| *booked == seen)
                    .unwrap_or_else(PoisonError::into_inner),
            );
        }
        self.followers.fetch_sub(1, SeqCst);
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("outstanding", &self.ledger().outstanding).finish()
    }
}
