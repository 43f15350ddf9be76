//! The pool below its types: tasks and results are bytes, workers are whoever its crew starts.
//!
//! What all handles of a pool have in common, and how results come in. There is no thread that
//! everybody needs: whoever waits for a result takes the results from the queue, for all, while it
//! waits (the *pump*); others who wait meanwhile sleep until it has booked something, and one of them
//! goes on when it leaves. Only callbacks need the supervisor's thread.

pub use super::crew::{Crew, Hand};
pub use super::job::{Callback, Job, Progress, State};
pub use super::post::{Post, PostAddress, Work};
pub use super::reply::{Outcome, Reply};
pub use super::wire::{Mail, Message, RESULT_HEAD, Status};

use super::block::Block;
use super::error::PoolError;
use super::job::Part;
use super::ledger::{Due, Ended, Ledger, Phase, cannot_send};
use super::supervisor::{Bench, supervise};
use procession_ipc::byte_queue::{Bounds, ByteQueue, Got};
use procession_ipc::message::Parcel;
use procession_shm::{EventCount, Family, RECHECK};
use procession_sys::Deadline;
use procession_sys::atomic::{Ordering::SeqCst, fence};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

/// How many results are taken from the queue at once.
const BATCH: usize = 256;
/// More memory than this is not kept for the next results.
const KEPT: usize = 1 << 20;

/// How a pool is to be.
pub struct Plan {
    /// How many workers.
    pub workers: usize,
    /// Who starts them.
    pub crew: Box<dyn Crew>,
    /// Whether they have an initializer, which is to blame if they end before they are ready.
    pub has_initializer: bool,
    /// How often a task is tried again whose worker died.
    pub retries: u32,
    /// A task that runs longer is ended, with its worker.
    pub task_timeout: Option<Duration>,
}

/// A pool whose tasks and results are bytes.
///
/// It needs a thread that calls [`supervise`](Self::supervise).
pub struct BytePool {
    ledger: Mutex<Ledger>,
    results: ByteQueue,
    pump: Mutex<Pump>,
    /// Told of bookings that somebody else might wait for.
    booked: EventCount,
    /// Callbacks that were not called yet.
    callbacks: AtomicUsize,
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

impl BytePool {
    /// Makes a pool and starts its workers.
    ///
    /// # Errors
    /// [`PoolError::Start`]; no worker is left then.
    pub fn new(plan: Plan) -> Result<Arc<Self>, PoolError> {
        let text = |error: &dyn std::fmt::Display| {
            PoolError::Start(format!("cannot make a pool: {error}"))
        };
        let queue = || ByteQueue::new(Bounds::default()).map_err(|error| text(&error));
        let block = Block::new(plan.workers).map_err(|error| text(&error))?;
        let ledger = Ledger::new(queue()?, plan.retries, plan.task_timeout);
        let bench = Bench::new(plan, block).map_err(|error| text(&error))?;
        let pool = Arc::new(Self {
            ledger: Mutex::new(ledger),
            results: queue()?,
            pump: Mutex::default(),
            booked: EventCount::new(),
            callbacks: AtomicUsize::new(0),
            due: Mutex::default(),
            bench,
        });
        if let Err(error) = pool.bench.fill(&pool) {
            pool.bench.kill_all();
            pool.bench.reap_all();
            return Err(error);
        }
        Ok(pool)
    }

    /// Keeps the pool at its size, until it is over and its workers have ended.
    pub fn supervise(&self) {
        supervise(self);
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        lock(&self.ledger)
    }

    pub(super) fn results(&self) -> &ByteQueue {
        &self.results
    }

    /// Starts the workers that are missing now, without waiting for the supervisor to do it.
    ///
    /// # Errors
    /// [`PoolError::Start`].
    pub fn fill(&self) -> Result<(), PoolError> {
        self.bench.fill(self)
    }

    /// The pids of the workers that run now.
    pub fn pids(&self) -> Vec<i32> {
        self.bench.pids()
    }

    /// How many tasks have not ended, as far as results were taken in.
    pub fn outstanding(&self) -> usize {
        self.ledger().outstanding
    }

    /// Puts a task of `calls` calls, as the next part of `job`; gives the message's memory back if it need
    /// not be kept.
    ///
    /// # Errors
    /// [`PoolError::Closed`], or what ended the pool; [`PoolError::Transfer`].
    pub fn submit(
        &self,
        job: &Arc<Job>,
        calls: usize,
        message: Message,
    ) -> Result<Vec<u8>, PoolError> {
        self.ledger().submit(job, calls, message)
    }

