//! `Semaphore` and `BoundedSemaphore`. Its permits belong to nobody: who dies takes what it took along.

use super::call::{
    Answer, Call, Called, Fault, Hosted, Outcome, Owner, Turn, plain, seconds, truth,
};
use super::raise;
use procession_wire::message::Argument;
use procession_wire::value::Value;
use std::collections::VecDeque;

/// A semaphore. Its line is empty while there are permits.
#[derive(Debug)]
pub(crate) struct Semaphore {
    permits: i128,
    bound: Option<i128>,
    line: VecDeque<Owner>,
}

fn number(argument: Option<&Argument<'_>>) -> Result<i128, Fault> {
    let Some(argument) = argument else { return Ok(1) };
    match plain(argument, "a number")?.as_int() {
        Some(number) => Ok(number),
        None => Err(raise::type_error("an integer is required").into()),
    }
}

impl Semaphore {
    /// From the arguments of `Semaphore(value=1)`.
    pub(crate) fn create(call: &Call<'_>, bounded: bool) -> Result<Box<dyn Hosted>, Fault> {
        let [value] = call.bind(["value"], 0)?;
        let permits = number(value)?;
        if permits < 0 {
            return Err(raise::value_error("semaphore initial value must be >= 0").into());
        }
        Ok(Box::new(Self { permits, bound: bounded.then_some(permits), line: VecDeque::new() }))
    }

    fn acquire(&mut self, blocking: bool, timeout: Option<f64>, turn: &mut Turn<'_>) -> Called {
        if !blocking && timeout.is_some() {
            return Err(raise::value_error("can't specify timeout for non-blocking acquire").into());
        }
        if self.permits > 0 {
            self.permits -= 1;
            return Ok(Value::Bool(true).into());
        }
        if !blocking || timeout.is_some_and(|timeout| timeout <= 0.0) {
            return Ok(Value::Bool(false).into());
        }
        self.line.push_back(turn.owner);
        Ok(Outcome::Wait(turn.deadline(timeout)))
    }

    fn release(&mut self, count: i128, turn: &mut Turn<'_>) -> Called {
        if count < 1 {
            return Err(raise::value_error("n must be one or more").into());
        }
        let permits = self.permits.saturating_add(count);
        if self.bound.is_some_and(|bound| permits > bound) {
            return Err(raise::value_error("Semaphore released too many times").into());
        }
        self.permits = permits;
        while self.permits > 0 {
            let Some(next) = self.line.pop_front() else { break };
            self.permits -= 1;
            turn.wake(next, Answer::Value(Value::Bool(true)));
        }
        Ok(Value::None.into())
    }
}

impl Hosted for Semaphore {
    fn exposed(&self) -> &'static [&'static str] {
        &["acquire", "release"]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "acquire" => {
                let [blocking, timeout] = call.bind(["blocking", "timeout"], 0)?;
                self.acquire(truth(blocking, true)?, seconds(timeout)?, turn)
            }
            "release" => {
                let [count] = call.bind(["n"], 0)?;
                self.release(number(count)?, turn)
            }
            _ => Err(Fault::NoMethod),
        }
    }

    fn expire(&mut self, owner: Owner, _turn: &mut Turn<'_>) -> Option<Answer> {
        self.line.retain(|waiting| *waiting != owner);
        Some(Answer::Value(Value::Bool(false)))
    }

    fn leave(&mut self, owner: Owner, _turn: &mut Turn<'_>) {
        self.line.retain(|waiting| *waiting != owner);
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        let permits = self.permits;
        Ok(match self.bound {
            None => format!("<threading.Semaphore at 0x{address}: value={permits}>"),
            Some(bound) => {
                format!("<threading.BoundedSemaphore at 0x{address}: value={permits}/{bound}>")
            }
        })
    }
}
