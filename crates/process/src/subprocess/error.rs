//! What can go wrong once a command is given.

use super::command_line::shown;
use super::{ExitStatus, SpawnError};
use std::ffi::OsString;
use std::io;
use std::time::Duration;

/// What can go wrong with a subprocess.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// It was not started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It failed, and the caller wanted that to be an error.
    #[error(transparent)]
    CalledProcess(#[from] CalledProcessError),
    /// It took too long.
    #[error(transparent)]
    Timeout(#[from] TimeoutExpired),
    /// There is input, and nothing that would carry it.
    #[error(
        "cannot give input to `{command}`: its stdin is no pipe of ours, or has been taken or \
             closed; start it with `stdin(Redirect::Pipe)` and give all input at once"
    )]
    NoStdin {
        /// The command.
        command: String,
    },
    /// It has ended, and nobody will ever know how.
    #[error(
        "cannot tell how `{command}` (pid {pid}) ended: its status went to somebody else; this \
             process ignores SIGCHLD, waits for all children, or was forked off the one that started it"
    )]
    StatusLost {
        /// The command.
        command: String,
        /// Its pid.
        pid: i32,
    },
    /// The kernel refused.
    #[error("cannot {doing} `{command}` (pid {pid}): {source}")]
    Os {
        /// What was attempted.
        doing: &'static str,
        /// On which command.
        command: String,
        /// Its pid.
        pid: i32,
        /// What the kernel says.
        source: io::Error,
    },
}

impl Error {
    /// Whether it took too long.
    pub fn is_timeout(&self) -> bool {
        matches!(self, Self::Timeout(_))
    }

    /// How the process ended, if that is the error.
    pub fn status(&self) -> Option<ExitStatus> {
        match self {
            Self::CalledProcess(failed) => Some(failed.status),
            _ => None,
        }
    }
}

/// A process failed: a code other than 0, or a signal.
#[derive(Debug, thiserror::Error)]
#[error("`{}` {status}{}", shown(.args), last_words(.stderr))]
#[non_exhaustive]
pub struct CalledProcessError {
    /// The program and its arguments.
    pub args: Vec<OsString>,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote, as far as that went through a pipe to us.
    pub stdout: Vec<u8>,
    /// What it complained, as far as that went through a pipe to us.
    pub stderr: Vec<u8>,
}

/// A process took too long.
#[derive(Debug, thiserror::Error)]
#[error("`{}` did not end within {timeout:?}; {}", shown(.args),
        if *.killed { "it was killed, give it more time" } else { "it goes on, wait again or kill it" })]
#[non_exhaustive]
pub struct TimeoutExpired {
    /// The program and its arguments.
    pub args: Vec<OsString>,
    /// How long it had.
    pub timeout: Duration,
    /// Whether it was killed for it: `run` and its like do that, `Popen` leaves it running.
    pub killed: bool,
    /// What it had written so far, as far as that went through a pipe to us.
    pub stdout: Vec<u8>,
    /// What it had complained so far, as far as that went through a pipe to us.
    pub stderr: Vec<u8>,
}

/// The last line of what it complained, which mostly says it all.
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    match text.lines().rev().find(|line| !line.trim().is_empty()) {
        Some(line) => format!(": {}", line.trim()),
        None => "; look at what it wrote".to_owned(),
    }
}
