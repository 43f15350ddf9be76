//! What can go wrong with a manager that is elsewhere.

use procession_wire::message::Exception;
use std::io;

/// Why a manager, or one of its objects, did not do what was asked.
///
/// | it says | the connection |
/// |---|---|
/// | `Connect`, `Refused` | there is none |
/// | `Lost`, `Protocol` | is gone, and so is what this thread held on it; [`Manager::reconnect`](super::Manager::reconnect) makes a new one |
/// | the others | goes on |
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ManagerError {
    /// Nobody answers there, or not in time.
    #[error("cannot connect to the manager at {peer}: {source}")]
    Connect {
        /// The manager's address.
        peer: String,
        /// What the kernel says.
        source: io::Error,
    },
    /// The manager does not believe this key, or this side not the manager.
    #[error("the manager at {peer} and this program do not have the same key: {reason}")]
    Refused {
        /// The manager's address.
        peer: String,
        /// Which of the two did not believe the other.
        reason: String,
    },
    /// The connection broke, or the manager went, or it does not answer.
    #[error(
        "the connection to the manager at {peer} is lost: {reason}; reconnect() makes a new one"
    )]
    Lost {
        /// The manager's address.
        peer: String,
        /// What was seen of it.
        reason: String,
    },
    /// It answers what no manager would.
    #[error("what listens at {peer} does not speak as a manager: {reason}")]
    Protocol {
        /// The manager's address.
        peer: String,
        /// What it said.
        reason: String,
    },
    /// The proxy is older than the last [`reconnect`](super::Manager::reconnect).
    #[error(
        "the proxy of {typeid} is from before reconnect(), and its object may be gone; ask the manager for it again"
    )]
    Stale {
        /// The object's type, or the name under which the manager has it.
        typeid: String,
    },
    /// The object is not what it was taken for.
    #[error("{typeid} is no {wanted}: the manager exposes no method `{missing}` of it")]
    OtherType {
        /// The object's type, or the name under which the manager has it.
        typeid: String,
        /// The type that was asked for.
        wanted: &'static str,
        /// A method that it would have.
        missing: &'static str,
    },
    /// The proxy in a payload is for an object of another manager.
    #[error(
        "the proxy of {typeid} is for an object of a manager at {address}, and not of the one at {peer}"
    )]
    Elsewhere {
        /// The object's type, or the name under which its manager has it.
        typeid: String,
        /// The address of the manager that was asked.
        peer: String,
        /// The address in the proxy, as Python shows it.
        address: String,
    },
    /// What was waited for did not come within the time.
    #[error("{what}: nothing within the time given")]
    TimedOut {
        /// What was waited for.
        what: &'static str,
    },
    /// Nothing is there now.
    #[error("the queue is empty")]
    Empty,
    /// There is no room now.
    #[error("the queue is full")]
    Full,
    /// The queue was shut down.
    #[error("the queue was shut down")]
    Closed,
    /// A party gave up at the barrier, or it was aborted or reset.
    #[error("the barrier is broken: a party gave up or aborted; reset() opens it again")]
    BrokenBarrier,
    /// The object raised an exception.
    #[error("{0}")]
    Raised(Box<Exception>),
    /// The manager could not carry out the call; what it says of it, mostly a Python traceback.
    #[error("the manager at {peer} could not call {method}: {}", last_line(traceback))]
    Failed {
        /// The manager's address.
        peer: String,
        /// The method.
        method: String,
        /// What it says.
        traceback: String,
    },
    /// An argument cannot be sent.
    #[error("cannot send the arguments of {method}: {reason}")]
    Encode {
        /// The method.
        method: String,
        /// Which part of it, and why.
        reason: String,
    },
    /// An answer is not what was asked for. It is gone from where it was.
    #[error("the answer of {method} is not a value of type {type_name}: {reason}")]
    Decode {
        /// The method.
        method: String,
        /// The type that was asked for.
        type_name: &'static str,
        /// Which part of it, and why.
        reason: String,
    },
}

/// The line of a traceback that says what it is.
fn last_line(traceback: &str) -> &str {
    traceback.trim_end().lines().last().unwrap_or("it does not say why").trim()
}

impl ManagerError {
    /// Whether the time was up, or nothing was there for a call that does not wait.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Empty | Self::Full => true,
            Self::Connect { source, .. } => source.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// Whether the queue was shut down, or the connection is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Closed | Self::Lost { .. })
    }

    /// Whether the manager, or somebody who took part, is gone.
    #[must_use]
    pub fn is_peer_dead(&self) -> bool {
        matches!(self, Self::Lost { .. } | Self::BrokenBarrier)
    }

    /// Whether the two sides have different keys.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// The exception that the object raised.
    #[must_use]
    pub fn raised(&self) -> Option<&Exception> {
        match self {
            Self::Raised(raised) => Some(raised),
            _ => None,
        }
    }

    /// Whether the object raised this exception: `error.is("builtins", "KeyError")`.
    #[must_use]
    pub fn is(&self, module: &str, class: &str) -> bool {
        self.raised().is_some_and(|raised| raised.is(module, class))
    }
}
