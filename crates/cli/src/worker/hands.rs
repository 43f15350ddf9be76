//! What does the tasks of a lane: a process that does one after the other, of Python or of a Rust program.

use super::Arguments;
use procession::manager::Payload;
use procession::{Process, Queue, wait};
use procession_process::python::{Answer, Pickle};
use std::fmt::Display;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

/// What a Python process runs: it does as a Rust program with a standing order does.
const FUNCTION: &str = "procession._lane:run";

/// How long a process is waited for before it is looked whether to hurry.
const PATIENCE: Duration = Duration::from_millis(200);

/// A process that does one task after the other.
#[derive(Debug)]
pub(super) struct Hands {
    process: Process<()>,
    tasks: Queue<()>,
    answers: Queue<Answer>,
}

/// What came of a task.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The function returned this.
    Returned(Payload),
    /// It raised this; and the traceback, or what a panic said.
    Raised(Payload, String),
    /// The process ended in it, in this way.
    Died(String),
    /// The process had ended before, in this way.
    NotBegun(String),
    /// It was not done in time, and the process was ended.
    Given,
}

impl Hands {
    /// Starts the process, and waits until it has found the function.
    pub(super) fn start(arguments: &Arguments, number: usize) -> Result<Self, String> {
        let told = |error: &dyn Display| format!("cannot start a worker: {error}");
        let tasks = Queue::new().map_err(|error| told(&error))?;
        let answers = Queue::new().map_err(|error| told(&error))?;
        let process = process(arguments, number, &tasks, &answers).map_err(|error| told(&error))?;
        let hands = Self { process, tasks, answers };
        while wait(&[&hands.answers, &hands.process], None).is_ok() {
            if hands.answers.try_get().is_ok() {
                return Ok(hands);
            }
            if let Some(end) = hands.end() {
                return Err(told(&end));
            }
        }
        Err(told(&"it cannot be waited for"))
    }

    /// Has a task done. Where `hurry` says so, the process is ended instead.
    pub(super) fn call(&self, task: &Payload, hurry: impl Fn() -> bool) -> Result<Outcome, String> {
        self.tasks.put_bytes(task.as_pickle()).map_err(|error| error.to_string())?;
        loop {
            wait(&[&self.answers, &self.process], Some(PATIENCE))
                .map_err(|error| error.to_string())?;
            match self.answers.try_get() {
                Ok(answer) => return outcome(answer),
                Err(error) if error.is_timeout() => {}
                Err(error) => return Err(error.to_string()),
            }
            if let Some(end) = self.end() {
                let is_there = self.tasks.qsize() > 0;
                return Ok(if is_there { Outcome::NotBegun(end) } else { Outcome::Died(end) });
            }
            if hurry() {
                self.process.kill().map_err(|error| error.to_string())?;
                return Ok(Outcome::Given);
            }
        }
    }

    /// How the process ended, if it did.
    fn end(&self) -> Option<String> {
        match self.process.join_timeout(Duration::ZERO) {
            Ok(()) => Some("it returned".to_owned()),
            Err(error) if error.is_timeout() => None,
            Err(error) => Some(error.to_string()),
        }
    }
}

fn process(
    arguments: &Arguments,
    number: usize,
    tasks: &Queue<()>,
    answers: &Queue<Answer>,
) -> Result<Process<()>, procession_process::Error> {
    let mut builder = Process::builder().name(format!("worker {number}"));
    let function = &arguments.function;
    if let Some(program) = &arguments.program {
        let mut command = Command::new(program);
        // Ctrl-C is heard by the command, which ends its processes when the tasks are done.
        command.process_group(0);
        return builder.standing(command, function, tasks, answers);
    }
    if let Some(python) = &arguments.python {
        builder = builder.interpreter(python);
    }
    builder.python(FUNCTION, (function, tasks, answers))
}

fn outcome((has_returned, Pickle(pickle), text): Answer) -> Result<Outcome, String> {
    let payload = Payload::from_pickle(&pickle).map_err(|error| error.to_string())?;
    Ok(match has_returned {
        true => Outcome::Returned(payload),
        false => Outcome::Raised(payload, text),
    })
}

impl Drop for Hands {
    fn drop(&mut self) {
        // Nothing in hand: it may go at once.
        let _ = self.process.kill();
        let _ = self.process.join();
    }
}
