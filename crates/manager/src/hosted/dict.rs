//! `dict`: keys are plain data, values are opaque. It keeps the order of insertion.

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Turn, not_implemented};
use super::elements::{elements, pairs};
use super::iterator::{Iterator, Size};
use super::key::{Key, wanted};
use super::raise;
use super::store::Kept;
use procession_wire::message::Argument;
use procession_wire::value::Value;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// A dict. Each entry has a number that grows, which is its place in the order.
#[derive(Debug, Default)]
pub(crate) struct Dict {
    numbers: HashMap<Key, u64>,
    entries: BTreeMap<u64, (Key, Rc<Kept>)>,
    next: u64,
    size: Size,
}

impl Dict {
    /// From the arguments of `dict(iterable=(), **kwargs)`.
    pub(crate) fn create(call: &Call<'_>, turn: &Turn<'_>) -> Result<Box<dyn Hosted>, Fault> {
        let mut dict = Self::default();
        dict.update(call, turn)?;
        dict.size.set(dict.entries.len());
        Ok(Box::new(dict))
    }

    fn get(&self, key: &Value) -> Option<&Rc<Kept>> {
        self.entries.get(self.numbers.get(key)?).map(|(_, value)| value)
    }

    fn insert(&mut self, key: Key, value: Rc<Kept>) {
        let next = self.next;
        let number = *self.numbers.entry(key.clone()).or_insert(next);
        if number == next {
            self.next += 1;
            self.entries.insert(number, (key, value));
        } else if let Some((_, old)) = self.entries.get_mut(&number) {
            *old = value;
        }
    }

    fn remove(&mut self, key: &Value) -> Option<Rc<Kept>> {
        let number = self.numbers.remove(key)?;
        self.entries.remove(&number).map(|(_, value)| value)
    }

    fn update(&mut self, call: &Call<'_>, turn: &Turn<'_>) -> Result<(), Fault> {
        if call.args.len() > 1 {
            return Err(raise::type_error(format!(
                "{} expected at most 1 argument, got {}",
                call.method,
                call.args.len()
            ))
            .into());
        }
        let mut new = Vec::new();
        for (key, value) in call.args.first().map_or(Ok(Vec::new()), pairs)? {
            new.push((Key::keep(&key, turn)?, turn.store.keep(&value)?));
        }
        for (name, value) in call.kwds {
            let key = turn.store.keep_value(&Value::Str((*name).to_owned()))?;
            new.push((Key::of(key)?, turn.store.keep(value)?));
        }
        for (key, value) in new {
            self.insert(key, value);
        }
        Ok(())
    }

    fn whole(&self) -> Value {
        Value::Dict(self.items().map(|(key, value)| (key.value().clone(), value.part())).collect())
    }

    fn items(&self) -> impl std::iter::DoubleEndedIterator<Item = &(Key, Rc<Kept>)> {
        self.entries.values()
    }

    /// A value of the dict if the key is there, and otherwise the argument, or `None`.
    fn or_default(&self, call: &Call<'_>, turn: &Turn<'_>) -> Called {
        let [Some(key), default] = call.bind(["", ""], 1)? else { return Err(Fault::NoMethod) };
        match (self.get(&wanted(key)?), default) {
            (Some(value), _) => Ok(Outcome::Done(Answer::Payload(Rc::clone(value)))),
            (None, Some(default)) => Ok(Outcome::Done(Answer::Payload(turn.store.keep(default)?))),
            (None, None) => Ok(Value::None.into()),
        }
    }

    fn set_default(&mut self, call: &Call<'_>, turn: &Turn<'_>) -> Called {
        let [Some(key), default] = call.bind(["", ""], 1)? else { return Err(Fault::NoMethod) };
        if let Some(value) = self.get(&wanted(key)?) {
            return Ok(Outcome::Done(Answer::Payload(Rc::clone(value))));
        }
        let value = default_value(default, turn)?;
        self.insert(Key::keep(key, turn)?, Rc::clone(&value));
        Ok(Outcome::Done(Answer::Payload(value)))
    }

    fn pop(&mut self, call: &Call<'_>, turn: &Turn<'_>) -> Called {
        let [Some(key), default] = call.bind(["", ""], 1)? else { return Err(Fault::NoMethod) };
        let key = wanted(key)?;
        match (self.remove(&key), default) {
            (Some(value), _) => Ok(Outcome::Done(Answer::Payload(value))),
            (None, Some(default)) => Ok(Outcome::Done(Answer::Payload(turn.store.keep(default)?))),
            (None, None) => Err(raise::key_error(key).into()),
        }
    }

    fn pop_item(&mut self) -> Called {
        let Some((_, (key, value))) = self.entries.pop_last() else {
            let text = Value::Str("popitem(): dictionary is empty".to_owned());
            return Err(raise::key_error(text).into());
        };
        self.numbers.remove(key.value());
        Ok(Value::Tuple(vec![key.value().clone(), value.part()]).into())
    }

