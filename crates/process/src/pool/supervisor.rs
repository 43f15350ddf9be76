//! The thread that keeps a pool at its size: it sees workers end, says what ended with them, and
//! starts new ones. It also calls callbacks, and ends tasks that run too long.
//!
//! The number of workers is reconciled at every event: desired against actual, nothing is counted up
//! or down. What ended with a worker is said *through the queue of results*, behind what the worker
//! had sent itself; so a result that was sent before the death counts.

use super::block::Block;
use super::error::{PoolError, WorkerLost};
use super::ledger::Phase;
use super::shared::{Shared, lock};
use super::wire::{Message, Status};
use super::worker::{Seed, work};
use crate::{Process, ProcessBuilder, StartMethod};
use procession_ipc::byte_queue::ByteQueue;
use procession_ipc::{Waitable, wait};
use procession_sys::Deadline;
use procession_sys::pid::milliseconds;
use procession_sys::ready::{self, Watch};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// So many workers in a row that end in the initializer are too many.
const STILLBORN: u32 = 3;
/// So many in a row that end before they are ready, without one.
const STORM: u32 = 100;

/// How workers are to be.
pub(super) struct Plan {
    pub(super) workers: usize,
    pub(super) method: StartMethod,
    pub(super) initializer: Option<(u8, Vec<u8>)>,
    pub(super) most: Option<u64>,
    pub(super) task_timeout: Option<Duration>,
    pub(super) watched: bool,
}

/// The places of the workers.
pub(super) struct Bench {
    plan: Plan,
    block: Block,
    places: Mutex<Vec<Place>>,
    kicked: AtomicBool,
    bell: PipeWriter,
    ear: PipeReader,
    stillborn: Mutex<u32>,
}

#[derive(Default)]
struct Place {
    worker: Option<Process<()>>,
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
            .filter_map(|place| place.worker.as_ref().map(Process::pid))
            .collect()
    }

    /// Ends all workers now.
    pub(super) fn kill_all(&self) {
        for place in lock(&self.places).iter() {
            if let Some(worker) = &place.worker {
                let _ = worker.kill();
            }
        }
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
                let _ = worker.kill();
            }
        }
    }

    fn start(&self, number: usize, shared: &Shared) -> Result<Process<()>, PoolError> {
        self.block.seat(number).clear();
        let copy = |queue: &ByteQueue| ByteQueue::of(queue.held().clone());
        let seed = Seed {
            tasks: copy(shared.ledger().tasks()),
            results: copy(shared.results()),
            block: self.block.share(),
            number,
            initializer: self.plan.initializer.clone(),
            most: self.plan.most,
            watched: self.plan.watched,
        };
        ProcessBuilder::new()
            .name(format!("PoolWorker-{}", number + 1))
            .daemon(true)
            .start_method(self.plan.method)
            .spawn(work, seed)
            .map_err(|error| PoolError::Start(error.to_string()))
    }

    /// Starts the workers that are missing.
    pub(super) fn fill(&self, shared: &Shared) -> Result<(), PoolError> {
        for number in 0..self.plan.workers {
            if lock(&self.places)[number].worker.is_none() {
                let worker = self.start(number, shared)?;
                lock(&self.places)[number] = Place { worker: Some(worker), doomed: None };
            }
        }
        Ok(())
    }

    /// Sees which workers have ended and says what ended with them.
    fn reap(&self, shared: &Shared) -> Result<bool, PoolError> {
        let mut any = false;
        for number in 0..self.plan.workers {
            let (worker, doomed) = {
                let mut places = lock(&self.places);
                match &places[number].worker {
                    Some(worker) if !worker.is_alive() => {}
                    _ => continue,
                }
                let place = std::mem::take(&mut places[number]);
                (place.worker, place.doomed)
            };
            if let Some(worker) = worker {
                any = true;
                self.account(number, &worker, doomed, shared)?;
            }
        }
        Ok(any)
    }

    /// Says what ended with a worker.
    fn account(
        &self,
        number: usize,
        worker: &Process<()>,
        doomed: Option<(u64, Status)>,
        shared: &Shared,
    ) -> Result<(), PoolError> {
        let exitcode = worker.exitcode().unwrap_or(255);
        // Takes the seat back and buries what it held.
        let _ = worker.join();
        shared.ledger().tasks().settle_getters();
        let seat = self.block.seat(number);
        let is_stillborn = seat.ready.load(SeqCst) == 0;
        let run = {
            let mut stillborn = lock(&self.stillborn);
            *stillborn = if is_stillborn { *stillborn + 1 } else { 0 };
            *stillborn
        };
        // Without an initializer it is nobody's doing here; then only a storm is an end.
        let most = if self.plan.initializer.is_some() { STILLBORN } else { STORM };
        if run >= most {
            let what = format!(
                "{run} workers in a row ended before they were ready, the last with exit code {exitcode}"
            );
            self.say(shared, 0, Status::NoWorker, &what)?;
        }
        let Some(task) = seat.claimed() else { return Ok(()) };
        if !shared.ledger().is_pending(task) {
            return Ok(());
        }
        match doomed {
            Some((meant, status)) if meant == task => self.say(shared, task, status, &()),
            _ => {
                // Killed for another task that it had just finished: this one is not to blame.
                let innocent = doomed.is_some();
                let lost = WorkerLost { pid: worker.pid(), exitcode, task };
                self.say(shared, task, Status::Lost, &(lost, innocent))
            }
        }
    }

    fn say<T: Serialize + DeserializeOwned>(
        &self,
        shared: &Shared,
        task: u64,
        status: Status,
        what: &T,
    ) -> Result<(), PoolError> {
        Message::report(task, status, what)
            .and_then(|message| message.put(shared.results()))
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

    fn is_empty(&self) -> bool {
        lock(&self.places).iter().all(|place| place.worker.is_none())
    }
}

/// The supervisor's thread, until the pool is over and its workers have ended.
pub(super) fn supervise(shared: &Arc<Shared>) {
    loop {
        if let Err(error) = round(shared) {
            let due = shared.ledger().end_all(error);
            shared.call_soon(due);
            shared.bench.kill_all();
        }
        for callback in shared.due() {
            // A callback that panics has said so on stderr; the others are called all the same.
            let _ = catch_unwind(AssertUnwindSafe(callback));
        }
        shared.tell();
        let is_over = {
            let ledger = shared.ledger();
            ledger.outstanding == 0 && !matches!(ledger.phase, Phase::Open)
        };
        if is_over && shared.bench.is_empty() && shared.callbacks.load(SeqCst) == 0 {
            return;
        }
        sleep(shared);
    }
}

fn round(shared: &Shared) -> Result<(), PoolError> {
    let bench = &shared.bench;
    bench.kicked.store(false, SeqCst);
    let anybody_ended = bench.reap(shared)?;
    if anybody_ended || shared.callbacks.load(SeqCst) > 0 {
        shared.take_in_now()?;
    }
    let phase = {
        let ledger = shared.ledger();
        shared.end_if_done(&ledger);
        (ledger.phase.clone(), ledger.outstanding)
    };
    match phase {
        (Phase::Over(_), _) => bench.kill_all(),
        (Phase::Closed, 0) => {}
        _ => bench.fill(shared)?,
    }
    Ok(())
}

fn sleep(shared: &Shared) {
    let bench = &shared.bench;
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
    if shared.callbacks.load(SeqCst) > 0 {
        objects.push(shared.results());
    }
    let _ = wait(&objects, bench.watch_clock());
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
