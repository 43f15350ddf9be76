//! Commands in a row, each reading what the one before writes.

use super::popen::converse;
use super::redirect::named;
use super::{
    CalledProcessError, Command, Error, ExitStatus, Popen, Redirect, Signal, SpawnError,
    TimeoutExpired,
};
use std::ffi::OsString;
use std::io::pipe;
use std::time::Duration;

/// Commands in a row, each reading what the one before writes.
///
/// This process keeps no end of the pipes between them: when one ends, its neighbours see it, so
/// that `yes | head` ends.
///
/// ```
/// use procession_process::subprocess::{Command, Error, Pipeline, Redirect, Signal};
///
/// let head = Command::new("head").args(["-n", "1"]).stdout(Redirect::Pipe);
/// let done = Pipeline::new(Command::new("yes")).pipe(head).run()?;
/// assert_eq!(done.stdout, b"y\n");
/// assert_eq!(done.statuses[0].signal(), Some(Signal::PIPE));
/// assert_eq!(done.statuses[1].code(), Some(0));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
pub struct Pipeline {
    commands: Vec<Command>,
    input: Option<Vec<u8>>,
    timeout: Option<Duration>,
}

/// What the commands of a pipeline left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompletedPipeline {
    /// The commands, each a program and its arguments.
    pub commands: Vec<Vec<OsString>>,
    /// How each ended.
    pub statuses: Vec<ExitStatus>,
    /// What the last wrote to stdout, if that was a pipe.
    pub stdout: Vec<u8>,
    /// What each wrote to stderr, if that was a pipe.
    pub stderr: Vec<Vec<u8>>,
}

impl Pipeline {
    /// A pipeline that begins with `command`.
    pub fn new(command: impl Into<Command>) -> Self {
        Self { commands: vec![command.into()], input: None, timeout: None }
    }

    /// Adds a command that reads what the last one up to here writes. Replaces the stdout of that
    /// one and the stdin of this one.
    pub fn pipe(mut self, command: impl Into<Command>) -> Self {
        self.commands.push(command.into());
        self
    }

    /// What the first reads, through a pipe that takes the place of its stdin.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// How long [`run`](Self::run) gives them before all of them are killed.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Starts all of them and returns them in order; input and timeout are for [`run`](Self::run).
    ///
    /// # Errors
    /// [`SpawnError`] if one cannot be started; those before it are killed.
    pub fn spawn(self) -> Result<Vec<Popen>, SpawnError> {
        let last = self.commands.len() - 1;
        let mut children: Vec<Popen> = Vec::with_capacity(self.commands.len());
        let mut upstream = None;
        for (index, mut command) in self.commands.into_iter().enumerate() {
            if let Some(from) = upstream.take() {
                command = command.stdin(Redirect::Fd(from));
            }
            let started = match index == last {
                true => command.spawn(),
                false => start_with_reader(command).map(|(child, read)| {
                    upstream = Some(read);
                    child
                }),
            };
            match started {
                Ok(child) => children.push(child),
                Err(error) => {
                    let _ = end(&children);
                    return Err(error);
                }
            }
        }
        Ok(children)
    }

    /// Runs all of them to their ends. The pipes that lead to us are read as in
    /// [`Popen::communicate`].
    ///
    /// # Errors
    /// [`Error::Spawn`] if one cannot be started; [`Error::Timeout`] if they took too long, with what
    /// the last wrote and what all complained. That one fails is no error: see
    /// [`CompletedPipeline::check_returncodes`].
    ///
    /// # If a process dies
    /// Its neighbours see the end of input, or get `SIGPIPE`; its status says how it died.
    pub fn run(mut self) -> Result<CompletedPipeline, Error> {
        let (input, timeout) = (self.input.take(), self.timeout);
        if input.is_some() {
            self.commands[0].stdin = Redirect::Pipe;
        }
        let children = self.spawn()?;
        let conversed = converse(&children, input.unwrap_or_default(), timeout.into());
        if !matches!(conversed, Ok(true)) {
            end(&children)?;
        }
        let done = CompletedPipeline::collect(&children)?;
        match conversed? {
            true => Ok(done),
            false => Err(done.expired(timeout.unwrap_or_default()).into()),
        }
    }
}

impl CompletedPipeline {
    fn collect(children: &[Popen]) -> Result<Self, Error> {
        let commands = children.iter().map(|child| child.args().to_vec()).collect();
        let statuses = children.iter().map(Popen::wait).collect::<Result<_, _>>()?;
        let stderr = children.iter().map(|child| std::mem::take(&mut child.pipes().stderr.read));
        let stderr = stderr.collect();
        let last = children.last().map(|last| std::mem::take(&mut last.pipes().stdout.read));
        Ok(Self { commands, statuses, stdout: last.unwrap_or_default(), stderr })
    }

    /// Itself if all succeeded. A command before the last that `SIGPIPE` ended has not failed: its
    /// reader had enough.
    ///
    /// # Errors
    /// [`CalledProcessError`] for the last one that failed.
    pub fn check_returncodes(self) -> Result<Self, CalledProcessError> {
        let last = self.statuses.len() - 1;
        let failed = self.statuses.iter().enumerate().rposition(|(index, status)| {
            let enough = index < last && status.signal() == Some(Signal::PIPE);
            !status.success() && !enough
        });
        let Some(failed) = failed else {
            return Ok(self);
        };
        let Self { mut commands, statuses, stdout, mut stderr } = self;
        let (args, stderr) = (commands.swap_remove(failed), stderr.swap_remove(failed));
        Err(CalledProcessError { args, status: statuses[failed], stdout, stderr })
    }

    fn expired(self, timeout: Duration) -> TimeoutExpired {
        let args = self.commands.join(&OsString::from("|"));
        let (stdout, stderr) = (self.stdout, self.stderr.concat());
        TimeoutExpired { args, timeout, killed: true, stdout, stderr }
    }
}

/// Starts `command` with its output in a pipe, and returns the end to read from.
fn start_with_reader(command: Command) -> Result<(Popen, std::os::fd::OwnedFd), SpawnError> {
    let (read, write) = named(command.program(), pipe())?;
    let child = command.stdout(write).spawn()?;
    Ok((child, read.into()))
}

/// Kills all, and takes what they left.
fn end(children: &[Popen]) -> Result<(), Error> {
    for child in children {
        match child.leads_group {
            true => child.send_signal_group(Signal::KILL)?,
            false => child.kill()?,
        }
    }
    converse(children, Vec::new(), procession_sys::Deadline::never()).map(drop)
}
