//! What does the tasks of a lane: a Python process, or a Rust program.

use super::Arguments;
use super::program::Program;
use super::python::Python;
use procession::manager::Payload;
use procession::manager::value::Value;
use std::time::Duration;

/// How long a process is waited for before it is looked whether to hurry.
pub(super) const PATIENCE: Duration = Duration::from_millis(200);

/// What does the tasks of a lane.
#[derive(Debug)]
pub(super) enum Hands {
    Python(Python),
    Program(Program),
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
    /// It was not done in time, and the process was ended.
    Given,
}

/// What Python would raise to say that.
pub(super) fn runtime_error(text: &str) -> Payload {
    Payload::of(&Value::call("builtins", "RuntimeError", vec![text.into()]))
}

impl Hands {
    pub(super) fn start(arguments: &Arguments, number: usize) -> Result<Self, String> {
        let Some(path) = &arguments.program else {
            return Python::start(arguments, number).map(Self::Python);
        };
        let task = arguments.function.clone();
        Ok(Self::Program(Program { path: path.clone(), task, name: format!("worker {number}") }))
    }

    /// Has a task done. Where `hurry` says so, the process is ended instead.
    pub(super) fn call(&self, task: &Payload, hurry: impl Fn() -> bool) -> Result<Outcome, String> {
        match self {
            Self::Python(python) => python.call(task.as_pickle(), hurry),
            Self::Program(program) => program.call(task, hurry),
        }
    }

    /// Whether they are good for another task after a process has ended in one.
    pub(super) fn go_on(&self) -> bool {
        matches!(self, Self::Program(_))
    }
}