    /// As [`submit`](Self::submit), of a task that was written into a parcel of the pool's family. It is the
    /// pool's then; a task that may be put again is copied first, since its worker may write to what it gets.
    ///
    /// # Errors
    /// As [`submit`](Self::submit).
    pub fn submit_parcel(
        &self,
        job: &Arc<Job>,
        calls: usize,
        task: Parcel,
    ) -> Result<(), PoolError> {
        let keeps = self.ledger().keeps();
        let kept = keeps.then(|| task.copy()).transpose().map_err(cannot_send)?;
        self.ledger().submit_parcel(job, calls, task, kept)
    }

    /// The family in whose arena it lives.
    pub fn family(&self) -> &'static Family {
        self.results.held().family()
    }

    /// Adds a part to `job` that has ended without ever being a task.
    pub fn end_part(&self, job: &Arc<Job>, calls: usize, outcome: Outcome) {
        let number = job.add_part(0);
        let due = job.end_parts([Part { number, calls, nanoseconds: 0, outcome }]);
        self.call_of(job, due);
        self.tell();
    }

    /// Says that `job` will have no more parts.
    pub fn seal(&self, job: &Arc<Job>) {
        let due = job.state().seal();
        self.call_of(job, due);
        self.tell();
    }

    /// Has `callback` called by the supervisor once `job` is over.
    pub fn when_over(&self, job: &Arc<Job>, callback: Callback) {
        self.callbacks.fetch_add(1, SeqCst);
        let late = job.state().call_when_over(callback);
        self.call_of(job, late);
        self.bench.kick();
    }

    fn call_of(&self, job: &Arc<Job>, callbacks: impl IntoIterator<Item = Callback>) {
        self.call_soon(callbacks.into_iter().map(|callback| {
            let job = Arc::clone(job);
            Box::new(move || callback(&job)) as Due
        }));
    }

