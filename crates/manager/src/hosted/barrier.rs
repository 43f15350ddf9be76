//! `Barrier`: so many go on together, or nobody.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Owner, Turn, plain, seconds};
use super::raise;
use procession_wire::value::Value;

/// A barrier. Fewer wait than it takes, and nobody while it is broken.
#[derive(Debug)]
pub(crate) struct Barrier {
    parties: usize,
    timeout: Option<f64>,
    waiting: Vec<Owner>,
    broken: bool,
}

impl Barrier {
    /// From the arguments of `Barrier(parties, action=None, timeout=None)`; an action would be code.
    pub(crate) fn create(call: &Call<'_>) -> Result<Box<dyn Hosted>, Fault> {
        let [parties, action, timeout] = call.bind(["parties", "action", "timeout"], 1)?;
        let action = action.map(|action| plain(action, "a barrier's action")).transpose()?;
        if !matches!(action, None | Some(Value::None)) {
            return Err(Fault::Beyond("a barrier's action"));
        }
        let parties = parties.map(|parties| plain(parties, "a number")).transpose()?;
        let parties = parties
            .and_then(|parties| parties.as_int())
            .ok_or_else(|| raise::type_error("parties must be an integer"))?;
        if parties < 1 {
            return Err(raise::value_error("parties must be >= 1").into());
        }
        Ok(Box::new(Self {
            parties: usize::try_from(parties).unwrap_or(usize::MAX),
            timeout: seconds(timeout)?,
            waiting: Vec::new(),
            broken: false,
        }))
    }

    fn wait(&mut self, timeout: Option<f64>, turn: &mut Turn<'_>) -> Called {
        if self.broken {
            return Err(raise::broken_barrier().into());
        }
        let index = self.waiting.len();
        if index + 1 == self.parties {
            for (index, owner) in self.waiting.drain(..).enumerate() {
                turn.wake(owner, Answer::Value(Value::from(index)));
            }
            return Ok(Value::from(index).into());
        }
        if timeout.is_some_and(|timeout| timeout <= 0.0) {
            self.broken = true;
            self.turn_away(turn);
            return Err(raise::broken_barrier().into());
        }
        self.waiting.push(turn.owner);
        Ok(Outcome::Wait(turn.deadline(timeout)))
    }

    fn turn_away(&mut self, turn: &mut Turn<'_>) {
        for owner in self.waiting.drain(..) {
            turn.wake(owner, Answer::Raise(raise::broken_barrier()));
        }
    }

    fn attribute(&self, call: &Call<'_>) -> Called {
        let name = plain(call.one()?, "an attribute's name")?;
        match name.as_str() {
            Some("parties") => Ok(Value::from(self.parties).into()),
            Some("n_waiting") => Ok(Value::from(self.waiting.len()).into()),
            Some("broken") => Ok(Value::Bool(self.broken).into()),
            Some(name) => {
                Err(raise::attribute_error(format!("'Barrier' object has no attribute '{name}'"))
                    .into())
            }
            None => Err(raise::type_error("attribute name must be string").into()),
        }
    }
}

impl Hosted for Barrier {
    fn exposed(&self) -> &'static [&'static str] {
        &["__getattribute__", "wait", "abort", "reset"]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "wait" => {
                let [timeout] = call.bind(["timeout"], 0)?;
                let timeout = seconds(timeout)?.or(self.timeout);
                return self.wait(timeout, turn);
            }
            "__getattribute__" => return self.attribute(call),
            "abort" => {
                call.none()?;
                self.broken = true;
            }
            "reset" => {
                call.none()?;
                self.broken = false;
            }
            _ => return Err(Fault::NoMethod),
        }
        self.turn_away(turn);
        Ok(Value::None.into())
    }

    fn expire(&mut self, owner: Owner, turn: &mut Turn<'_>) -> Option<Answer> {
        self.leave(owner, turn);
        self.broken = true;
        self.turn_away(turn);
        Some(Answer::Raise(raise::broken_barrier()))
    }

    fn leave(&mut self, owner: Owner, _turn: &mut Turn<'_>) {
        self.waiting.retain(|waiting| *waiting != owner);
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        if self.broken {
            return Ok(format!("<threading.Barrier at 0x{address}: broken>"));
        }
        let (waiting, parties) = (self.waiting.len(), self.parties);
        Ok(format!("<threading.Barrier at 0x{address}: waiters={waiting}/{parties}>"))
    }
}
