//! What is asked of a manager, as frames.

use super::error::ManagerError;
use procession_wire::frame;
use procession_wire::message::{Call, Error, Payload};
use procession_wire::value::Value;
use serde::Serialize;

/// The arguments of a call: a tuple of up to six of plain data, one for each argument; or [`Value`]s, which may be anything that
/// Python can send, payloads and proxies too.
pub trait Arguments {
    /// Adds them to a call.
    #[doc(hidden)]
    fn add<'b>(&self, call: Call<'b>) -> Result<Call<'b>, Error>;
}

macro_rules! tuples {
    ($(($($name:ident $place:tt),*))*) => {$(
        impl<$($name: Serialize),*> Arguments for ($($name,)*) {
            fn add<'b>(&self, call: Call<'b>) -> Result<Call<'b>, Error> {
                $(let call = call.item(&self.$place)?;)*
                Ok(call)
            }
        }
    )*};
}

tuples! {
    ()
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
}

impl Arguments for [Value] {
    fn add<'b>(&self, call: Call<'b>) -> Result<Call<'b>, Error> {
        Ok(self.iter().fold(call, Call::arg))
    }
}

impl Arguments for Vec<Value> {
    fn add<'b>(&self, call: Call<'b>) -> Result<Call<'b>, Error> {
        self.as_slice().add(call)
    }
}

impl<T: Arguments + ?Sized> Arguments for &T {
    fn add<'b>(&self, call: Call<'b>) -> Result<Call<'b>, Error> {
        (**self).add(call)
    }
}

/// Appends a frame with a request; nothing is appended if its arguments cannot be sent.
fn append(
    out: &mut Vec<u8>,
    ident: Option<&str>,
    method: &str,
    add: impl FnOnce(Call<'_>) -> Result<Call<'_>, Error>,
) -> Result<(), ManagerError> {
    let start = out.len();
    let done = frame::append(out, |to| add(Call::new(to, ident, method)).map(Call::end));
    done.map_err(|error| {
        out.truncate(start);
        ManagerError::Encode { method: method.to_owned(), reason: error.to_string() }
    })
}

/// A call to an object.
pub(super) fn call(
    out: &mut Vec<u8>,
    id: &str,
    method: &str,
    arguments: impl Arguments,
    named: &Named,
) -> Result<(), ManagerError> {
    append(out, Some(id), method, |call| Ok(named.add(arguments.add(call)?)))
}

/// A call with one argument, which is opaque.
pub(super) fn payload(
    out: &mut Vec<u8>,
    id: &str,
    method: &str,
    payload: &Payload,
) -> Result<(), ManagerError> {
    let value = Value::Payload(payload.clone());
    append(out, Some(id), method, |call| Ok(call.arg(&value)))
}

/// A request to the manager itself.
pub(super) fn control(
    out: &mut Vec<u8>,
    method: &str,
    arguments: impl Arguments,
) -> Result<(), ManagerError> {
    append(out, None, method, |call| arguments.add(call))
}

/// The request to make an object.
pub(super) fn create(
    out: &mut Vec<u8>,
    typeid: &str,
    arguments: impl Arguments,
    named: &Named,
) -> Result<(), ManagerError> {
    append(out, None, "create", |call| Ok(named.add(arguments.add(call.item(typeid)?)?)))
}

/// Arguments with names.
#[derive(Debug, Default)]
pub(super) struct Named(Vec<(String, Value)>);

impl Named {
    /// From a map or a struct; `()` is none.
    pub(super) fn of<T: Serialize + ?Sized>(method: &str, named: &T) -> Result<Self, ManagerError> {
        let wrong = |reason: String| ManagerError::Encode { method: method.to_owned(), reason };
        let value = Payload::new(named).and_then(|payload| payload.value());
        let pairs = match value.map_err(|error| wrong(error.to_string()))? {
            Value::None => Vec::new(),
            Value::Dict(pairs) => pairs,
            other => {
                let kind = other.type_name();
                return Err(wrong(format!(
                    "named arguments are a map or a struct, and not a {kind}"
                )));
            }
        };
        let named = pairs.into_iter().map(|(name, value)| match name {
            Value::Str(name) => Ok((name, value)),
            other => Err(wrong(format!("{other} is no name of an argument"))),
        });
        named.collect::<Result<_, _>>().map(Self)
    }

    fn add<'b>(&self, call: Call<'b>) -> Call<'b> {
        self.0.iter().fold(call, |call, (name, value)| call.kwd(name, value))
    }
}
