//! The tasks of a program, by name.

use std::fmt;
use std::os::unix::process::parent_id;

use procession_ipc::message::{self, Parcel};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::order::{Arguments, Head};
use crate::current::{self, Identity};
use crate::panic::{Panic, before_abort, catch};
use crate::start::run::{FAILED, Outcome, PANICKED, RETURNED};
use crate::start::slot::Slot;

/// The tasks that a program has for processes in other languages; see [`init_with`](crate::init_with).
#[derive(Default)]
#[must_use = "give them to `init_with`"]
pub struct Tasks {
    list: Vec<(&'static str, Box<Run>)>,
}

/// Decodes the arguments, runs the task, appends its outcome; the exit code.
type Run = dyn Fn(&Parcel, &mut Vec<u8>) -> i32;

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
        let run = move |parcel: &Parcel, bytes: &mut Vec<u8>| match parcel.decode_from_python() {
            Ok(Arguments { arguments }) => {
                let outcome = catch(|| task(arguments));
                leave(outcome.map_or_else(Outcome::Panicked, Outcome::Returned), bytes)
            }
            Err(error) => fail(format!("its arguments cannot be decoded: {error}"), bytes),
        };
        self.list.push((name, Box::new(run)));
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
            Some((_, run)) => run(parcel, bytes),
            None => {
                let names: Vec<_> = self.list.iter().map(|(name, _)| *name).collect();
                let there = names.join(", ");
                fail(format!("the program has no task `{}`; it has: {there}", head.function), bytes)
            }
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
