//! What a manager answers.

use super::error::ManagerError;
use super::sequence;
use super::shared::Shared;
use procession_wire::message::{Argument, Error, Payload, Reply, Scanner};
use serde::de::DeserializeOwned;
use std::any::type_name;
use std::cell::Cell;

thread_local! {
    /// Its memory is used again and again.
    static SCANNER: Cell<Option<Scanner>> = const { Cell::new(None) };
}

/// Reads an answer: what was returned, or why nothing was.
fn returned<R>(
    shared: &Shared,
    method: &str,
    answer: &[u8],
    read: impl FnOnce(Argument<'_>) -> Result<R, ManagerError>,
) -> Result<R, ManagerError> {
    let mut scanner = SCANNER.take().unwrap_or_default();
    let result = match scanner.reply(answer) {
        Ok(Reply::Return(value)) => read(value),
        Ok(Reply::Error(exception)) => Err(ManagerError::Raised(Box::new(exception))),
        Ok(Reply::Traceback(text) | Reply::Unserializable(text)) => {
            Err(shared.failed(method, text))
        }
        Ok(Reply::Proxy { token, .. }) => {
            let typeid = token.typeid;
            Err(shared.failed(method, &format!("it made a new {typeid}, which nobody asked for")))
        }
        Err(error) => Err(shared.protocol(error)),
    };
    SCANNER.set(Some(scanner));
    result
}

/// The value that was returned.
pub(super) fn value<R: DeserializeOwned>(
    shared: &Shared,
    method: &str,
    answer: &[u8],
) -> Result<R, ManagerError> {
    returned(shared, method, answer, |value| {
        value.read().map_err(|error| decode::<R>(method, &error))
    })
}

/// The items that were returned, in whatever Python has for a sequence.
pub(super) fn list<T: DeserializeOwned>(
    shared: &Shared,
    method: &str,
    answer: &[u8],
) -> Result<Vec<T>, ManagerError> {
    returned(shared, method, answer, |value| {
        let read = value.read().or_else(|error| match sequence::items(&value) {
            Some(items) => Payload::of(&items).read(),
            None => Err(error),
        });
        read.map_err(|error| decode::<Vec<T>>(method, &error))
    })
}

/// That it returned; what, is no matter.
pub(super) fn done(shared: &Shared, method: &str, answer: &[u8]) -> Result<(), ManagerError> {
    returned(shared, method, answer, |_| Ok(()))
}

/// What was returned, opaque.
pub(super) fn payload(
    shared: &Shared,
    method: &str,
    answer: &[u8],
) -> Result<Payload, ManagerError> {
    returned(shared, method, answer, |value| {
        value.payload().map_err(|error| decode::<Payload>(method, &error))
    })
}

fn decode<R>(method: &str, error: &Error) -> ManagerError {
    ManagerError::Decode {
        method: method.to_owned(),
        type_name: type_name::<R>(),
        reason: error.to_string(),
    }
}