    /// What `|` gives: the entries of `self`, then those of the argument, or the other way round.
    fn merged(&self, call: &Call<'_>, turn: &Turn<'_>, self_last: bool) -> Called {
        let argument = call.one()?;
        if argument.pairs().is_none() && argument.value().is_ok() {
            return Ok(not_implemented());
        }
        let mut other = Self::default();
        let mut merged = Self::default();
        other.update(call, turn)?;
        let (first, last) = if self_last { (&other, self) } else { (self, &other) };
        for (key, value) in first.items().chain(last.items()) {
            merged.insert(key.clone(), Rc::clone(value));
        }
        Ok(merged.whole().into())
    }

    fn from_keys(call: &Call<'_>, turn: &Turn<'_>) -> Called {
        let [Some(keys), value] = call.bind(["", ""], 1)? else { return Err(Fault::NoMethod) };
        let value = default_value(value, turn)?;
        let mut dict = Self::default();
        for key in elements(keys, turn)? {
            dict.insert(Key::of(key)?, Rc::clone(&value));
        }
        Ok(dict.whole().into())
    }
}

fn default_value(argument: Option<&Argument<'_>>, turn: &Turn<'_>) -> Result<Rc<Kept>, Fault> {
    Ok(match argument {
        Some(argument) => turn.store.keep(argument)?,
        None => turn.store.keep_value(&Value::None)?,
    })
}

impl Dict {
    fn carry_out(&mut self, call: &Call<'_>, turn: &Turn<'_>) -> Called {
        match call.method {
            "__len__" => Ok(Value::from(self.entries.len()).into()),
            "__contains__" => Ok(Value::Bool(self.get(&wanted(call.one()?)?).is_some()).into()),
            "__getitem__" => {
                let key = wanted(call.one()?)?;
                let value = self.get(&key).cloned().ok_or_else(|| raise::key_error(key))?;
                Ok(Outcome::Done(Answer::Payload(value)))
            }
            "__setitem__" => {
                let [Some(key), Some(value)] = call.bind(["", ""], 2)? else {
                    return Err(Fault::NoMethod);
                };
                self.insert(Key::keep(key, turn)?, turn.store.keep(value)?);
                Ok(Value::None.into())
            }
            "__delitem__" => {
                let key = wanted(call.one()?)?;
                self.remove(&key).ok_or_else(|| raise::key_error(key))?;
                Ok(Value::None.into())
            }
            "get" => self.or_default(call, turn),
            "setdefault" => self.set_default(call, turn),
            "pop" => self.pop(call, turn),
            "popitem" => self.pop_item(),
            "update" => self.update(call, turn).map(|()| Value::None.into()),
            "__or__" => self.merged(call, turn, false),
            "__ror__" => self.merged(call, turn, true),
            "__ior__" => {
                self.update(call, turn)?;
                Ok(self.whole().into())
            }
            "fromkeys" => Self::from_keys(call, turn),
            method => {
                call.none()?;
                match method {
                    "clear" => {
                        self.numbers.clear();
                        self.entries.clear();
                        Ok(Value::None.into())
                    }
                    "copy" => Ok(self.whole().into()),
                    "keys" => {
                        let keys = self.items().map(|(key, _)| key.value().clone());
                        Ok(Value::List(keys.collect()).into())
                    }
                    "values" => {
                        let values = self.items().map(|(_, value)| value.part());
                        Ok(Value::List(values.collect()).into())
                    }
                    "items" => {
                        let pair = |(key, value): &(Key, Rc<Kept>)| {
                            Value::Tuple(vec![key.value().clone(), value.part()])
                        };
                        Ok(Value::List(self.items().map(pair).collect()).into())
                    }
                    "__iter__" => {
                        let keys = self.items().map(|(key, _)| key.kept());
                        Ok(Outcome::Done(Answer::Proxy(
                            "Iterator",
                            Iterator::over(keys, "dictionary", &self.size),
                        )))
                    }
                    "__reversed__" => {
                        let keys = self.items().rev().map(|(key, _)| key.value().clone());
                        let keys = Value::List(keys.collect());
                        Ok(Value::call("builtins", "iter", vec![keys]).into())
                    }
                    _ => Err(Fault::NoMethod),
                }
            }
        }
    }
}

impl Hosted for Dict {
    fn exposed(&self) -> &'static [&'static str] {
        &[
            "__contains__",
            "__delitem__",
            "__getitem__",
            "__ior__",
            "__iter__",
            "__len__",
            "__or__",
            "__reversed__",
            "__ror__",
            "__setitem__",
            "clear",
            "copy",
            "fromkeys",
            "get",
            "items",
            "keys",
            "pop",
            "popitem",
            "setdefault",
            "update",
            "values",
            "__iter__",
        ]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        let called = self.carry_out(call, turn);
        self.size.set(self.entries.len());
        called
    }

    fn repr(&self, _address: &str) -> Result<String, Fault> {
        let entry =
            |(key, value): &(Key, Rc<Kept>)| Ok(format!("{}: {}", key.value(), value.repr()?));
        let entries = self.items().map(entry).collect::<Result<Vec<_>, Fault>>()?;
        Ok(format!("{{{}}}", entries.join(", ")))
    }

    fn contents(&self) -> Result<Answer, Fault> {
        Ok(Answer::Value(self.whole()))
    }
}
