//! One worker: a thread that speaks with the manager, and a process that does the tasks.

use super::Arguments;
use super::hands::{Hands, Outcome};
use super::tally::{Ended, Tally};
use procession::manager::value::Value;
use procession::manager::{ManagerBuilder, ManagerError, Payload, Queue};
use std::time::{Duration, Instant};

/// How long a task is waited for before it is looked whether to stop.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a lane waits before it connects again, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LAST_PAUSE: Duration = Duration::from_secs(10);

/// One worker.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    pub(super) number: usize,
    pub(super) arguments: &'a Arguments,
    pub(super) way: &'a ManagerBuilder,
    pub(super) key: &'a [u8],
    pub(super) idle: Option<Duration>,
    pub(super) tally: &'a Tally,
}

/// The two queues, over a connection of the lane's own.
struct Queues {
    tasks: Queue<()>,
    results: Queue<()>,
}

/// What a lane has in hand.
enum Hand {
    Nothing,
    /// A task that is to go back.
    Task(Payload),
    Result(Payload),
}

impl Lane<'_> {
    /// Works until there is nothing to do; the reason if it cannot.
    pub(super) fn run(&self) -> Result<(), String> {
        // A manager that is not there at the start is a mistake in the command; one that goes later comes back.
        let mut queues = Some(self.connect().map_err(|error| error.to_string())?);
        let mut hands = Hands::start(self.arguments, self.number)?;
        let mut hand = Hand::Nothing;
        let mut last = Instant::now();
        loop {
            let connected = match queues.take() {
                Some(connected) => connected,
                None => match self.connect_again(&hand)? {
                    Some(connected) => connected,
                    None => return Ok(()),
                },
            };
            match self.step(&connected, &mut hands, &mut hand, &mut last) {
                Ok(true) => queues = Some(connected),
                Ok(false) => return Ok(()),
                Err(Trouble::Lost(error)) => {
                    self.tally.complain(&format_args!("worker {}: {error}", self.number))
                }
                Err(Trouble::End(reason)) => return Err(reason),
            }
        }
    }

    /// Gives away what is in hand, or takes a task and has it done; whether to go on.
    fn step(
        &self,
        queues: &Queues,
        hands: &mut Hands,
        hand: &mut Hand,
        last: &mut Instant,
    ) -> Result<bool, Trouble> {
        match hand {
            Hand::Task(task) => queues.tasks.put_payload(task)?,
            Hand::Result(result) => queues.results.put_payload(result)?,
            Hand::Nothing if self.tally.must_stop() => return Ok(false),
            Hand::Nothing => return self.take(queues, hands, hand, last),
        }
        *hand = Hand::Nothing;
        *last = Instant::now();
        Ok(true)
    }

    fn take(
        &self,
        queues: &Queues,
        hands: &mut Hands,
        hand: &mut Hand,
        last: &mut Instant,
    ) -> Result<bool, Trouble> {
        let task = match queues.tasks.get_payload_timeout(PATIENCE) {
            Ok(task) => task,
            Err(error) if error.is_timeout() => {
                return Ok(self.idle.is_none_or(|idle| last.elapsed() < idle));
            }
            Err(ManagerError::Closed) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        self.tally.begun();
        let (ended, next) = match self.call(hands, &task).map_err(Trouble::End)? {
            Outcome::Returned(result) => (Some(Ended::Returned), result),
            Outcome::Raised(exception, text) => {
                self.tally.complain(&format_args!("worker {}: a task raised\n{text}", self.number));
                (Some(Ended::Raised), exception)
            }
            Outcome::Died(end) => {
                let how = format!("its process ended in this task: {end}");
                self.tally.complain(&format_args!("worker {}: {how}", self.number));
                *hands = Hands::start(self.arguments, self.number).map_err(Trouble::End)?;
                let error = Value::call("builtins", "RuntimeError", vec![how.as_str().into()]);
                (Some(Ended::Lost), Payload::of(&error))
            }
            Outcome::NotBegun(_) | Outcome::Given => (None, task),
        };
        self.tally.ended(ended);
        *hand = if ended.is_some() { Hand::Result(next) } else { Hand::Task(next) };
        Ok(true)
    }

    /// Has a task done, by another process if that which there was had ended by itself in between.
    fn call(&self, hands: &mut Hands, task: &Payload) -> Result<Outcome, String> {
        loop {
            let outcome = hands.call(task, || self.tally.must_hurry())?;
            let Outcome::NotBegun(end) = outcome else { return Ok(outcome) };
            self.tally.complain(&format_args!("worker {}: {end}", self.number));
            *hands = Hands::start(self.arguments, self.number)?;
        }
    }

    fn connect(&self) -> Result<Queues, ManagerError> {
        let way = self.way.clone().name(format!("procession worker {}", self.number));
        let manager = way.connect(self.arguments.connect.clone(), self.key)?;
        let tasks = manager.get(&self.arguments.tasks)?;
        let results = manager.get(&self.arguments.results)?;
        Ok(Queues { tasks, results })
    }

    /// Tries again and again, each time a little later. `None` if it is to stop instead.
    fn connect_again(&self, hand: &Hand) -> Result<Option<Queues>, String> {
        let mut pause = FIRST_PAUSE;
        loop {
            self.tally.pause(pause);
            let has_nothing = matches!(hand, Hand::Nothing);
            if self.tally.must_hurry() || (has_nothing && self.tally.must_stop()) {
                let lost = "a task or its result that could not be given to the manager is lost";
                return if has_nothing { Ok(None) } else { Err(lost.to_owned()) };
            }
            match self.connect() {
                Ok(queues) => {
                    self.tally.reconnected();
                    self.tally.complain(&format_args!("worker {}: connected again", self.number));
                    return Ok(Some(queues));
                }
                Err(error) if error.is_refused() => return Err(error.to_string()),
                Err(error) => {
                    pause = (pause * 2).min(LAST_PAUSE);
                    self.tally.complain(&format_args!(
                        "worker {}: {error}; again in {:.1} s",
                        self.number,
                        pause.as_secs_f64()
                    ));
                }
            }
        }
    }
}

/// Why a step came to nothing.
enum Trouble {
    /// The connection is gone.
    Lost(ManagerError),
    /// There is no way on.
    End(String),
}

impl From<ManagerError> for Trouble {
    fn from(error: ManagerError) -> Self {
        match error {
            ManagerError::Lost { .. } | ManagerError::Protocol { .. } => Self::Lost(error),
            error => Self::End(error.to_string()),
        }
    }
}
