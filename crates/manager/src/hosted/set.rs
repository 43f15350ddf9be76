//! `set`, which managers have from CPython 3.14. Its members are plain data.
#![expect(
    clippy::mutable_key_type,
    reason = "equality and hash of a key are those of its value, which never changes"
)]

use super::call::{Answer, Call, Called, Fault, Hosted, Outcome, Turn, not_implemented};
use super::elements::elements;
use super::iterator::{Iterator, Size};
use super::key::{Key, wanted};
use super::raise;
use procession_wire::message::Argument;
use procession_wire::value::Value;
use std::collections::HashSet;

/// A set.
#[derive(Debug, Default)]
pub(crate) struct Set {
    members: HashSet<Key>,
    size: Size,
}

fn members(argument: &Argument<'_>, turn: &Turn<'_>) -> Result<HashSet<Key>, Fault> {
    elements(argument, turn)?.into_iter().map(Key::of).collect()
}

fn whole<'a>(members: impl std::iter::Iterator<Item = &'a Key>) -> Value {
    Value::Set(members.map(|member| member.value().clone()).collect())
}

/// What two sets give together.
#[derive(Clone, Copy)]
enum Pairing {
    Union,
    Intersection,
    Difference,
    Symmetric,
}

impl Pairing {
    fn of(method: &str) -> Option<Self> {
        Some(match method.trim_matches('_') {
            "or" | "ror" | "ior" | "union" | "update" => Self::Union,
            "and" | "rand" | "iand" | "intersection" | "intersection_update" => Self::Intersection,
            "sub" | "isub" | "difference" | "difference_update" => Self::Difference,
            "xor" | "rxor" | "ixor" | "symmetric_difference" | "symmetric_difference_update" => {
                Self::Symmetric
            }
            _ => return None,
        })
    }

    fn apply(self, mine: HashSet<Key>, theirs: &HashSet<Key>) -> HashSet<Key> {
        match self {
            Self::Union => mine.union(theirs).cloned().collect(),
            Self::Intersection => mine.intersection(theirs).cloned().collect(),
            Self::Difference => mine.difference(theirs).cloned().collect(),
            Self::Symmetric => mine.symmetric_difference(theirs).cloned().collect(),
        }
    }
}

/// Whether it is an operator between two sets. Those take sets only, the methods that mean the same whatever can be
/// gone through.
fn is_operator(method: &str) -> bool {
    method.starts_with("__") && !matches!(method, "__contains__" | "__iter__" | "__len__")
}

fn is_set(argument: &Argument<'_>) -> Result<bool, Fault> {
    match argument.value() {
        Ok(value) => Ok(matches!(value, Value::Set(_) | Value::FrozenSet(_))),
        Err(_) => Err(Fault::Beyond("a set's operator with an object")),
    }
}

/// Whether the method changes the set, and whether it answers with it then.
fn in_place(method: &str) -> (bool, bool) {
    match method {
        "__ior__" | "__iand__" | "__isub__" | "__ixor__" => (true, true),
        method => (method.ends_with("update"), false),
    }
}

impl Set {
    /// From the arguments of `set(iterable=())`.
    pub(crate) fn create(call: &Call<'_>, turn: &Turn<'_>) -> Result<Box<dyn Hosted>, Fault> {
        let [all] = call.bind([""], 0)?;
        let members = all.map_or(Ok(HashSet::new()), |all| members(all, turn))?;
        let set = Self { members, size: Size::default() };
        set.size.set(set.members.len());
        Ok(Box::new(set))
    }

    fn combine(&mut self, pairing: Pairing, call: &Call<'_>, turn: &Turn<'_>) -> Called {
        if matches!(pairing, Pairing::Symmetric) {
            call.one()?;
        }
        let mut combined = self.members.clone();
        for other in call.args {
            combined = pairing.apply(combined, &members(other, turn)?);
        }
        let (changes, answers) = in_place(call.method);
        if !changes {
            return Ok(whole(combined.iter()).into());
        }
        self.members = combined;
        Ok(if answers { whole(self.members.iter()).into() } else { Value::None.into() })
    }

