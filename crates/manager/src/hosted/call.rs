//! A call with its arguments, and what can come of it.

use super::arena::Place;
use super::raise;
use super::store::{Kept, Store};
use crate::memory::bells::Bells;
use procession_wire::message::{Argument, Exception};
use procession_wire::value::{Class, Value};
use std::fmt::Debug;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Who calls: a connection, by a number that is never used again. A connection waits in one call at most.
pub(crate) type Owner = u64;

/// What a client is told.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A value that the server made.
    Value(Value),
    /// A payload, as it was put.
    Payload(Rc<Kept>),
    /// A payload that the client has now, and nobody else; [`Hosted::give_back`] if it cannot be sent.
    Item(Rc<Kept>),
    /// An exception.
    Raise(Exception),
    /// A new object, as a proxy of that type.
    Proxy(&'static str, Box<dyn Hosted>),
    /// The object cannot be sent as it is.
    Unserializable(&'static str),
}

/// What comes of a call.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer.
    Done(Answer),
    /// The caller stands in the object's line, until then at most.
    Wait(Option<Instant>),
}

/// Why a call is not carried out.
#[derive(Debug)]
pub(crate) enum Fault {
    /// It raises.
    Raise(Exception),
    /// It needs to understand what opaque bytes mean; says what.
    Beyond(&'static str),
    /// There is no such method.
    NoMethod,
}

impl From<Exception> for Fault {
    fn from(exception: Exception) -> Self {
        Self::Raise(exception)
    }
}

impl From<Value> for Outcome {
    fn from(value: Value) -> Self {
        Self::Done(Answer::Value(value))
    }
}

pub(crate) type Called = Result<Outcome, Fault>;

/// One object that clients share.
pub(crate) trait Hosted: Debug {
    /// The methods that a client may call, in the order in which it is told.
    fn exposed(&self) -> &'static [&'static str];

    /// Carries out one call.
    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called;

    /// The call in which `owner` waits has reached its deadline. `None`: it waits on, for as long as it takes.
    fn expire(&mut self, _owner: Owner, _turn: &mut Turn<'_>) -> Option<Answer> {
        None
    }

    /// The connection is gone: it waits for nothing and holds nothing any more.
    fn leave(&mut self, _owner: Owner, _turn: &mut Turn<'_>) {}

    /// An [`Answer::Item`] that did not reach its client.
    fn give_back(&mut self, _item: Rc<Kept>, _turn: &mut Turn<'_>) {}

    /// What Python's `repr` says.
    fn repr(&self, address: &str) -> Result<String, Fault>;

    /// The object itself, for `copy` and `_getvalue`.
    fn contents(&self) -> Result<Answer, Fault> {
        Ok(Answer::Unserializable("TypeError: cannot pickle a lock\n"))
    }

    /// A client is told where in the arena it lies, and uses it there from now on; `None` if it does not lie there.
    fn share(&mut self, _turn: &mut Turn<'_>) -> Option<Place> {
        None
    }

    /// The number under which its doorbells are heard.
    fn number(&self) -> Option<u64> {
        None
    }

    /// A doorbell rang: others may have used it without the server. Whoever waits for that is answered.
    fn look(&mut self, _turn: &mut Turn<'_>) {}

    /// The payload that was kept here while a ticket for it went through the arena.
    fn claim(&mut self, _ticket: u64) -> Option<Rc<Kept>> {
        None
    }

    /// The lock in it, for a condition that is to share it.
    fn lock(&self) -> Option<super::lock::Shared> {
        None
    }
}

/// What an object may use while it carries out a call.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    /// Who calls.
    pub(crate) owner: Owner,
    /// When.
    pub(crate) now: Instant,
    /// Where payloads are kept.
    pub(crate) store: &'a Rc<Store>,
    /// The bells of what lies in the arena; `None` if nothing does.
    pub(crate) bells: Option<&'a Rc<Bells>>,
    /// Who was waiting and is answered by this.
    pub(crate) woken: &'a mut Vec<(Owner, Answer)>,
}

impl Turn<'_> {
    /// Answers somebody who waits.
    pub(crate) fn wake(&mut self, owner: Owner, answer: Answer) {
        self.woken.push((owner, answer));
    }

    /// When a wait of `seconds` ends; `None` for one that does not.
    pub(crate) fn deadline(&self, seconds: Option<f64>) -> Option<Instant> {
        let duration = Duration::try_from_secs_f64(seconds?).ok()?;
        self.now.checked_add(duration)
    }
}

/// A method and its arguments.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: &'a str,
    pub(crate) args: &'a [Argument<'a>],
    pub(crate) kwds: &'a [(&'a str, Argument<'a>)],
}

