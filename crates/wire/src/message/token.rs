//! The name of an object of a server, as proxies carry it.

use super::Argument;
use super::decode::Decode;
use super::node::{Id, Message, NONE};
use crate::pickle::op;
use crate::value::Value;

pub(super) const MODULE: &str = "multiprocessing.managers";
pub(super) const NAME: &str = "Token";

/// Names and addresses are shorter. A message may have many tokens, and each name in it is copied.
const LONGEST: usize = 256;

/// An address: a text or bytes, or a tuple of two of which each is one or a number.
fn address(message: Message<'_>, id: Id) -> Option<Value> {
    let is_short = |id| {
        let node = message.node(message.resolve(id));
        node.first == NONE && (node.end - node.start) as usize <= LONGEST
    };
    let is_address = match message.tuple(id) {
        Some(parts) => parts.clone().take(3).count() == 2 && parts.clone().all(is_short),
        None => is_short(id),
    };
    is_address.then(|| Decode::plain(message).value(id).ok()).flatten()
}

/// The name of an object of a server: `multiprocessing.managers.Token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The name under which its type is registered.
    pub typeid: String,
    /// Where the server is: a str or bytes (a Unix socket), or a tuple of host and port.
    pub address: Value,
    /// Which of the server's objects it is.
    pub id: String,
}

impl Token {
    /// The token that an object is.
    pub(super) fn of(argument: &Argument<'_>) -> Option<Self> {
        let message = argument.message;
        let id = message.resolve(argument.id);
        let mut parts = message.parts(id);
        let (class, args) = (parts.next()?, parts.next()?);
        if message.class(class)? != (MODULE, NAME) {
            return None;
        }
        // Made by the class with arguments, or made empty and given its state.
        let arguments = message.tuple(args)?;
        let mut state = || {
            let build = parts.find(|part| message.node(*part).code == op::BUILD)?;
            message.tuple(message.parts(build).next()?)
        };
        let mut fields = if arguments.clone().next().is_some() { arguments } else { state()? };
        let name = |id| message.name(id).filter(|name| name.len() <= LONGEST).map(str::to_owned);
        let typeid = name(fields.next()?)?;
        let address = address(message, fields.next()?)?;
        let id = name(fields.next()?)?;
        Some(Self { typeid, address, id })
    }

    /// The token as data.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let fields = [
            Value::from(self.typeid.as_str()),
            self.address.clone(),
            Value::from(self.id.as_str()),
        ];
        Value::object(MODULE, NAME, Value::Tuple(fields.into()))
    }
}
