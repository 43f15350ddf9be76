//! What is asked of a process in the other language: a pickle of a dict.

use procession_ipc::Queue;
use serde::{Deserialize, Serialize};

use super::standing::Answer;

/// The call. The names stand in the places that errors have: `.arguments[1].size`.
#[derive(Debug, Serialize)]
pub(crate) struct Order<'a, A> {
    /// The name of the process.
    pub(crate) name: &'a str,
    /// `module:function`, or the name of a task.
    pub(crate) function: &'a str,
    pub(crate) arguments: &'a A,
}

/// A standing order: to call a task with the arguments that come from the first queue, each a pickle, and to put what came of
/// it into the second.
#[derive(Debug, Serialize)]
pub(crate) struct Standing<'a> {
    pub(crate) name: &'a str,
    pub(crate) function: &'a str,
    pub(crate) standing: (&'a Queue<()>, &'a Queue<Answer>),
}

/// An order of either kind, apart from its arguments.
#[derive(Debug, Deserialize)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) function: String,
    #[serde(default)]
    pub(crate) standing: Option<(Queue<()>, Queue<Answer>)>,
}

/// The arguments of an order.
#[derive(Debug, Deserialize)]
pub(crate) struct Arguments<A> {
    pub(crate) arguments: A,
}
