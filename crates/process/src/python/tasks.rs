//! The tasks of a program, by name.

use std::convert::Infallible;
use std::fmt;
use std::os::unix::process::parent_id;

use procession_ipc::message::{self, PICKLE, Parcel};
use procession_ipc::{Error, Queue};
use procession_wire::value::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::order::{Arguments, Head};
use super::standing::{Answer, Pickle};
use crate::current::{self, Identity};
use crate::panic::{Panic, before_abort, catch};
use crate::start::run::{FAILED, Outcome, PANICKED, RETURNED};
use crate::start::slot::Slot;

/// The tasks that a program has for processes in other languages, and for `procession worker`; see
/// [`init_with`](crate::init_with).
#[derive(Default)]
#[must_use = "give them to `init_with`"]
pub struct Tasks {
    list: Vec<(&'static str, Box<dyn Task>)>,
}

/// A task, whatever its types are.
trait Task {
    /// Calls it with the arguments of an order, and appends its outcome; the exit code.
    fn once(&self, order: &Parcel, bytes: &mut Vec<u8>) -> i32;

    /// Calls it with a pickle of its arguments.
    fn again(&self, pickle: &[u8]) -> Answer;
}

struct Typed<A, R>(fn(A) -> R);

impl<A: DeserializeOwned, R: Serialize> Typed<A, R> {
    /// What came of it; the reason if it was not called.
    fn call(&self, arguments: Result<A, Error>) -> Result<Result<R, Panic>, String> {
        match arguments {
            Ok(arguments) => Ok(catch(|| (self.0)(arguments))),
            Err(error) => Err(format!("its arguments cannot be decoded: {error}")),
        }
    }
}

impl<A: DeserializeOwned, R: Serialize> Task for Typed<A, R> {
    fn once(&self, order: &Parcel, bytes: &mut Vec<u8>) -> i32 {
        let arguments = order.decode_from_python::<Arguments<A>>();
        match self.call(arguments.map(|Arguments { arguments }| arguments)) {
            Ok(done) => leave(done.map_or_else(Outcome::Panicked, Outcome::Returned), bytes),
            Err(reason) => fail(reason, bytes),
        }
    }

    fn again(&self, pickle: &[u8]) -> Answer {
        let mut bytes = Vec::new();
        match self.call(message::decode(PICKLE, pickle)) {
            Ok(Ok(result)) => match message::encode_for_python(&result, &mut bytes) {
                Ok(_) => (true, Pickle(bytes), String::new()),
                Err(error) => unsent(&error),
            },
            Ok(Err(panic)) => raised(panic.to_string()),
            Err(reason) => raised(reason),
        }
    }
}

/// The answer of a task whose result does not arrive.
fn unsent(error: &Error) -> Answer {
    raised(format!("its result cannot be sent: {error}"))
}

/// An answer that is Python's `RuntimeError`.
fn raised(text: String) -> Answer {
    let exception = Value::call("builtins", "RuntimeError", vec![text.as_str().into()]);
    (false, Pickle(exception.to_pickle()), text)
}

impl Tasks {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one. Its argument is `()` if Python sends none, a tuple if it sends several, and may hold shared objects;
    /// data is mapped as [`procession_wire::pickle`] says. A panic is an exception in Python.
    pub fn add<A, R>(mut self, name: &'static str, task: fn(A) -> R) -> Self
    where
        A: DeserializeOwned + 'static,
        R: Serialize + 'static,
    {
        self.list.push((name, Box::new(Typed(task))));
        self
    }

    /// Runs what was asked for; the exit code.
    pub(crate) fn perform(&self, slot: Slot) -> i32 {
        // Without arguments nothing has begun, and nobody asks.
        let Ok(Some(parcel)) = slot.take_parcel() else { return FAILED };
        before_abort(move |panic: &Panic| {
            let mut bytes = Vec::new();
            leave(Outcome::<()>::Panicked(panic.clone()), &mut bytes);
            // Without room for it, the signal has to say it all.
            let _ = slot.put_pickled_outcome(&bytes);
        });
        let mut bytes = Vec::new();
        let code = self.run(&parcel, &mut bytes);
        match slot.put_pickled_outcome(&bytes) {
            Ok(()) => code,
            Err(error) => {
                eprintln!("procession: process {} cannot leave word: {error}", std::process::id());
                FAILED
            }
        }
    }

    fn run(&self, parcel: &Parcel, bytes: &mut Vec<u8>) -> i32 {
        let head = match parcel.decode_from_python::<Head>() {
            Ok(head) => head,
            Err(error) => return fail(format!("its order cannot be decoded: {error}"), bytes),
        };
        current::become_child(Identity {
            name: head.name,
            path: String::new(),
            daemon: false,
            parent: Some(("Python".to_owned(), parent_id() as i32)),
        });
        match self.list.iter().find(|(name, _)| *name == head.function) {
            Some((_, task)) => match head.standing {
                None => task.once(parcel, bytes),
                Some((arguments, answers)) => match stand(&**task, &arguments, &answers) {
                    Err(Error::Closed { .. }) => leave(Outcome::Returned(()), bytes),
                    Err(error) => fail(format!("it is cut off from its parent: {error}"), bytes),
                },
            },
            None => {
                let names: Vec<_> = self.list.iter().map(|(name, _)| *name).collect();
                let there = names.join(", ");
                fail(format!("the program has no task `{}`; it has: {there}", head.function), bytes)
            }
        }
    }
}

/// Does a task for as long as there are arguments, one after the other; first it says that it is there.
fn stand(
    task: &dyn Task,
    arguments: &Queue<()>,
    answers: &Queue<Answer>,
) -> Result<Infallible, Error> {
    answers.put(&(true, Pickle::default(), String::new()))?;
    loop {
        let answer = task.again(&arguments.get_bytes()?);
        if let Err(error) = answers.put(&answer) {
            answers.put(&unsent(&error))?;
        }
    }
}

/// Appends the outcome; the exit code.
fn leave<R: Serialize>(outcome: Outcome<R>, bytes: &mut Vec<u8>) -> i32 {
    match message::encode_for_python(&outcome, bytes) {
        Ok(_) if matches!(outcome, Outcome::Panicked(_)) => PANICKED,
        Ok(_) => RETURNED,
        Err(error) => fail(format!("its result cannot be sent: {error}"), bytes),
    }
}

fn fail(reason: String, bytes: &mut Vec<u8>) -> i32 {
    // A text can be encoded.
    let _ = message::encode_for_python(&Outcome::<()>::Failed(reason), bytes);
    FAILED
}

impl fmt::Debug for Tasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list.iter().map(|(name, _)| name)).finish()
    }
}
