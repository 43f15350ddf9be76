//! What a caller waits for: one task, or the parts of a map.

use super::reply::Outcome;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Called once when all parts have ended.
pub type Callback = Box<dyn FnOnce(&Job) + Send>;
/// Called with how many tasks of a map have ended.
pub type Progress = Box<dyn Fn(usize) + Send + Sync>;

/// A job: parts that end one by one.
pub struct Job {
    state: Mutex<State>,
    progress: Option<Progress>,
    /// The progress function has panicked.
    muted: AtomicBool,
}

/// How far a job is.
pub struct State {
    outcomes: Outcomes,
    /// Parts that were submitted.
    pub submitted: usize,
    /// Parts that have ended.
    pub ended: usize,
    tasks_ended: usize,
    /// No more parts will be added.
    pub(super) sealed: bool,
    callbacks: Vec<Callback>,
    /// How many parts there will be at least.
    least: usize,
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
    /// A job of parts that are added as they are submitted, until it is sealed.
    pub fn new(progress: Option<Progress>, unordered: bool) -> Self {
        let outcomes = if unordered {
            Outcomes::AsTheyCome(VecDeque::new())
        } else {
            Outcomes::InOrder(0, VecDeque::new())
        };
        Self { state: Mutex::new(State::of(outcomes)), progress, muted: AtomicBool::new(false) }
    }

    /// A job of one part.
    pub fn single() -> Self {
        let mut state = State::of(Outcomes::InOrder(0, VecDeque::new()));
        (state.sealed, state.least) = (true, 1);
        Self { state: Mutex::new(state), progress: None, muted: AtomicBool::new(false) }
    }

    /// How far it is. Nothing else goes on while this is held.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Enters a part that is task `number` of the queue; the part's own number.
    pub(super) fn add_part(&self, number: u64) -> usize {
        let mut state = self.state();
        state.number = number;
        state.submitted += 1;
        if let Outcomes::InOrder(_, outcomes) = &mut state.outcomes {
            outcomes.push_back(None);
        }
        state.submitted - 1
    }

    /// Whether somebody wants to know how far it is.
    pub(super) fn has_progress(&self) -> bool {
        self.progress.is_some() && !self.muted.load(Relaxed)
    }

    /// Tells how many tasks have ended. The function is the user's: no lock may be held.
    pub(super) fn tell_progress(&self) {
        let ended = self.state().tasks_ended;
        let Some(progress) = &self.progress else { return };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| progress(ended))) {
            // Once, and not again in whoever takes in what is left of the job.
            self.muted.store(true, Relaxed);
            resume_unwind(panic);
        }
    }

    /// Notes how parts ended; what is to be called if one was the last.
    pub(super) fn end_parts(&self, parts: impl IntoIterator<Item = Part>) -> Vec<Callback> {
        let mut state = self.state();
        parts.into_iter().for_each(|part| state.end(part));
        state.callbacks_if_over()
    }
}

/// A part of a job that has ended.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) number: usize,
    /// How many calls it was.
    pub(super) calls: usize,
    /// How long it ran, if that was measured.
    pub(super) nanoseconds: u64,
    pub(super) outcome: Outcome,
}

impl State {
    /// Notes how a part ended, unless nobody wants to know.
    fn end(&mut self, part: Part) {
        match &mut self.outcomes {
            Outcomes::AsTheyCome(outcomes) => outcomes.push_back(part.outcome),
            Outcomes::InOrder(first, outcomes) => {
                let slot = part.number.checked_sub(*first).and_then(|at| outcomes.get_mut(at));
                let Some(slot) = slot else { return };
                *slot = Some(part.outcome);
            }
        }
        self.ended += 1;
        self.tasks_ended += part.calls;
        self.measured.0 += part.nanoseconds;
        self.measured.1 += part.calls as u64;
    }

    /// Whether there will be no more parts.
    pub fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Whether all parts have ended, and there will be no more.
    pub fn is_over(&self) -> bool {
        self.sealed && self.ended == self.submitted && self.submitted >= self.least
    }

    fn callbacks_if_over(&mut self) -> Vec<Callback> {
        if self.is_over() { std::mem::take(&mut self.callbacks) } else { Vec::new() }
    }

    /// Notes what is to be called when all has ended; gives it back if it has.
    pub(super) fn call_when_over(&mut self, callback: Callback) -> Option<Callback> {
        if self.is_over() {
            return Some(callback);
        }
        self.callbacks.push(callback);
        None
    }

    /// Whether [`take_some`](Self::take_some) would find any.
    pub fn has_next(&self) -> bool {
        match &self.outcomes {
            Outcomes::AsTheyCome(outcomes) => !outcomes.is_empty(),
            Outcomes::InOrder(_, outcomes) => matches!(outcomes.front(), Some(Some(_))),
        }
    }

    /// Takes the next outcomes that are there, `most` at most.
    pub fn take_some(&mut self, most: usize, into: &mut VecDeque<Outcome>) {
        match &mut self.outcomes {
            Outcomes::AsTheyCome(outcomes) => {
                let count = most.min(outcomes.len());
                into.extend(outcomes.drain(..count));
            }
            Outcomes::InOrder(first, outcomes) => {
                for _ in 0..most {
                    let Some(Some(_)) = outcomes.front() else { break };
                    into.extend(outcomes.pop_front().flatten());
                    *first += 1;
                }
            }
        }
    }

    /// The outcomes that are there, in order of their parts.
    pub fn in_order(&self) -> impl Iterator<Item = &Outcome> {
        let outcomes = match &self.outcomes {
            Outcomes::InOrder(_, outcomes) => Some(outcomes.iter().flatten()),
            Outcomes::AsTheyCome(_) => None,
        };
        outcomes.into_iter().flatten()
    }

    /// Says that there will be no more parts; what is to be called if all have ended before.
    pub(super) fn seal(&mut self) -> Vec<Callback> {
        self.sealed = true;
        self.callbacks_if_over()
    }

    fn of(outcomes: Outcomes) -> Self {
        Self {
            outcomes,
            submitted: 0,
            ended: 0,
            tasks_ended: 0,
            sealed: false,
            callbacks: Vec::new(),
            number: 0,
            least: 0,
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