    fn compare(&self, call: &Call<'_>, turn: &Turn<'_>) -> Called {
        let mine = &self.members;
        let other = members(call.one()?, turn)?;
        let answer = match call.method {
            "isdisjoint" => mine.is_disjoint(&other),
            "issubset" | "__le__" => mine.is_subset(&other),
            "issuperset" | "__ge__" => mine.is_superset(&other),
            "__lt__" => mine.len() < other.len() && mine.is_subset(&other),
            "__gt__" => mine.len() > other.len() && mine.is_superset(&other),
            _ => return Err(Fault::NoMethod),
        };
        Ok(Value::Bool(answer).into())
    }
}

impl Set {
    fn pop(&mut self) -> Called {
        let Some(member) = self.members.iter().next().cloned() else {
            let text = Value::Str("pop from an empty set".to_owned());
            return Err(raise::key_error(text).into());
        };
        self.members.remove(member.value());
        Ok(member.value().clone().into())
    }

    fn carry_out(&mut self, call: &Call<'_>, turn: &Turn<'_>) -> Called {
        if is_operator(call.method) && !is_set(call.one()?)? {
            return Ok(not_implemented());
        }
        if let Some(pairing) = Pairing::of(call.method) {
            return self.combine(pairing, call, turn);
        }
        match call.method {
            "__len__" => Ok(Value::from(self.members.len()).into()),
            "__contains__" => Ok(Value::Bool(self.members.contains(&wanted(call.one()?)?)).into()),
            "__rsub__" => {
                let other = members(call.one()?, turn)?;
                Ok(whole(other.difference(&self.members)).into())
            }
            "__iter__" => {
                let members = self.members.iter().map(Key::kept);
                Ok(Outcome::Done(Answer::Proxy(
                    "Iterator",
                    Iterator::over(members, "Set", &self.size),
                )))
            }
            "copy" => {
                call.none()?;
                Ok(whole(self.members.iter()).into())
            }
            "add" => {
                let member = Key::keep(call.one()?, turn)?;
                if !self.members.contains(member.value()) {
                    self.members.insert(member);
                }
                Ok(Value::None.into())
            }
            "clear" => {
                call.none()?;
                self.members.clear();
                Ok(Value::None.into())
            }
            "discard" => {
                self.members.remove(&wanted(call.one()?)?);
                Ok(Value::None.into())
            }
            "remove" => {
                let member = wanted(call.one()?)?;
                if self.members.remove(&member) {
                    return Ok(Value::None.into());
                }
                Err(raise::key_error(member).into())
            }
            "pop" => {
                call.none()?;
                self.pop()
            }
            _ => self.compare(call, turn),
        }
    }
}

impl Hosted for Set {
    fn exposed(&self) -> &'static [&'static str] {
        &[
            "__and__",
            "__contains__",
            "__ge__",
            "__gt__",
            "__iand__",
            "__ior__",
            "__isub__",
            "__iter__",
            "__ixor__",
            "__le__",
            "__len__",
            "__lt__",
            "__or__",
            "__rand__",
            "__ror__",
            "__rsub__",
            "__rxor__",
            "__sub__",
            "__xor__",
            "add",
            "clear",
            "copy",
            "difference",
            "difference_update",
            "discard",
            "intersection",
            "intersection_update",
            "isdisjoint",
            "issubset",
            "issuperset",
            "pop",
            "remove",
            "symmetric_difference",
            "symmetric_difference_update",
            "union",
            "update",
            "__iter__",
        ]
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        let called = self.carry_out(call, turn);
        self.size.set(self.members.len());
        called
    }

    fn repr(&self, _address: &str) -> Result<String, Fault> {
        Ok(whole(self.members.iter()).to_string())
    }

    fn contents(&self) -> Result<Answer, Fault> {
        Ok(Answer::Value(whole(self.members.iter())))
    }
}
