//! `Condition`: a lock, and a line of those who wait to be notified.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Owner, Turn, plain, seconds};
use super::lock::{Lock, Shared};
use super::raise;
use procession_wire::message::Exception;
use procession_wire::value::Value;
use std::collections::VecDeque;
use std::rc::Rc;

/// A condition. Who was notified, or waited long enough, stands in the lock's line and no longer here.
#[derive(Debug)]
pub(crate) struct Condition {
    lock: Shared,
    /// Who waits, and how deep it held the lock.
    sleepers: VecDeque<(Owner, u64)>,
}

impl Condition {
    /// From the arguments of `Condition(lock=None)`; a lock is the proxy of one, which `lock_of` finds by its name.
    pub(crate) fn create(
        call: &Call<'_>,
        lock_of: &dyn Fn(&str) -> Option<Shared>,
    ) -> Result<Box<dyn Hosted>, Fault> {
        let [lock] = call.bind(["lock"], 0)?;
        let lock = match lock {
            None => Lock::new(true),
            Some(lock) if matches!(lock.value(), Ok(Value::None)) => Lock::new(true),
            Some(lock) => {
                let payload =
                    lock.payload().map_err(|error| raise::value_error(error.to_string()))?;
                let found = payload.tokens().iter().find_map(|token| lock_of(&token.id));
                found.ok_or(Fault::Beyond("a condition on a lock of another kind"))?
            }
        };
        Ok(Box::new(Self { lock, sleepers: VecDeque::new() }))
    }

    fn must_own(&self, doing: &str, owner: Owner) -> Result<(), Exception> {
        if self.lock.borrow().is_owned(owner) {
            return Ok(());
        }
        Err(raise::runtime_error(format!("cannot {doing} on un-acquired lock")))
    }

    fn wait(&mut self, timeout: Option<f64>, turn: &mut Turn<'_>) -> Outcome {
        let depth = self.lock.borrow_mut().lay_down(turn);
        match timeout {
            Some(seconds) if seconds <= 0.0 => {
                self.lock.borrow_mut().take_up(turn.owner, depth, false, turn);
                Outcome::Wait(None)
            }
            timeout => {
                self.sleepers.push_back((turn.owner, depth));
                Outcome::Wait(turn.deadline(timeout))
            }
        }
    }

    fn notify(&mut self, most: usize, turn: &mut Turn<'_>) {
        for (owner, depth) in self.sleepers.drain(..most.min(self.sleepers.len())) {
            self.lock.borrow_mut().take_up(owner, depth, true, turn);
        }
    }
}

impl Hosted for Condition {
    fn exposed(&self) -> &'static [&'static str] {
        &["acquire", "locked", "notify", "notify_all", "release", "wait"]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "wait" => {
                let [timeout] = call.bind(["timeout"], 0)?;
                self.must_own("wait", turn.owner)?;
                Ok(self.wait(seconds(timeout)?, turn))
            }
            "notify" => {
                let [most] = call.bind(["n"], 0)?;
                self.must_own("notify", turn.owner)?;
                let most = match most.map(|most| plain(most, "a number")).transpose()? {
                    None => 1,
                    Some(value) => value
                        .as_int()
                        .ok_or_else(|| raise::type_error("n must be an integer"))?
                        .max(0),
                };
                self.notify(usize::try_from(most).unwrap_or(usize::MAX), turn);
                Ok(Value::None.into())
            }
            "notify_all" => {
                call.none()?;
                self.must_own("notify", turn.owner)?;
                self.notify(usize::MAX, turn);
                Ok(Value::None.into())
            }
            _ => self.lock.borrow_mut().call(call, turn),
        }
    }

    fn expire(&mut self, owner: Owner, turn: &mut Turn<'_>) -> Option<Answer> {
        let Some(place) = self.sleepers.iter().position(|(sleeper, _)| *sleeper == owner) else {
            return self.lock.borrow_mut().expire(owner);
        };
        let (_, depth) = self.sleepers.remove(place)?;
        self.lock.borrow_mut().take_up(owner, depth, false, turn);
        None
    }

    fn leave(&mut self, owner: Owner, turn: &mut Turn<'_>) {
        self.sleepers.retain(|(sleeper, _)| *sleeper != owner);
        self.lock.borrow_mut().leave(owner, turn);
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        Ok(format!("<Condition({}, {})>", self.lock.borrow().repr(address), self.sleepers.len()))
    }

    fn lock(&self) -> Option<Shared> {
        Some(Rc::clone(&self.lock))
    }
}
