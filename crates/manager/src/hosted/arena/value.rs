//! `Value` in the arena: one value, and a type code that nobody enforces.

use super::Place;
use crate::hosted::call::{Answer, Call, Called, Fault, Hosted, Outcome, Turn};
use crate::hosted::raise;
use crate::hosted::store::{Kept, Store};
use crate::hosted::value::contents;
use crate::memory::Cell;
use procession_ipc::Error;
use procession_sys::Deadline;
use procession_wire::message::{Exception, Payload};
use procession_wire::value::Value as Plain;
use std::rc::Rc;
use std::time::Duration;

/// How long the server waits for one who is just reading or writing the cell, and may have been killed at it.
const PATIENCE: Duration = Duration::from_secs(1);

/// A type code, and a cell for the value.
#[derive(Debug)]
pub(crate) struct ArenaValue {
    typecode: Rc<Kept>,
    cell: Cell,
    /// The value, while the cell says that it is here.
    away: Rc<Kept>,
    store: Rc<Store>,
}

fn raised(error: &Error) -> Exception {
    match error {
        error if error.is_out_of_memory() => raise::memory_error(error.to_string()),
        error => raise::runtime_error(error.to_string()),
    }
}

impl ArenaValue {
    /// From the arguments of `Value(typecode, value, lock=True)`; the lock means nothing, as in stock.
    pub(crate) fn create(call: &Call<'_>, turn: &Turn<'_>) -> Result<Box<dyn Hosted>, Fault> {
        let [Some(typecode), Some(value), _] = call.bind(["typecode", "value", "lock"], 2)? else {
            return Err(Fault::NoMethod);
        };
        let (typecode, away) = (turn.store.keep(typecode)?, turn.store.keep(value)?);
        let cell = Cell::new().map_err(|error| raised(&error))?;
        let mut made = Self { typecode, cell, store: Rc::clone(turn.store), away };
        made.set(Rc::clone(&made.away))?;
        Ok(Box::new(made))
    }

    fn set(&mut self, value: Rc<Kept>) -> Result<(), Exception> {
        let pickle = value.payload().as_pickle();
        let deadline = Deadline::after(PATIENCE);
        let fits = !value.pins()
            && self.cell.set(pickle, deadline, || false).map_err(|error| raised(&error))?;
        if !fits {
            self.away = value;
            self.cell.set_away(deadline).map_err(|error| raised(&error))?;
        }
        Ok(())
    }

    fn get(&self) -> Result<Rc<Kept>, Exception> {
        let mut pickle = Vec::new();
        let is_here = self
            .cell
            .get(&mut pickle, Deadline::after(PATIENCE), || false)
            .map_err(|error| raised(&error))?;
        if !is_here {
            return Ok(Rc::clone(&self.away));
        }
        let payload =
            Payload::from_pickle(&pickle).map_err(|error| raise::value_error(error.to_string()))?;
        Ok(self.store.keep_taken(payload))
    }
}

impl Hosted for ArenaValue {
    fn exposed(&self) -> &'static [&'static str] {
        &["get", "set"]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "get" => {
                call.none()?;
                Ok(Outcome::Done(Answer::Payload(self.get()?)))
            }
            "set" => {
                let [Some(value)] = call.bind(["value"], 1)? else { return Err(Fault::NoMethod) };
                self.set(turn.store.keep(value)?)?;
                Ok(Plain::None.into())
            }
            _ => Err(Fault::NoMethod),
        }
    }

    fn repr(&self, _address: &str) -> Result<String, Fault> {
        Ok(format!("Value({}, {})", self.typecode.repr()?, self.get()?.repr()?))
    }

    fn contents(&self) -> Result<Answer, Fault> {
        let value = self.get()?;
        Ok(contents(&self.typecode, &value))
    }

    fn share(&mut self, _turn: &mut Turn<'_>) -> Option<Place> {
        Some(Place { handle: self.cell.held().handle(), kind: "Value", code: None })
    }
}
