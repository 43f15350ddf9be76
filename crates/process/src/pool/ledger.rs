//! The parent's ledger: which task stands at which number of the queue, and who waits for it.
//!
//! The parent is the only one who puts tasks, under the ledger's lock; so a task's number is its place
//! in the queue, and the claim that a worker leaves names it. A task ends once: whichever of its
//! result, the news of its worker's death, or its cancellation comes first.

use super::error::{PoolError, WorkerLost};
use super::job::{Job, Part};
use super::reply::{Outcome, Reply};
use super::wire::{Head, Message, RESULT_HEAD, Status, put_parcel};
use procession_ipc::byte_queue::{ByteQueue, Got};
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
    kept: Option<Box<Kept>>,
}

/// What a task needs to be put again.
#[derive(Debug)]
enum Kept {
    Message {
        message: Message,
        /// Holds the shared objects that travel in the message.
        _objects: Option<Parcel>,
    },
    /// Nobody else has it; what is put is a copy.
    Parcel(Parcel),
}

impl Kept {
    fn put(&self, tasks: &ByteQueue) -> Result<u64, procession_ipc::Error> {
        match self {
            Self::Message { message, .. } => message.put(tasks),
            Self::Parcel(parcel) => put_parcel(parcel.copy()?, tasks),
        }
    }
}

/// A task that was taken out of the ledger, and how it ended; its job has not been told.
#[derive(Debug)]
pub(super) struct Ended {
    job: Arc<Job>,
    part: Part,
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
    /// How long a task may run.
    task_timeout: Option<Duration>,
    /// How often a task is tried again.
    retries: u32,
}

impl Ledger {
    pub(super) fn new(tasks: ByteQueue, retries: u32, task_timeout: Option<Duration>) -> Self {
        Self {
            tasks,
            first: 1,
            entries: VecDeque::new(),
            outstanding: 0,
            phase: Phase::Open,
            task_timeout,
            retries,
        }
    }

    pub(super) fn tasks(&self) -> &ByteQueue {
        &self.tasks
    }

    /// Puts a task of so many calls; gives the message's memory back if it need not be kept.
    pub(super) fn submit(
        &mut self,
        job: &Arc<Job>,
        calls: usize,
        message: Message,
    ) -> Result<Vec<u8>, PoolError> {
        self.check_open()?;
        let keep = self.keeps();
        let objects = if keep && !message.objects.is_empty() {
            let family = self.tasks.held().family();
            let parcel = Parcel::with(family, message.format, &[], &message.objects);
            Some(parcel.map_err(cannot_send)?)
        } else {
            None
        };
        let number = message.put(&self.tasks).map_err(cannot_send)?;
        let (kept, bytes) = if keep {
            (Some(Kept::Message { message, _objects: objects }), Vec::new())
        } else {
            (None, message.bytes)
        };
        self.enter_part(number, job, calls, kept);
        Ok(bytes)
    }

    /// Puts a task that is a parcel; `kept` is a copy, if it may be put again.
    pub(super) fn submit_parcel(
        &mut self,
        job: &Arc<Job>,
        calls: usize,
        task: Parcel,
        kept: Option<Parcel>,
    ) -> Result<(), PoolError> {
        self.check_open()?;
        let number = put_parcel(task, &self.tasks).map_err(cannot_send)?;
        self.enter_part(number, job, calls, kept.map(Kept::Parcel));
        Ok(())
    }

    fn check_open(&self) -> Result<(), PoolError> {
        match &self.phase {
            Phase::Open => Ok(()),
            Phase::Closed => Err(PoolError::Closed),
            Phase::Over(error) => Err(error.clone()),
        }
    }

    /// Whether tasks may be put again.
    pub(super) fn keeps(&self) -> bool {
        self.retries > 0 || self.task_timeout.is_some()
    }

    #[inline]
    fn enter_part(&mut self, number: u64, job: &Arc<Job>, calls: usize, kept: Option<Kept>) {
        let (part, retries) = (job.add_part(number), self.retries);
        let kept = kept.map(Box::new);
        self.enter(number, Task { job: Arc::clone(job), part, calls, retries, kept });
    }

