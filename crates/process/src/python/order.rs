//! What is asked of a process in the other language: a pickle of a dict.

use serde::{Deserialize, Serialize};

/// The call. The names stand in the places that errors have: `.arguments[1].size`.
#[derive(Debug, Serialize)]
pub(crate) struct Order<'a, A> {
    /// The name of the process.
    pub(crate) name: &'a str,
    /// `module:function`, or the name of a task.
    pub(crate) function: &'a str,
    pub(crate) arguments: &'a A,
}

/// An order, apart from its arguments.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) function: String,
}

/// The arguments of an order.
#[derive(Debug, Deserialize)]
pub(crate) struct Arguments<A> {
    pub(crate) arguments: A,
}
