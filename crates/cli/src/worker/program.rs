//! A Rust program of a lane, which is started anew for each task.

use super::hands::{Outcome, PATIENCE, runtime_error};
use procession::manager::Payload;
use procession::manager::value::Value;
use procession::{Process, Signal, Waitable, wait};
use procession_ipc::message::Objects;
use procession_process::python::Program as Running;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::process::Command;

/// A program whose `main` begins with `procession::init_with`, and one of its tasks.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) task: String,
    /// The name of its processes.
    pub(super) name: String,
}

/// Ready when it has ended.
struct Ended<'a>(&'a Running);

impl Waitable for Ended<'_> {
    fn is_ready(&self) -> bool {
        self.0.exitcode().is_some()
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.0.sentinel())
    }
}

impl Program {
    /// Has the program do its task with what was put. Where `hurry` says so, its process is ended instead.
    pub(super) fn call(&self, task: &Payload, hurry: impl Fn() -> bool) -> Result<Outcome, String> {
        let order = Value::Dict(vec![
            ("name".into(), self.name.as_str().into()),
            ("function".into(), self.task.as_str().into()),
            ("arguments".into(), task.clone().into()),
        ]);
        let running = Process::builder()
            .name(&self.name)
            .program(Command::new(&self.path), &order.to_pickle(), &Objects::default())
            .map_err(|error| error.to_string())?;
        while !Ended(&running).is_ready() {
            wait(&[&Ended(&running)], Some(PATIENCE)).map_err(|error| error.to_string())?;
            if !Ended(&running).is_ready() && hurry() {
                running.signal(Signal::KILL).map_err(|error| error.to_string())?;
                wait(&[&Ended(&running)], None).map_err(|error| error.to_string())?;
                return Ok(Outcome::Given);
            }
        }
        let left = running.take_outcome().map_err(|error| error.to_string())?;
        let left = left.and_then(|left| Payload::from_pickle(left.bytes()).ok()?.value().ok());
        Ok(outcome(left, &self.died(&running)))
    }

    fn died(&self, running: &Running) -> String {
        let (name, pid) = (self.path.display(), running.pid());
        match running.exitcode() {
            Some(code) if code < 0 => {
                format!("{name} (pid {pid}) was killed by {} in this task", Signal::from_raw(-code))
            }
            code => format!(
                "{name} (pid {pid}) ended with {} and left no result: its main has to begin with procession::init_with",
                code.unwrap_or_default()
            ),
        }
    }
}

/// What a process left: a dict with one key.
fn outcome(left: Option<Value>, died: &str) -> Outcome {
    let Some(Value::Dict(left)) = left else { return Outcome::Died(died.to_owned()) };
    let raised = |text: String| Outcome::Raised(runtime_error(&text), text);
    match left.into_iter().next() {
        Some((Value::Str(kind), value)) => match (kind.as_str(), value) {
            ("Returned", value) => Outcome::Returned(Payload::of(&value)),
            ("Panicked", Value::Dict(panic)) => {
                let part = |name: &str| {
                    let found = panic.iter().find(|(key, _)| key.as_str() == Some(name));
                    found.and_then(|(_, value)| value.as_str()).unwrap_or_default()
                };
                raised(format!("panicked at {}: {}", part("location"), part("message")))
            }
            (_, Value::Str(reason)) => raised(reason),
            (_, other) => raised(other.to_string()),
        },
        _ => Outcome::Died(died.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left(kind: &str, value: Value) -> Outcome {
        outcome(Some(Value::Dict(vec![(kind.into(), value)])), "died")
    }

    #[test]
    fn what_a_process_left_is_told_apart() {
        let returned = left("Returned", 7.into());
        assert!(matches!(returned, Outcome::Returned(value) if value == Payload::of(&7.into())));
        let place = ("location".into(), "main.rs:1:1".into());
        let panic = Value::Dict(vec![("message".into(), "oh".into()), place]);
        let text = |outcome| match outcome {
            Outcome::Raised(_, text) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(text(left("Panicked", panic)), "panicked at main.rs:1:1: oh");
        assert_eq!(text(left("Failed", "no task".into())), "no task");
        assert!(matches!(outcome(None, "died"), Outcome::Died(how) if how == "died"));
        assert!(matches!(outcome(Some(Value::Dict(vec![])), "died"), Outcome::Died(_)));
    }
}