impl<'a> Call<'a> {
    /// The arguments in the order of a signature: the first `required` must be there, the others may. An empty name is a
    /// parameter that is given by its place only.
    pub(crate) fn bind<const N: usize>(
        &self,
        names: [&str; N],
        required: usize,
    ) -> Result<[Option<&Argument<'a>>; N], Exception> {
        let method = self.method;
        if self.args.len() > N {
            let given = self.args.len();
            return Err(raise::type_error(format!(
                "{method}() takes at most {N} arguments ({given} given)"
            )));
        }
        let mut bound = [None; N];
        for (place, argument) in bound.iter_mut().zip(self.args) {
            *place = Some(argument);
        }
        for (name, argument) in self.kwds {
            let place = names.iter().position(|known| known == name && !known.is_empty());
            let Some(place) = place.and_then(|place| bound.get_mut(place)) else {
                return Err(raise::type_error(format!(
                    "{method}() got an unexpected keyword argument '{name}'"
                )));
            };
            if place.replace(argument).is_some() {
                return Err(raise::type_error(format!(
                    "{method}() got multiple values for argument '{name}'"
                )));
            }
        }
        let missing = bound.iter().zip(names).take(required).find(|(found, _)| found.is_none());
        match missing {
            None => Ok(bound),
            Some((_, "")) => Err(raise::type_error(format!(
                "{method}() takes at least {required} arguments ({} given)",
                self.args.len()
            ))),
            Some((_, name)) => Err(raise::type_error(format!(
                "{method}() missing 1 required positional argument: '{name}'"
            ))),
        }
    }

    /// The one argument.
    pub(crate) fn one(&self) -> Result<&Argument<'a>, Exception> {
        match (self.args, self.kwds.is_empty()) {
            ([argument], true) => Ok(argument),
            (given, _) => Err(raise::type_error(format!(
                "{}() takes exactly one argument ({} given)",
                self.method,
                given.len() + self.kwds.len()
            ))),
        }
    }

    /// Nothing.
    pub(crate) fn none(&self) -> Result<(), Exception> {
        self.bind([], 0).map(|[]| ())
    }
}

/// What an operator answers to an operand that is not for it. The client's Python asks that one then, and raises.
pub(crate) fn not_implemented() -> Outcome {
    Value::Class(Box::new(Class::new("builtins", "NotImplemented"))).into()
}

/// A plain value of an argument.
pub(crate) fn plain(argument: &Argument<'_>, doing: &'static str) -> Result<Value, Fault> {
    argument.value().map_err(|_| Fault::Beyond(doing))
}

/// Whether an argument is true; `default` if it was not given.
pub(crate) fn truth(argument: Option<&Argument<'_>>, default: bool) -> Result<bool, Fault> {
    argument.map_or(Ok(default), |argument| {
        // What is not plain is an object of some class, and those are true unless they say otherwise.
        Ok(argument.value().map_or(true, |value| value.is_true()))
    })
}

/// Seconds; `None` if it was not given or is Python's `None`.
pub(crate) fn seconds(argument: Option<&Argument<'_>>) -> Result<Option<f64>, Fault> {
    let Some(argument) = argument else { return Ok(None) };
    match plain(argument, "a timeout")? {
        Value::None => Ok(None),
        value => match value.as_float() {
            Some(seconds) => Ok(Some(seconds)),
            None => {
                let name = value.type_name();
                Err(raise::type_error(format!("must be real number, not {name}")).into())
            }
        },
    }
}
