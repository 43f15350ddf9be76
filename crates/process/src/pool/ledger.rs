//! The parent's ledger: which task stands at which number of the queue, and who waits for it.
//!
//! The parent is the only one who puts tasks, under the ledger's lock; so a task's number is its place
//! in the queue, and the claim that a worker leaves names it. A task ends once: whichever of its
//! result, the news of its worker's death, or its cancellation comes first.

use super::error::{PoolError, WorkerLost};
use super::job::{Job, Outcome, Reply};
use super::wire::{Head, Mail, Message, RESULT_HEAD, Status};
use procession_ipc::byte_queue::ByteQueue;
use procession_ipc::message::{self, Parcel};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// What a callback is called with, when the locks are free again.
pub(super) type Due = Box<dyn FnOnce() + Send>;

/// One task that has not ended.
#[derive(Debug)]
struct Task {
    job: Arc<Job>,
    part: usize,
    /// How many calls of the function it is.
    calls: usize,
    /// How often it may still be tried again.
    retries: u32,
    /// Kept if it may be put again.
    message: Option<Message>,
    /// Holds the shared objects that travel in the kept message.
    _objects: Option<Parcel>,
}

/// Whether the pool takes and runs tasks.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Open,
    Closed,
    /// Over: what every task that has not ended gets.
    Over(PoolError),
}

pub(super) struct Ledger {
    tasks: ByteQueue,
    /// The number of the first entry.
    first: u64,
    entries: VecDeque<Option<Task>>,
    pub(super) outstanding: usize,
    pub(super) phase: Phase,
    /// How long a task may run, for the error.
    pub(super) task_timeout: Duration,
}

/// A task to be submitted.
pub(super) struct Order<'a> {
    pub(super) job: &'a Arc<Job>,
    pub(super) part: usize,
    pub(super) calls: usize,
    pub(super) retries: u32,
    pub(super) keep: bool,
    pub(super) message: Message,
}

impl Ledger {
    pub(super) fn new(tasks: ByteQueue, task_timeout: Duration) -> Self {
        Self {
            tasks,
            first: 1,
            entries: VecDeque::new(),
            outstanding: 0,
            phase: Phase::Open,
            task_timeout,
        }
    }

    pub(super) fn tasks(&self) -> &ByteQueue {
        &self.tasks
    }

    /// Puts a task; gives the message's memory back if it need not be kept.
    pub(super) fn submit(&mut self, order: Order<'_>) -> Result<(u64, Vec<u8>), PoolError> {
        match &self.phase {
            Phase::Open => {}
            Phase::Closed => return Err(PoolError::Closed),
            Phase::Over(error) => return Err(error.clone()),
        }
        let Order { job, part, calls, retries, keep, mut message } = order;
        let objects = if keep && !message.handles.is_empty() {
            Some(Parcel::with(message.format, &[], &message.handles).map_err(cannot_send)?)
        } else {
            None
        };
        let number = self.put(&message)?;
        let bytes = if keep { Vec::new() } else { std::mem::take(&mut message.bytes) };
        let message = keep.then_some(message);
        let task = Task { job: Arc::clone(job), part, calls, retries, message, _objects: objects };
        self.enter(number, task);
        Ok((number, bytes))
    }

    fn put(&self, message: &Message) -> Result<u64, PoolError> {
        message.put(&self.tasks).map_err(cannot_send)
    }

    fn enter(&mut self, number: u64, task: Task) {
        task.job.state().number = number;
        debug_assert_eq!(number, self.first + self.entries.len() as u64);
        self.entries.push_back(Some(task));
        self.outstanding += 1;
    }

    fn take(&mut self, number: u64) -> Option<Task> {
        let at = usize::try_from(number.checked_sub(self.first)?).ok()?;
        let task = self.entries.get_mut(at)?.take()?;
        self.outstanding -= 1;
        while let Some(None) = self.entries.front() {
            self.entries.pop_front();
            self.first += 1;
        }
        Some(task)
    }

    /// Whether the task has not ended.
    pub(super) fn is_pending(&self, number: u64) -> bool {
        number
            .checked_sub(self.first)
            .and_then(|at| self.entries.get(at as usize))
            .is_some_and(Option::is_some)
    }

    /// Books what came from a worker, or from the supervisor about one.
    pub(super) fn book(&mut self, mail: Mail) -> Option<Due> {
        let head = Head::read(mail.bytes())?;
        if head.status == Status::NoWorker {
            let text = decode::<String>(&mail).unwrap_or_else(|error| error);
            return self.end_all(PoolError::Initializer(text));
        }
        let mut task = self.take(head.task)?;
        let outcome = match head.status {
            Status::Returned => Ok(Reply(mail)),
            Status::Panicked => Err(decode(&mail).map_or_else(PoolError::Transfer, PoolError::Panicked)),
            Status::Failed => Err(PoolError::Transfer(decode(&mail).unwrap_or_else(|error| error))),
            Status::TimedOut => Err(PoolError::TaskTimeout(self.task_timeout)),
            Status::Skipped => Err(PoolError::Cancelled),
            Status::Lost => {
                let (lost, innocent): (WorkerLost, bool) = match decode(&mail) {
                    Ok(lost) => lost,
                    Err(error) => return end(task, 0, Err(PoolError::Transfer(error))),
                };
                match self.try_again(task, innocent) {
                    None => return None,
                    Some(given_up) => task = given_up,
                }
                Err(PoolError::WorkerLost(lost))
            }
            Status::NoWorker => unreachable!("handled above"),
        };
        end(task, head.nanoseconds, outcome)
    }

    /// Puts a task again whose worker is gone; the task itself if that was the last time.
    fn try_again(&mut self, mut task: Task, innocent: bool) -> Option<Task> {
        let again = innocent || task.retries > 0;
        let Some(message) = task.message.as_ref().filter(|_| again) else { return Some(task) };
        match self.put(message) {
            Ok(number) => {
                task.retries -= u32::from(!innocent);
                self.enter(number, task);
                None
            }
            Err(_) => Some(task),
        }
    }

    /// Ends one task before its time.
    pub(super) fn end_one(&mut self, number: u64, error: PoolError) -> Option<Option<Due>> {
        let task = self.take(number)?;
        Some(end(task, 0, Err(error)))
    }

    /// Ends the pool, and all tasks with it.
    pub(super) fn end_all(&mut self, error: PoolError) -> Option<Due> {
        if !matches!(self.phase, Phase::Over(_)) {
            self.phase = Phase::Over(error.clone());
        }
        let mut due = Vec::new();
        let last = self.first + self.entries.len() as u64;
        for number in self.first..last {
            due.extend(self.end_one(number, error.clone()).flatten());
        }
        Some(Box::new(move || due.into_iter().for_each(|callback| callback())))
    }
}

fn cannot_send(error: procession_ipc::Error) -> PoolError {
    PoolError::Transfer(format!("the task cannot be sent: {error}"))
}

fn end(task: Task, nanoseconds: u64, outcome: Outcome) -> Option<Due> {
    let callback = task.job.end_part(task.part, task.calls, nanoseconds, outcome)?;
    let job = task.job;
    Some(Box::new(move || callback(&job)))
}

fn decode<T: serde::de::DeserializeOwned>(mail: &Mail) -> Result<T, String> {
    message::decode(mail.format(), &mail.bytes()[RESULT_HEAD..]).map_err(|error| error.to_string())
}