    fn enter(&mut self, number: u64, task: Task) {
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

    /// The numbers of what has not ended of a job.
    pub(super) fn numbers_of(&self, job: &Arc<Job>) -> Vec<u64> {
        let is_its =
            |task: &Option<Task>| task.as_ref().is_some_and(|task| Arc::ptr_eq(&task.job, job));
        let mine = (self.first..).zip(&self.entries).filter(|(_, task)| is_its(task));
        mine.map(|(number, _)| number).collect()
    }

    /// Books what came from a worker, or from the supervisor about one: its bytes are with the item, or
    /// beside it. What ended is added to `ended`, for [`tell`](Self::tell).
    pub(super) fn book(
        &mut self,
        got: Got,
        beside: &[u8],
        ended: &mut Vec<Ended>,
    ) -> Option<Vec<Due>> {
        let (format, bytes) = match &got {
            Got::Message { format, .. } => (*format, beside),
            Got::Parcel(parcel) => (parcel.format(), parcel.bytes()),
        };
        let head = Head::read(bytes)?;
        let value = &bytes[RESULT_HEAD..];
        if head.status == Status::NoWorker {
            let text = decode::<String>(format, value).unwrap_or_else(|error| error);
            return Some(self.end_all(PoolError::Initializer(text)));
        }
        let mut task = self.take(head.task)?;
        let outcome = match head.status {
            Status::Returned => Ok(match got {
                Got::Message { .. } => Reply::of(format, value),
                Got::Parcel(parcel) => Reply::lent(parcel),
            }),
            Status::Lost => match decode::<(WorkerLost, bool)>(format, value) {
                Ok((lost, innocent)) => {
                    task = self.try_again(task, innocent)?;
                    Err(PoolError::WorkerLost(lost))
                }
                Err(error) => Err(PoolError::Transfer(error)),
            },
            failed => Err(self.failure(failed, format, value)),
        };
        ended.push(task.end(head.nanoseconds, outcome.map_err(Box::new)));
        None
    }

    #[cold]
    fn failure(&self, status: Status, format: u8, value: &[u8]) -> PoolError {
        match status {
            Status::Panicked => {
                decode(format, value).map_or_else(PoolError::Transfer, PoolError::Panicked)
            }
            Status::TimedOut => PoolError::TaskTimeout(self.task_timeout.unwrap_or_default()),
            Status::Skipped => PoolError::Cancelled,
            _ => PoolError::Transfer(decode(format, value).unwrap_or_else(|error| error)),
        }
    }

    /// Tells the jobs of what ended, those that follow each other in one job at once; the callbacks
    /// that are due, and the jobs of which somebody wants to know how far they are.
    pub(super) fn tell(ended: &mut Vec<Ended>) -> (Vec<Due>, Vec<Arc<Job>>) {
        let (mut due, mut watched) = (Vec::new(), Vec::new());
        let mut ended = ended.drain(..).peekable();
        while let Some(Ended { job, part }) = ended.next() {
            let next = || ended.next_if(|next| Arc::ptr_eq(&next.job, &job)).map(|next| next.part);
            let callbacks = job.end_parts(std::iter::once(part).chain(std::iter::from_fn(next)));
            if job.has_progress() {
                watched.push(Arc::clone(&job));
            }
            for callback in callbacks {
                let job = Arc::clone(&job);
                due.push(Box::new(move || callback(&job)) as Due);
            }
        }
        (due, watched)
    }

    /// Puts a task again whose worker is gone; the task itself if that was the last time.
    fn try_again(&mut self, mut task: Task, innocent: bool) -> Option<Task> {
        let again = innocent || task.retries > 0;
        let Some(kept) = task.kept.as_ref().filter(|_| again) else { return Some(task) };
        match kept.put(&self.tasks) {
            Ok(number) => {
                task.retries -= u32::from(!innocent);
                task.job.state().number = number;
                self.enter(number, task);
                None
            }
            Err(_) => Some(task),
        }
    }

    /// Ends one task before its time; what is to be called then.
    pub(super) fn end_one(&mut self, number: u64, error: PoolError) -> Option<Vec<Due>> {
        let task = self.take(number)?;
        let mut ended = vec![task.end(0, Err(Box::new(error)))];
        Some(Self::tell(&mut ended).0)
    }

    /// Ends the pool, and all tasks with it.
    pub(super) fn end_all(&mut self, error: PoolError) -> Vec<Due> {
        if !matches!(self.phase, Phase::Over(_)) {
            self.phase = Phase::Over(error.clone());
        }
        let mut due = Vec::new();
        let last = self.first + self.entries.len() as u64;
        for number in self.first..last {
            due.extend(self.end_one(number, error.clone()).into_iter().flatten());
        }
        due
    }
}

pub(super) fn cannot_send(error: procession_ipc::Error) -> PoolError {
    PoolError::Transfer(format!("the task cannot be sent: {error}"))
}

impl Task {
    #[inline]
    fn end(self, nanoseconds: u64, outcome: Outcome) -> Ended {
        let part = Part { number: self.part, calls: self.calls, nanoseconds, outcome };
        Ended { job: self.job, part }
    }
}

fn decode<T: serde::de::DeserializeOwned>(format: u8, value: &[u8]) -> Result<T, String> {
    message::decode(format, value).map_err(|error| error.to_string())
}
