//! `Namespace`: attributes by name.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Turn, plain};
use super::raise;
use super::store::Kept;
use procession_wire::message::{Argument, Exception};
use procession_wire::value::Value;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Attributes, sorted as they are shown.
#[derive(Debug, Default)]
pub(crate) struct Namespace(BTreeMap<String, Rc<Kept>>);

fn name(argument: Option<&Argument<'_>>) -> Result<String, Fault> {
    let value = argument.map_or(Ok(Value::None), |argument| plain(argument, "a name"))?;
    match value.as_str() {
        Some(name) => Ok(name.to_owned()),
        None => {
            let name = value.type_name();
            let text = format!("attribute name must be string, not '{name}'");
            Err(raise::type_error(text).into())
        }
    }
}

fn missing(name: &str) -> Exception {
    raise::attribute_error(format!("'Namespace' object has no attribute '{name}'"))
}

impl Namespace {
    /// From the arguments of `Namespace(**attributes)`.
    pub(crate) fn create(call: &Call<'_>, turn: &Turn<'_>) -> Result<Box<dyn Hosted>, Fault> {
        if !call.args.is_empty() {
            let text = "Namespace() takes keyword arguments only";
            return Err(raise::type_error(text).into());
        }
        let attribute = |(name, value): &(&str, Argument<'_>)| {
            Ok(((*name).to_owned(), turn.store.keep(value)?))
        };
        let attributes = call.kwds.iter().map(attribute).collect::<Result<_, Fault>>()?;
        Ok(Box::new(Self(attributes)))
    }
}

impl Hosted for Namespace {
    fn exposed(&self) -> &'static [&'static str] {
        &["__getattribute__", "__setattr__", "__delattr__"]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match call.method {
            "__getattribute__" => {
                let name = name(Some(call.one()?))?;
                let found = self.0.get(&name).cloned().ok_or_else(|| missing(&name))?;
                return Ok(Outcome::Done(Answer::Payload(found)));
            }
            "__setattr__" => {
                let [at, Some(value)] = call.bind(["", ""], 2)? else {
                    return Err(Fault::NoMethod);
                };
                let value = turn.store.keep(value)?;
                self.0.insert(name(at)?, value);
            }
            "__delattr__" => {
                let name = name(Some(call.one()?))?;
                self.0.remove(&name).ok_or_else(|| missing(&name))?;
            }
            _ => return Err(Fault::NoMethod),
        }
        Ok(Value::None.into())
    }

    fn repr(&self, _address: &str) -> Result<String, Fault> {
        let shown = self.0.iter().filter(|(name, _)| !name.starts_with('_'));
        let attribute =
            |(name, value): (&String, &Rc<Kept>)| Ok(format!("{name}={}", value.repr()?));
        let parts = shown.map(attribute).collect::<Result<Vec<_>, Fault>>()?;
        Ok(format!("Namespace({})", parts.join(", ")))
    }

    fn contents(&self) -> Result<Answer, Fault> {
        let attribute =
            |(name, value): (&String, &Rc<Kept>)| (Value::Str(name.clone()), value.part());
        let state = Value::Dict(self.0.iter().map(attribute).collect());
        Ok(Answer::Value(Value::object("multiprocessing.managers", "Namespace", state)))
    }
}
