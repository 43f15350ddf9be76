//! `Event`: a flag, and those who wait for it.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Owner, Turn, seconds};
use procession_wire::value::Value;

/// A flag. Nobody waits while it is set.
#[derive(Debug, Default)]
pub(crate) struct Event {
    set: bool,
    waiting: Vec<Owner>,
}

impl Event {
    /// From the arguments of `Event()`: there are none.
    pub(crate) fn create(call: &Call<'_>) -> Result<Box<dyn Hosted>, Fault> {
        call.none()?;
        Ok(Box::<Self>::default())
    }
}

impl Hosted for Event {
    fn exposed(&self) -> &'static [&'static str] {
        &["is_set", "set", "clear", "wait"]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        if call.method == "wait" {
            let [timeout] = call.bind(["timeout"], 0)?;
            let timeout = seconds(timeout)?;
            if self.set || timeout.is_some_and(|timeout| timeout <= 0.0) {
                return Ok(Value::Bool(self.set).into());
            }
            self.waiting.push(turn.owner);
            return Ok(Outcome::Wait(turn.deadline(timeout)));
        }
        call.none()?;
        match call.method {
            "is_set" => return Ok(Value::Bool(self.set).into()),
            "clear" => self.set = false,
            "set" => {
                self.set = true;
                for owner in self.waiting.drain(..) {
                    turn.wake(owner, Answer::Value(Value::Bool(true)));
                }
            }
            _ => return Err(Fault::NoMethod),
        }
        Ok(Value::None.into())
    }

    fn expire(&mut self, owner: Owner, turn: &mut Turn<'_>) -> Option<Answer> {
        self.leave(owner, turn);
        Some(Answer::Value(Value::Bool(false)))
    }

    fn leave(&mut self, owner: Owner, _turn: &mut Turn<'_>) {
        self.waiting.retain(|waiting| *waiting != owner);
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        let state = if self.set { "set" } else { "unset" };
        Ok(format!("<threading.Event at 0x{address}: {state}>"))
    }
}
