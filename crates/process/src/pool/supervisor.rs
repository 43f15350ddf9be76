//! The thread that keeps a pool at its size: it sees workers end, says what ended with them, and
//! starts new ones. It also calls callbacks, and ends tasks that run too long.
//!
//! The number of workers is reconciled at every event: desired against actual, nothing is counted up
//! or down. What ended with a worker is said *through the queue of results*, behind what the worker
//! had sent itself; so a result that was sent before the death counts.

use super::block::Block;
use super::byte_pool::{BytePool, Plan, lock};
use super::crew::Hand;
use super::error::{PoolError, WorkerLost};
use super::ledger::Phase;
use super::post::Post;
use super::wire::{Message, Status};
use procession_ipc::{Waitable, wait};
use procession_shm::MemberId;
use procession_sys::Deadline;
use procession_sys::pid::milliseconds;
use procession_sys::ready::{self, Watch};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// So many workers in a row that end in the initializer are too many.
const STILLBORN: u32 = 3;
/// So many in a row that end before they are ready, without one.
const STORM: u32 = 100;

/// How long a worker that was asked to end has for it.
const GRACE: Duration = Duration::from_secs(5);

/// The places of the workers.
pub(super) struct Bench {
    plan: Plan,
    block: Block,
    places: Mutex<Vec<Place>>,
    /// Held while workers are started, so that no place is filled twice.
    hiring: Mutex<()>,
    /// Since when the workers are asked to end.
    ending: Mutex<Option<Instant>>,
    kicked: AtomicBool,
    bell: PipeWriter,
    ear: PipeReader,
    stillborn: Mutex<u32>,
}

#[derive(Default)]
struct Place {
    worker: Option<Box<dyn Hand>>,
    /// It was asked to end.
    told: bool,
    /// The task for which it is being killed, and what is said of that task.
    doomed: Option<(u64, Status)>,
}

impl Bench {
    pub(super) fn new(plan: Plan, block: Block) -> std::io::Result<Self> {
        let (ear, bell) = std::io::pipe()?;
        let places = (0..plan.workers).map(|_| Place::default()).collect();
        Ok(Self {
            plan,
            block,
            places: Mutex::new(places),
            hiring: Mutex::default(),
            ending: Mutex::default(),
            kicked: AtomicBool::new(false),
            bell,
            ear,
            stillborn: Mutex::new(0),
        })
    }

    /// Has the supervisor look at once.
    pub(super) fn kick(&self) {
        if !self.kicked.swap(true, SeqCst) {
            let _ = (&self.bell).write(b"!");
        }
    }

    /// The pids of the workers that run.
    pub(super) fn pids(&self) -> Vec<i32> {
        lock(&self.places)
            .iter()
            .filter_map(|place| place.worker.as_ref().map(|worker| worker.pid()))
            .collect()
    }

    /// Ends all workers now.
    pub(super) fn kill_all(&self) {
        for place in lock(&self.places).iter() {
            if let Some(worker) = &place.worker {
                worker.kill();
            }
        }
    }

    /// Asks all workers to end, and ends those that take longer than [`GRACE`].
    pub(super) fn end_all(&self) {
        let since = *lock(&self.ending).get_or_insert_with(Instant::now);
        let is_late = since.elapsed() >= GRACE;
        for place in lock(&self.places).iter_mut() {
            let Some(worker) = &place.worker else { continue };
            if is_late {
                worker.kill();
            } else if !std::mem::replace(&mut place.told, true) {
                worker.terminate();
            }
        }
    }

    /// Takes the exit codes of workers that were killed before there was a supervisor.
    pub(super) fn reap_all(&self) {
        for place in std::mem::take(&mut *lock(&self.places)) {
            if let Some(worker) = place.worker {
                let mut watch = [Watch::readable(worker.sentinel())];
                let _ = ready::wait(&mut watch, Deadline::never());
                worker.reap();
            }
        }
    }

    /// Takes a task back that no worker has begun; whether none has.
    pub(super) fn withdraw(&self, task: u64) -> bool {
        self.block.withdraw(task, self.plan.workers)
    }

