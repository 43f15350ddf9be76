//! Answers as bytes: each function appends one to what is on its way to the client.

use super::connection::Connection;
use super::objects::Exposed;
use procession_wire::frame;
use procession_wire::message::{Exception, Token, answer};
use procession_wire::value::Value;

/// The call returned this.
pub(super) fn value(connection: &mut Connection, value: &Value) {
    frame::append(connection.output.bytes(), |to| answer::returned(to, value));
}

/// The call raised this.
pub(super) fn exception(connection: &mut Connection, exception: &Exception) {
    frame::append(connection.output.bytes(), |to| answer::raised(to, exception));
}

/// The call returned a new object.
pub(super) fn proxy(connection: &mut Connection, exposed: &Exposed, token: &Token) {
    let exposed: Vec<_> = exposed.names().collect();
    frame::append(connection.output.bytes(), |to| answer::proxy(to, &exposed, token));
}

/// The call could not be carried out. The text is one line, the last one of what Python would say.
pub(super) fn traceback(connection: &mut Connection, text: &str) {
    frame::append(connection.output.bytes(), |to| answer::traceback(to, &format!("{text}\n")));
}

/// What the call returned cannot be sent.
pub(super) fn unserializable(connection: &mut Connection, text: &str) {
    frame::append(connection.output.bytes(), |to| answer::unserializable(to, text));
}

/// A whole reply without its frame.
pub(super) fn message(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    answer::returned(&mut bytes, value);
    bytes
}