    /// Waits until `done`, the deadline, or until `interrupt`, which is asked at least twice a second, says
    /// that it is enough; takes results in meanwhile.
    ///
    /// # Errors
    /// [`PoolError::TimedOut`], [`PoolError::Interrupted`].
    pub fn wait_until(
        &self,
        deadline: Deadline,
        interrupt: &mut dyn FnMut() -> bool,
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
                let taken = self.take_in(&mut pump, until, interrupt);
                drop(pump);
                self.tell();
                taken?;
            } else {
                self.follow(deadline, &done);
                if !done() && interrupt() {
                    return Err(PoolError::Interrupted);
                }
            }
            if deadline.expired() && !done() {
                return Err(PoolError::TimedOut);
            }
        }
    }

    /// As [`wait_until`](Self::wait_until), whatever signals come.
    ///
    /// # Errors
    /// [`PoolError::TimedOut`].
    pub fn wait(&self, deadline: Deadline, done: impl Fn() -> bool) -> Result<(), PoolError> {
        self.wait_until(deadline, &mut || false, done)
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
    ///
    /// # Errors
    /// [`PoolError::Transfer`] if the queue of results is broken.
    pub fn take_in_now(&self) -> Result<(), PoolError> {
        if let Some(mut pump) = self.try_pump() {
            while self.take_in(&mut pump, Deadline::now(), &mut || false)? > 0 {}
            drop(pump);
            self.tell();
        }
        Ok(())
    }

    fn take_in(
        &self,
        pump: &mut Pump,
        until: Deadline,
        interrupt: &mut dyn FnMut() -> bool,
    ) -> Result<usize, PoolError> {
        let Pump { bytes, got, ended } = pump;
        bytes.clear();
        got.clear();
        let taken = self.results.get_many_until(BATCH, None, until, interrupt, |item, append| {
            got.push((item, bytes.len()));
            append(bytes);
        });
        match taken {
            Ok(_) => {}
            Err(error) if error.is_timeout() => return Ok(0),
            Err(procession_ipc::Error::Interrupted { .. }) => return Err(PoolError::Interrupted),
            Err(error) => return Err(PoolError::Transfer(error.to_string())),
        }
        let count = got.len();
        let mut due = Vec::new();
        let mut ledger = self.ledger();
        for (item, start) in got.drain(..) {
            let len = if let Got::Message { len, .. } = &item { *len } else { 0 };
            due.extend(ledger.book(item, &bytes[start..start + len], ended).into_iter().flatten());
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

    /// The callbacks that are due, to be called by the supervisor.
    pub(super) fn due(&self) -> Vec<Due> {
        let due = std::mem::take(&mut *lock(&self.due));
        self.callbacks.fetch_sub(due.len(), SeqCst);
        due
    }

    /// Whether callbacks were not called yet.
    pub(super) fn has_callbacks(&self) -> bool {
        self.callbacks.load(SeqCst) > 0
    }

    /// Whether the supervisor has to take results in, because nobody else may: for callbacks, and so that a
    /// closed pool comes to its end.
    pub(super) fn needs_taking_in(&self) -> bool {
        let is_closing = || {
            let ledger = self.ledger();
            matches!(ledger.phase, Phase::Closed) && ledger.outstanding > 0
        };
        self.has_callbacks() || is_closing()
    }

    /// Tells those who wait while somebody else takes results in.
    pub(super) fn tell(&self) {
        fence(SeqCst);
        self.booked.notify_all();
    }

    fn follow(&self, deadline: Deadline, done: &impl Fn() -> bool) {
        let ticket = self.booked.announce();
        let is_free = || self.try_pump().is_some();
        if !done() && !is_free() {
            self.booked.sleep(ticket, deadline);
        }
    }

    /// Takes what has not ended of a job back: it is not begun, or its worker is killed and replaced.
    /// `false` if nothing of it was left.
    pub fn cancel(&self, job: &Arc<Job>) -> bool {
        let mut ledger = self.ledger();
        let numbers = ledger.numbers_of(job);
        let mut due = Vec::new();
        for number in &numbers {
            due.extend(ledger.end_one(*number, PoolError::Cancelled).into_iter().flatten());
        }
        self.end_if_done(&ledger);
        drop(ledger);
        self.call_soon(due);
        for number in &numbers {
            self.bench.kill_task(*number, Status::Skipped);
        }
        self.tell();
        !numbers.is_empty()
    }

    /// Takes back what no worker has begun of a job; whether there was any.
    pub fn withdraw(&self, job: &Arc<Job>) -> bool {
        let mut ledger = self.ledger();
        let mut due = Vec::new();
        let mut any = false;
        for number in ledger.numbers_of(job) {
            if self.bench.withdraw(number) {
                due.extend(ledger.end_one(number, PoolError::Cancelled).into_iter().flatten());
                any = true;
            }
        }
        self.end_if_done(&ledger);
        drop(ledger);
        self.call_soon(due);
        self.tell();
        any
    }

    /// Whether a worker has begun with a job of one part, and has not ended it.
    pub fn is_running(&self, job: &Job) -> bool {
        let number = job.state().number;
        self.ledger().is_pending(number) && self.bench.is_claimed(number)
    }

    /// Takes no more tasks; those that it has are run.
    pub fn close(&self) {
        let mut ledger = self.ledger();
        if matches!(ledger.phase, Phase::Open) {
            ledger.phase = Phase::Closed;
        }
        self.end_if_done(&ledger);
        drop(ledger);
        self.bench.kick();
    }

    /// Whether it takes tasks.
    pub fn is_open(&self) -> bool {
        matches!(self.ledger().phase, Phase::Open)
    }

    /// What ended the pool before its time, if something did.
    pub fn failure(&self) -> Option<PoolError> {
        match &self.ledger().phase {
            Phase::Over(error) => Some(error.clone()),
            _ => None,
        }
    }

    /// Waits until all tasks have ended. A closed pool's workers are told then.
    ///
    /// # Errors
    /// [`PoolError::TimedOut`], [`PoolError::Interrupted`].
    pub fn drain(
        &self,
        deadline: Deadline,
        interrupt: &mut dyn FnMut() -> bool,
    ) -> Result<(), PoolError> {
        self.wait_until(deadline, interrupt, || self.outstanding() == 0)?;
        self.end_if_done(&self.ledger());
        Ok(())
    }

    /// Ends the pool now, and what has not ended with `error`.
    pub fn end(&self, error: PoolError) {
        let due = self.ledger().end_all(error);
        self.ledger().tasks().shut();
        self.call_soon(due);
        self.bench.end_all();
        self.bench.kick();
        self.tell();
    }
}

impl std::fmt::Debug for BytePool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("outstanding", &self.outstanding()).finish()
    }
}