    /// Whether a worker has taken this task last.
    pub(super) fn is_claimed(&self, task: u64) -> bool {
        (0..self.plan.workers).any(|number| self.block.seat(number).claimed() == Some(task))
    }

    /// Kills whoever runs `task` now, so that only that ends.
    pub(super) fn kill_task(&self, task: u64, status: Status) {
        self.block.cancel(task);
        let mut places = lock(&self.places);
        for (number, place) in places.iter_mut().enumerate() {
            if self.block.seat(number).claimed() == Some(task)
                && let Some(worker) = &place.worker
            {
                place.doomed = Some((task, status));
                worker.kill();
            }
        }
    }

    fn start(&self, number: usize, pool: &BytePool) -> Result<Box<dyn Hand>, PoolError> {
        self.block.seat(number).clear();
        let watched = self.plan.task_timeout.is_some();
        let post = Post::new(pool.ledger().tasks(), pool.results(), &self.block, number, watched);
        self.plan.crew.start(post).map_err(PoolError::Start)
    }

    /// Starts the workers that are missing.
    pub(super) fn fill(&self, pool: &BytePool) -> Result<(), PoolError> {
        let _hiring = lock(&self.hiring);
        for number in 0..self.plan.workers {
            if lock(&self.places)[number].worker.is_none() {
                let worker = self.start(number, pool)?;
                let place = Place { worker: Some(worker), ..Place::default() };
                lock(&self.places)[number] = place;
            }
        }
        Ok(())
    }

    /// Sees which workers have ended and says what ended with them.
    fn reap(&self, pool: &BytePool) -> Result<bool, PoolError> {
        let mut any = false;
        for number in 0..self.plan.workers {
            let (worker, doomed) = {
                let mut places = lock(&self.places);
                match &places[number].worker {
                    Some(worker) if worker.has_ended() => {}
                    _ => continue,
                }
                let place = std::mem::take(&mut places[number]);
                (place.worker, place.doomed)
            };
            if let Some(worker) = worker {
                any = true;
                self.account(number, worker, doomed, pool)?;
            }
        }
        Ok(any)
    }

    /// Says what ended with a worker.
    fn account(
        &self,
        number: usize,
        worker: Box<dyn Hand>,
        doomed: Option<(u64, Status)>,
        pool: &BytePool,
    ) -> Result<(), PoolError> {
        let pid = worker.pid();
        let exitcode = worker.reap();
        let seat = self.block.seat(number);
        let member = seat.member.load(SeqCst);
        if member != 0 {
            pool.results().held().family().bury(MemberId::from_word(member));
        }
        pool.ledger().tasks().settle_getters();
        let is_stillborn = seat.ready.load(SeqCst) == 0;
        let run = {
            let mut stillborn = lock(&self.stillborn);
            *stillborn = if is_stillborn { *stillborn + 1 } else { 0 };
            *stillborn
        };
        // Without an initializer it is nobody's doing here; then only a storm is an end.
        let most = if self.plan.has_initializer { STILLBORN } else { STORM };
        if run >= most {
            let what = format!(
                "{run} workers in a row ended before they were ready, the last with exit code {exitcode}"
            );
            self.say(pool, 0, Status::NoWorker, &what)?;
        }
        let Some(task) = seat.claimed() else { return Ok(()) };
        if !pool.ledger().is_pending(task) {
            return Ok(());
        }
        match doomed {
            Some((meant, status)) if meant == task => self.say(pool, task, status, &()),
            _ => {
                // Killed for another task that it had just finished: this one is not to blame.
                let innocent = doomed.is_some();
                let lost = WorkerLost { pid, exitcode, task };
                self.say(pool, task, Status::Lost, &(lost, innocent))
            }
        }
    }

    fn say<T: Serialize + DeserializeOwned>(
        &self,
        pool: &BytePool,
        task: u64,
        status: Status,
        what: &T,
    ) -> Result<(), PoolError> {
        Message::report(task, status, what)
            .and_then(|message| message.put(pool.results()))
            .map(|_| ())
            .map_err(|error| PoolError::Transfer(error.to_string()))
    }

