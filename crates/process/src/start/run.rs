//! The typed part of a child: decode the arguments, call the function, encode the outcome.

use std::any::Any;

use procession_sys::image::Entry;
use procession_sys::{crash_point, environment};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::order::Preface;
use super::slot::Slot;
use crate::current;
use crate::panic::{Panic, before_abort, catch};
use crate::python::Raised;

/// The exit code of a function that returned.
pub(crate) const RETURNED: i32 = 0;
/// The exit code of a function that panicked: what Rust gives a program whose main thread did.
pub(crate) const PANICKED: i32 = 101;
/// The exit code of a child that could not take its arguments or send its result.
pub(crate) const FAILED: i32 = 102;

/// What a child leaves in its slot.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Outcome<R> {
    /// What the function returned.
    Returned(R),
    /// That it panicked.
    Panicked(Panic),
    /// That it was not called, or that its value could not be encoded.
    Failed(String),
    /// That it raised an exception, in Python.
    Raised(Raised),
}

/// One call, on the untyped side.
#[derive(Debug)]
pub(super) struct Task {
    slot: Slot,
    code: i32,
}

impl Task {
    pub(super) fn new(slot: Slot) -> Self {
        Self { slot, code: FAILED }
    }

    /// The exit code.
    pub(super) fn code(&self) -> i32 {
        self.code
    }

    /// Leaves word that the function was not called, or that it was in vain.
    pub(super) fn fail(&mut self, reason: String) {
        self.code = FAILED;
        if let Err(error) = self.slot.put_outcome(&Outcome::<()>::Failed(reason)) {
            eprintln!("procession: process {} cannot leave word: {error}", std::process::id());
        }
    }

    fn leave_outcome<R: Serialize + DeserializeOwned>(&mut self, outcome: &Outcome<R>) {
        crash_point!("start.child.before_result");
        match self.slot.put_outcome(outcome) {
            Ok(()) => {
                self.code = if let Outcome::Panicked(_) = outcome { PANICKED } else { RETURNED };
            }
            Err(error) => self.fail(format!("its result cannot be sent: {error}")),
        }
        crash_point!("start.child.result");
    }
}

/// How `Process` runs its function.
#[derive(Debug)]
pub(crate) struct Run;

impl<A: DeserializeOwned, R: Serialize + DeserializeOwned> Entry<fn(A) -> R> for Run {
    fn enter(f: fn(A) -> R, task: &mut dyn Any) {
        let Some(task) = task.downcast_mut::<Task>() else {
            return;
        };
        let arguments = match task.slot.take_arguments::<(Preface, A)>() {
            Ok(Some((preface, arguments))) => become_child(preface).map(|()| arguments),
            // The zygote was killed in the start, and the parent asks another one.
            Ok(None) => return,
            Err(error) => Err(format!("its arguments cannot be decoded: {error}")),
        };
        match arguments {
            Ok(arguments) => {
                crash_point!("start.child.before_call");
                let slot = task.slot;
                before_abort(move |panic| {
                    // Without room for it, the signal has to say it all.
                    let _ = slot.put_outcome(&Outcome::<()>::Panicked(panic.clone()));
                });
                let outcome =
                    catch(|| f(arguments)).map_or_else(Outcome::Panicked, Outcome::Returned);
                task.leave_outcome(&outcome);
            }
            Err(reason) => task.fail(reason),
        }
    }
}

/// Takes name, environment and directory.
fn become_child(preface: Preface) -> Result<(), String> {
    if !environment::change(&preface.environment) {
        return Err("its environment cannot be changed beside other threads".to_owned());
    }
    if let Some(directory) = &preface.directory {
        std::env::set_current_dir(directory).map_err(|error| {
            format!("cannot change to directory {}: {error}", directory.display())
        })?;
    }
    current::become_child(preface.identity);
    Ok(())
}
