//! What can go wrong with a process, and what to do about it.

use std::io;

use procession_sys::fork::ForkError;
use procession_sys::image::ImageError;
use procession_sys::signal_name::Signal;

use crate::panic::Panic;
use crate::python::Raised;

/// Why a process could not be started, or did not give its result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// `init` has not run in this process.
    #[error(
        "cannot start process `{name}`: write `procession::init();` as the first line of `main` \
         (in tests, switch on the feature `test-hook` of `procession` among the dev-dependencies); \
         without it the new process would run `main` a second time"
    )]
    NotInitialised {
        /// The process that was to be started.
        name: String,
    },
    /// The process could not be started.
    #[error("cannot start process `{name}`: {step}: {source}")]
    Start {
        /// The process that was to be started.
        name: String,
        /// What was attempted.
        step: &'static str,
        /// Why it failed.
        source: io::Error,
    },
    /// The function cannot be sent to another process.
    #[error("cannot start process `{name}`: {source}")]
    Function {
        /// The process that was to be started.
        name: String,
        /// What is wrong with the function.
        source: ImageError,
    },
    /// The shared memory of the family refused.
    #[error("cannot {attempt} of process `{name}`: {source}")]
    Memory {
        /// The process.
        name: String,
        /// What was attempted.
        attempt: &'static str,
        /// Why it failed.
        source: procession_ipc::Error,
    },
    /// `fork` was refused.
    #[error(transparent)]
    Fork(#[from] ForkError),
    /// The function panicked.
    #[error("process `{name}` (pid {pid}) {panic}")]
    Panicked {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
        /// What it said, where, and how it got there.
        panic: Panic,
    },
    /// The Python function raised an exception.
    #[error("process `{name}` (pid {pid}) raised {raised}")]
    Raised {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
        /// The exception.
        raised: Raised,
    },
    /// A signal ended the process before it gave a result.
    #[error("process `{name}` (pid {pid}) was killed by {signal} before it gave a result")]
    Killed {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
        /// The signal.
        signal: Signal,
    },
    /// The process ended by itself before it gave a result.
    #[error(
        "process `{name}` (pid {pid}) exited with code {code} before it gave a result; \
         return from its function instead of calling `exit`"
    )]
    Exited {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
        /// Its exit code.
        code: i32,
    },
    /// The process has ended, and nobody knows how: what reaped it was killed, too.
    #[error(
        "process `{name}` (pid {pid}) ended before it gave a result; how is unknown, because the \
         zygote that watched it was killed and this kernel does not keep the status (Linux 6.15 does)"
    )]
    Lost {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
    },
    /// The process could not take its arguments, or its result could not be sent.
    #[error("process `{name}` (pid {pid}) did not finish: {reason}")]
    Failed {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
        /// What it said.
        reason: String,
    },
    /// The time was up; the process still runs.
    #[error("process `{name}` (pid {pid}) still runs; join it again, or terminate it")]
    TimedOut {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
    },
    /// The result was taken before: there is only one.
    #[error("the result of process `{name}` (pid {pid}) was taken by an earlier join")]
    Taken {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
    },
    /// This process is not the one that started it.
    #[error(
        "cannot join process `{name}` (pid {pid}) from a fork of its parent; join it where it was started"
    )]
    NotParent {
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
    },
    /// The kernel refused to wait for the process or to signal it.
    #[error("cannot {attempt} process `{name}` (pid {pid}): {source}")]
    Kernel {
        /// What was attempted.
        attempt: &'static str,
        /// The process.
        name: String,
        /// Its pid.
        pid: i32,
        /// Why it failed.
        source: io::Error,
    },
}

impl Error {
    /// Whether the time was up, and the same call may be made again.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::TimedOut { .. })
    }

    /// Whether the other process ended without giving its result.
    #[must_use]
    pub fn is_peer_dead(&self) -> bool {
        matches!(self, Self::Killed { .. } | Self::Exited { .. } | Self::Lost { .. })
    }

    /// The exception, if a Python function raised one.
    #[must_use]
    pub fn raised(&self) -> Option<&Raised> {
        match self {
            Self::Raised { raised, .. } => Some(raised),
            _ => None,
        }
    }

    /// The panic, if the function panicked.
    #[must_use]
    pub fn panic(&self) -> Option<&Panic> {
        match self {
            Self::Panicked { panic, .. } => Some(panic),
            _ => None,
        }
    }
}
