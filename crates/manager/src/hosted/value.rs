//! `Value`: one value, and a type code that nobody enforces.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Turn};
use super::store::Kept;
use procession_wire::value::Value as Plain;
use std::rc::Rc;

/// A type code and a value.
#[derive(Debug)]
pub(crate) struct Value {
    typecode: Rc<Kept>,
    value: Rc<Kept>,
}

impl Value {
    /// From the arguments of `Value(typecode, value, lock=True)`; the lock means nothing, as in stock.
    pub(crate) fn create(call: &Call<'_>, turn: &Turn<'_>) -> Result<Box<dyn Hosted>, Fault> {
        let [Some(typecode), Some(value), _] = call.bind(["typecode", "value", "lock"], 2)? else {
            return Err(Fault::NoMethod);
        };
        let (typecode, value) = (turn.store.keep(typecode)?, turn.store.keep(value)?);
        Ok(Box::new(Self { typecode, value }))
    }
}

impl Hosted for Value {
    fn exposed(&self) -> &'static [&'static str] {
        &["get", "set"]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "get" => {
                call.none()?;
                Ok(Outcome::Done(Answer::Payload(Rc::clone(&self.value))))
            }
            "set" => {
                let [Some(value)] = call.bind(["value"], 1)? else { return Err(Fault::NoMethod) };
                self.value = turn.store.keep(value)?;
                Ok(Plain::None.into())
            }
            _ => Err(Fault::NoMethod),
        }
    }

    fn repr(&self, _address: &str) -> Result<String, Fault> {
        Ok(format!("Value({}, {})", self.typecode.repr()?, self.value.repr()?))
    }

    fn contents(&self) -> Result<Answer, Fault> {
        Ok(contents(&self.typecode, &self.value))
    }
}

/// The object that stock has.
pub(super) fn contents(typecode: &Kept, value: &Kept) -> Answer {
    let state = Plain::Dict(vec![
        (Plain::Str("_typecode".to_owned()), typecode.part()),
        (Plain::Str("_value".to_owned()), value.part()),
    ]);
    Answer::Value(Plain::object("multiprocessing.managers", "Value", state))
}
