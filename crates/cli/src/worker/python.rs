//! The Python process of a lane, as the lane sees it.

use super::Arguments;
use super::hands::{Outcome, PATIENCE};
use procession::manager::Payload;
use procession::{Process, Queue, wait};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::{Serialize, Serializer};
use std::fmt;
use std::time::Duration;

/// What the process runs: it takes pickles of tasks from one queue and puts outcomes into another.
const FUNCTION: &str = "procession._lane:run";

/// A Python process that calls one function again and again.
#[derive(Debug)]
pub(super) struct Python {
    process: Process<()>,
    tasks: Queue<Bytes>,
    outcomes: Queue<Said>,
}

/// Whether the function returned, what it returned or raised as a pickle, and a traceback.
type Said = (bool, Bytes, String);

/// Python's `bytes`.
#[derive(Debug)]
struct Bytes(Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Takes;
        impl Visitor<'_> for Takes {
            type Value = Bytes;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("bytes")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        from.deserialize_byte_buf(Takes)
    }
}

impl Python {
    /// Starts the process, and waits until it has found the function.
    pub(super) fn start(arguments: &Arguments, number: usize) -> Result<Self, String> {
        let told = |error: &dyn fmt::Display| format!("cannot start a worker: {error}");
        let tasks = Queue::new().map_err(|error| told(&error))?;
        let outcomes = Queue::new().map_err(|error| told(&error))?;
        let mut builder = Process::builder().name(format!("worker {number}"));
        if let Some(python) = &arguments.python {
            builder = builder.interpreter(python);
        }
        let process = builder
            .python(FUNCTION, (&arguments.function, &tasks, &outcomes))
            .map_err(|error| told(&error))?;
        let python = Self { process, tasks, outcomes };
        while wait(&[&python.outcomes, &python.process], None).is_ok() {
            if python.outcomes.try_get().is_ok() {
                return Ok(python);
            }
            if let Some(end) = python.end() {
                return Err(told(&end));
            }
        }
        Err(told(&"it cannot be waited for"))
    }

    /// Has the function called with a task. Where `hurry` says so, the process is ended instead.
    pub(super) fn call(&self, task: &[u8], hurry: impl Fn() -> bool) -> Result<Outcome, String> {
        self.tasks.put_bytes(task).map_err(|error| error.to_string())?;
        loop {
            wait(&[&self.outcomes, &self.process], Some(PATIENCE))
                .map_err(|error| error.to_string())?;
            match self.outcomes.try_get() {
                Ok(said) => return outcome(said),
                Err(error) if error.is_timeout() => {}
                Err(error) => return Err(error.to_string()),
            }
            if let Some(end) = self.end() {
                return Ok(Outcome::Died(format!("its process ended in this task: {end}")));
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

fn outcome((has_returned, Bytes(pickle), traceback): Said) -> Result<Outcome, String> {
    let payload = Payload::from_pickle(&pickle).map_err(|error| error.to_string())?;
    Ok(match has_returned {
        true => Outcome::Returned(payload),
        false => Outcome::Raised(payload, traceback),
    })
}

impl Drop for Python {
    fn drop(&mut self) {
        // Nothing in hand: it may go at once.
        let _ = self.process.kill();
        let _ = self.process.join();
    }
}
