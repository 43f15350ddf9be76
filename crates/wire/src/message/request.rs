//! A request, as a server reads it.

use super::node::{Id, Message, is_dict};
use super::{Argument, Error};
use crate::pickle::op;
use std::collections::HashSet;

/// A request: which object is to do what, with which arguments.
#[derive(Debug)]
pub struct Request<'a> {
    /// Which object; `None` for the server itself.
    pub ident: Option<&'a str>,
    /// What it is to do.
    pub method: &'a str,
    /// The arguments that are given by their place.
    pub args: Vec<Argument<'a>>,
    /// Those that are given by their name.
    pub kwds: Vec<(&'a str, Argument<'a>)>,
}

impl<'a> Request<'a> {
    pub(super) fn of(message: Message<'a>, root: Id) -> Result<Self, Error> {
        let wrong = Error::Shape;
        let mut parts = message.tuple(root).ok_or(wrong("a request is a tuple"))?;
        let mut next = || parts.next().ok_or(wrong("a request has four parts"));
        let (ident, method, args, kwds) = (next()?, next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(wrong("a request has four parts"));
        }
        let ident = match message.node(message.resolve(ident)).code {
            op::NONE => None,
            _ => Some(message.name(ident).ok_or(wrong("an object is named by a str"))?),
        };
        let method = message.name(method).ok_or(wrong("a method is named by a str"))?;
        let args = message.tuple(args).ok_or(wrong("the arguments are a tuple"))?;
        let kwds = message.resolve(kwds);
        if !is_dict(message.node(kwds).code) || message.node(kwds).is_changed {
            return Err(wrong("the named arguments are a dict"));
        }
        let mut named = Vec::new();
        let mut kwds = message.parts(kwds);
        while let (Some(name), Some(id)) = (kwds.next(), kwds.next()) {
            let name = message.name(name).ok_or(wrong("an argument is named by a str"))?;
            named.push((name, Argument { message, id }));
        }
        if named.len() > 1 {
            // Of two values for a key the later one counts.
            let mut seen = HashSet::with_capacity(named.len());
            named.reverse();
            named.retain(|(name, _)| seen.insert(*name));
            named.reverse();
        }
        let args = args.map(|id| Argument { message, id }).collect();
        Ok(Self { ident, method, args, kwds: named })
    }
}