    /// Ends the tasks that have run too long; when to look again.
    fn watch_clock(&self) -> Option<Duration> {
        let limit = self.plan.task_timeout?.as_millis() as u64;
        let now = milliseconds();
        let mut next = limit;
        for number in 0..self.plan.workers {
            let seat = self.block.seat(number);
            let claimed = seat.claimed();
            let since = seat.since.load(SeqCst);
            // Both are of one task only if the claim is still the same.
            let (Some(task), true) = (claimed, since != 0 && seat.claimed() == claimed) else {
                continue;
            };
            let ran = (now + 1).saturating_sub(since);
            if ran >= limit {
                self.kill_task(task, Status::TimedOut);
            } else {
                next = next.min(limit - ran);
            }
        }
        Some(Duration::from_millis(next.max(1)))
    }

    /// When to look again although nothing has happened.
    fn next_look(&self) -> Option<Duration> {
        let grace = lock(&self.ending).map(|since| GRACE.saturating_sub(since.elapsed()));
        let grace = grace.map(|left| left.max(Duration::from_millis(1)));
        [self.watch_clock(), grace].into_iter().flatten().min()
    }

    fn is_empty(&self) -> bool {
        lock(&self.places).iter().all(|place| place.worker.is_none())
    }
}

/// The supervisor's thread, until the pool is over and its workers have ended.
pub(super) fn supervise(pool: &BytePool) {
    loop {
        if let Err(error) = round(pool) {
            let due = pool.ledger().end_all(error);
            pool.call_soon(due);
            pool.bench.end_all();
        }
        for callback in pool.due() {
            // A callback that panics has said so on stderr; the others are called all the same.
            let _ = catch_unwind(AssertUnwindSafe(callback));
        }
        pool.tell();
        let is_over = {
            let ledger = pool.ledger();
            ledger.outstanding == 0 && !matches!(ledger.phase, Phase::Open)
        };
        if is_over && pool.bench.is_empty() && !pool.has_callbacks() {
            return;
        }
        sleep(pool);
    }
}

fn round(pool: &BytePool) -> Result<(), PoolError> {
    let bench = &pool.bench;
    bench.kicked.store(false, SeqCst);
    let anybody_ended = bench.reap(pool)?;
    if anybody_ended || pool.needs_taking_in() {
        pool.take_in_now()?;
    }
    let phase = {
        let ledger = pool.ledger();
        pool.end_if_done(&ledger);
        (ledger.phase.clone(), ledger.outstanding)
    };
    match phase {
        (Phase::Over(_), _) => bench.end_all(),
        (Phase::Closed, 0) => {}
        _ => bench.fill(pool)?,
    }
    Ok(())
}

fn sleep(pool: &BytePool) {
    let bench = &pool.bench;
    let places = lock(&bench.places);
    let sentinels: Vec<_> = places
        .iter()
        .filter_map(|place| place.worker.as_ref()?.sentinel().try_clone_to_owned().ok())
        .collect();
    drop(places);
    let ear = Readable(bench.ear.as_fd());
    let ends: Vec<_> = sentinels.iter().map(|sentinel| Readable(sentinel.as_fd())).collect();
    let mut objects: Vec<&dyn Waitable> = vec![&ear];
    objects.extend(ends.iter().map(|end| end as &dyn Waitable));
    if pool.needs_taking_in() {
        objects.push(pool.results());
    }
    let _ = wait(&objects, bench.next_look());
    if ear.is_ready() {
        let _ = (&bench.ear).read(&mut [0; 64]);
    }
}

/// A descriptor to wait for.
struct Readable<'a>(BorrowedFd<'a>);

impl Waitable for Readable<'_> {
    fn is_ready(&self) -> bool {
        let mut watch = [Watch::readable(self.0)];
        ready::wait(&mut watch, Deadline::now()).is_ok_and(|ready| ready > 0)
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0)
    }
}
