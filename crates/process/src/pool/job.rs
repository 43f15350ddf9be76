//! What a caller waits for: one task, or the parts of a map.

use super::error::PoolError;
use super::wire::{Mail, RESULT_HEAD};
use procession_ipc::message;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A result as it came, to be decoded by whoever asked for it.
#[derive(Debug)]
pub(super) struct Reply(pub(super) Mail);

impl Reply {
    pub(super) fn decode<R: DeserializeOwned>(&self) -> Result<R, PoolError> {
        message::decode(self.0.format(), &self.0.bytes()[RESULT_HEAD..])
            .map_err(|error| PoolError::Transfer(format!("the result cannot be read: {error}")))
    }
}

/// How a part ended.
pub(super) type Outcome = Result<Reply, PoolError>;

/// Called once when all parts have ended.
pub(super) type Callback = Box<dyn FnOnce(&Job) + Send>;
/// Called with how many tasks of a map have ended.
pub(super) type Progress = Box<dyn Fn(usize) + Send + Sync>;

/// A job: parts that end one by one.
pub(super) struct Job {
    state: Mutex<State>,
    progress: Option<Progress>,
}

pub(super) struct State {
    outcomes: Outcomes,
    pub(super) submitted: usize,
    pub(super) ended: usize,
    tasks_ended: usize,
    /// No more parts will be added.
    pub(super) sealed: bool,
    callback: Option<Callback>,
    /// The task's number in the queue now, for a job of one part.
    pub(super) number: u64,
    /// Nanoseconds that parts have run, and how many tasks that were: for adapting chunks.
    pub(super) measured: (u64, u64),
}

/// Outcomes that nobody has taken yet.
enum Outcomes {
    /// By part, from the number on.
    InOrder(usize, VecDeque<Option<Outcome>>),
    /// As they came.
    AsTheyCome(VecDeque<Outcome>),
}

impl Job {
    pub(super) fn new(progress: Option<Progress>, unordered: bool) -> Self {
        let outcomes = if unordered {
            Outcomes::AsTheyCome(VecDeque::new())
        } else {
            Outcomes::InOrder(0, VecDeque::new())
        };
        Self { state: Mutex::new(State::of(outcomes, None)), progress }
    }

    /// A job of one part, whose end is told to `callback`.
    pub(super) fn single(callback: Option<Callback>) -> Self {
        let mut state = State::of(Outcomes::InOrder(0, VecDeque::new()), callback);
        state.sealed = true;
        Self { state: Mutex::new(state), progress: None }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next part's number.
    pub(super) fn add_part(&self) -> usize {
        let mut state = self.state();
        state.submitted += 1;
        if let Outcomes::InOrder(_, outcomes) = &mut state.outcomes {
            outcomes.push_back(None);
        }
        state.submitted - 1
    }

    /// Notes how a part of `tasks` tasks ended; the callback if that was the last.
    pub(super) fn end_part(
        &self,
        part: usize,
        tasks: usize,
        nanoseconds: u64,
        outcome: Outcome,
    ) -> Option<Callback> {
        let mut state = self.state();
        match &mut state.outcomes {
            Outcomes::AsTheyCome(outcomes) => outcomes.push_back(outcome),
            Outcomes::InOrder(first, outcomes) => {
                let slot = part.checked_sub(*first).and_then(|at| outcomes.get_mut(at));
                *slot? = Some(outcome);
            }
        }
        state.ended += 1;
        state.tasks_ended += tasks;
        state.measured.0 += nanoseconds;
        state.measured.1 += tasks as u64;
        if let Some(progress) = &self.progress {
            progress(state.tasks_ended);
        }
        if !state.is_over() {
            return None;
        }
        state.callback.take()
    }
}

impl State {
    pub(super) fn is_over(&self) -> bool {
        self.sealed && self.ended == self.submitted
    }

    /// Whether [`take_next`](Self::take_next) would find one.
    pub(super) fn has_next(&self) -> bool {
        match &self.outcomes {
            Outcomes::AsTheyCome(outcomes) => !outcomes.is_empty(),
            Outcomes::InOrder(_, outcomes) => matches!(outcomes.front(), Some(Some(_))),
        }
    }

    /// Takes the next outcome, if it is there.
    pub(super) fn take_next(&mut self) -> Option<Outcome> {
        match &mut self.outcomes {
            Outcomes::AsTheyCome(outcomes) => outcomes.pop_front(),
            Outcomes::InOrder(first, outcomes) => {
                let outcome = outcomes.front_mut()?.take()?;
                outcomes.pop_front();
                *first += 1;
                Some(outcome)
            }
        }
    }

    /// The outcomes that are there, in order of their parts.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &Outcome> {
        let outcomes = match &self.outcomes {
            Outcomes::InOrder(_, outcomes) => Some(outcomes.iter().flatten()),
            Outcomes::AsTheyCome(_) => None,
        };
        outcomes.into_iter().flatten()
    }

    /// Seals the job; the callback if all parts have ended before.
    pub(super) fn seal(&mut self) -> Option<Callback> {
        self.sealed = true;
        if self.is_over() { self.callback.take() } else { None }
    }

    fn of(outcomes: Outcomes, callback: Option<Callback>) -> Self {
        Self {
            outcomes,
            submitted: 0,
            ended: 0,
            tasks_ended: 0,
            sealed: false,
            callback,
            number: 0,
            measured: (0, 0),
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "Job({} of {} parts ended)", state.ended, state.submitted)
    }
}
