//! Running a task's function, on the typed side of a worker.

use super::wire::{Head, Mail, Status, TASK_HEAD};
use crate::panic::catch;
use procession_ipc::message::{self, Objects};
use procession_sys::image::Entry;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::time::Instant;

/// A task in a worker's hands: its message, and the result that becomes of it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) task: u64,
    pub(super) mail: Mail,
    pub(super) output: Vec<u8>,
    pub(super) format: u8,
    pub(super) objects: Objects,
}

/// The function is called once, with the arguments.
#[derive(Debug)]
pub(super) struct Once;
/// The function is called with each of a vector of arguments; the result is a vector. How long that took
/// is measured only where chunks follow from it: two looks at the clock cost as much as a small task.
#[derive(Debug)]
pub(super) struct Each<const MEASURED: bool>;

impl<A: DeserializeOwned, R: Serialize + DeserializeOwned> Entry<fn(A) -> R> for Once {
    fn enter(f: fn(A) -> R, task: &mut dyn Any) {
        Call::run(task, false, |arguments: A| f(arguments));
    }
}

impl<A, B, R, const MEASURED: bool> Entry<fn(A, B) -> R> for Each<MEASURED>
where
    A: DeserializeOwned,
    B: DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    fn enter(f: fn(A, B) -> R, task: &mut dyn Any) {
        Call::run(task, MEASURED, |all: Vec<(A, B)>| {
            all.into_iter().map(|(a, b)| f(a, b)).collect::<Vec<R>>()
        });
    }
}

impl<A, R, const MEASURED: bool> Entry<fn(A) -> R> for Each<MEASURED>
where
    A: DeserializeOwned,
    R: Serialize + DeserializeOwned,
{
    fn enter(f: fn(A) -> R, task: &mut dyn Any) {
        Call::run(task, MEASURED, |all: Vec<A>| all.into_iter().map(f).collect::<Vec<R>>());
    }
}

impl Call {
    #[inline]
    fn run<A: DeserializeOwned, R: Serialize + DeserializeOwned>(
        task: &mut dyn Any,
        is_measured: bool,
        work: impl FnOnce(A) -> R,
    ) {
        let Some(call) = task.downcast_mut::<Self>() else { return };
        let arguments = match call.mail.decode_from(TASK_HEAD) {
            Ok(arguments) => arguments,
            Err(error) => return call.end(0, Status::Failed, &error.to_string()),
        };
        let start = is_measured.then(Instant::now);
        let outcome = catch(|| work(arguments));
        let nanoseconds = start.map_or(0, |start| start.elapsed().as_nanos() as u64);
        match outcome {
            Ok(value) => call.end(nanoseconds, Status::Returned, &value),
            Err(panic) => call.end(nanoseconds, Status::Panicked, &panic),
        }
    }

    /// Writes the result.
    pub(super) fn end<T: Serialize + DeserializeOwned>(
        &mut self,
        nanoseconds: u64,
        status: Status,
        what: &T,
    ) {
        self.output.clear();
        Head { task: self.task, nanoseconds, status }.write(&mut self.output);
        match message::encode(what, &mut self.output) {
            Ok((format, objects)) => (self.format, self.objects) = (format, objects),
            Err(error) if status == Status::Failed => unreachable!("text is always sent: {error}"),
            Err(error) => self.end(nanoseconds, Status::Failed, &error.to_string()),
        }
    }
}
