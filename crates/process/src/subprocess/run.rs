//! From start to end in one call.

use super::{CalledProcessError, Command, Error, ExitStatus, Redirect, Signal, TimeoutExpired};
use std::ffi::{OsStr, OsString};
use std::time::Duration;

/// A command together with what one call does with it: input, timeout, whether failing is an error.
///
/// Made from a [`Command`], from an array of program and arguments, or from the name of a program.
#[derive(Debug)]
pub struct Run {
    command: Command,
    input: Option<Vec<u8>>,
    timeout: Option<Duration>,
    check: bool,
}

impl Run {
    /// What the child reads, through a pipe that takes the place of its stdin.
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// How long the child has before it is killed; with its group, if it leads one.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Makes it an error if the child fails.
    pub fn check(mut self) -> Self {
        self.check = true;
        self
    }

    /// Takes stdout and stderr through pipes.
    pub fn capture_output(mut self) -> Self {
        self.command = self.command.capture_output();
        self
    }
}

impl From<Command> for Run {
    fn from(command: Command) -> Self {
        Self { command, input: None, timeout: None, check: false }
    }
}

impl From<&str> for Run {
    /// A program without arguments.
    fn from(program: &str) -> Self {
        Command::from(program).into()
    }
}

impl<A: AsRef<OsStr>, const N: usize> From<[A; N]> for Run {
    /// Program and arguments.
    fn from(args: [A; N]) -> Self {
        Command::from(args).into()
    }
}

/// What a child left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CompletedProcess {
    /// The program and its arguments.
    pub args: Vec<OsString>,
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to stdout, if that was a pipe.
    pub stdout: Vec<u8>,
    /// What it wrote to stderr, if that was a pipe.
    pub stderr: Vec<u8>,
}

impl CompletedProcess {
    /// How it ended as Python counts: the code, or minus the signal.
    pub fn returncode(&self) -> i32 {
        self.status.exitcode()
    }

    /// Itself if the child succeeded.
    ///
    /// # Errors
    /// [`CalledProcessError`] with all that it left, if not.
    pub fn check_returncode(self) -> Result<Self, CalledProcessError> {
        if self.status.success() {
            return Ok(self);
        }
        let Self { args, status, stdout, stderr } = self;
        Err(CalledProcessError { args, status, stdout, stderr })
    }
}

/// Runs a command to its end.
///
/// Reads pipes as [`Popen::communicate`](super::Popen::communicate) does. At the timeout the child is
/// killed and waited for, and nobody else is.
///
/// # Errors
/// [`Error::Spawn`] if it cannot be started; [`Error::Timeout`] with what was read, if it took too
/// long; [`Error::CalledProcess`] if it failed and that was to be an error.
///
/// # If a process dies
/// The child's death is its status. A grandchild's is its own parent's affair.
///
/// # Examples
/// ```
/// use procession_process::subprocess::{Command, Error, run};
/// use std::time::Duration;
///
/// let sorted = run(Command::new("sort").capture_output().input("pear\napple\n"))?;
/// assert_eq!(sorted.stdout, b"apple\npear\n");
///
/// let error = run(Command::new("sleep").arg("1000").timeout(Duration::from_millis(10))).unwrap_err();
/// assert!(error.is_timeout());
///
/// let error = run(Command::shell("echo no >&2; exit 3").capture_output().check()).unwrap_err();
/// assert_eq!(error.to_string(), "`/bin/sh -c 'echo no >&2; exit 3'` exited with code 3: no");
/// # Ok::<(), Error>(())
/// ```
pub fn run(command: impl Into<Run>) -> Result<CompletedProcess, Error> {
    let Run { mut command, input, timeout, check } = command.into();
    if input.is_some() {
        command = command.stdin(Redirect::Pipe);
    }
    let child = command.spawn()?;
    let done = child.communicate_for(input.unwrap_or_default(), timeout);
    let done = done.or_else(|error| {
        match child.leads_group {
            true => child.send_signal_group(Signal::KILL)?,
            false => child.kill()?,
        }
        let rest = child.communicate([])?;
        Err(match error {
            Error::Timeout(TimeoutExpired { args, timeout, .. }) => {
                let (stdout, stderr) = (rest.stdout, rest.stderr);
                TimeoutExpired { args, timeout, killed: true, stdout, stderr }.into()
            }
            other => other,
        })
    })?;
    match check {
        true => Ok(done.check_returncode()?),
        false => Ok(done),
    }
}

/// Runs a command to its end and says how it ended.
///
/// # Errors
/// As [`run`].
///
/// # Examples
/// ```
/// use procession_process::subprocess::{Error, call};
///
/// assert!(call("true")?.success());
/// assert_eq!(call(["sh", "-c", "exit 4"])?.code(), Some(4));
/// assert_eq!(call(["sh", "-c", "kill -9 $$"])?.exitcode(), -9);
/// # Ok::<(), Error>(())
/// ```
pub fn call(command: impl Into<Run>) -> Result<ExitStatus, Error> {
    Ok(run(command)?.status)
}

/// Runs a command to its end; its failure is an error.
///
/// # Errors
/// As [`run`]; [`Error::CalledProcess`] if it fails.
///
/// # Examples
/// ```
/// use procession_process::subprocess::check_call;
///
/// check_call(["test", "-d", "/"])?;
/// let error = check_call("false").unwrap_err();
/// assert_eq!(error.status().and_then(|status| status.code()), Some(1));
/// # Ok::<(), procession_process::subprocess::Error>(())
/// ```
pub fn check_call(command: impl Into<Run>) -> Result<(), Error> {
    run(command.into().check()).map(drop)
}

/// Runs a command to its end and returns what it wrote to stdout; its failure is an error.
///
/// # Errors
/// As [`run`]; [`Error::CalledProcess`], with what it wrote, if it fails.
///
/// # Examples
/// ```
/// use procession_process::subprocess::check_output;
///
/// assert_eq!(check_output(["echo", "a  b"])?, b"a  b\n");
/// # Ok::<(), procession_process::subprocess::Error>(())
/// ```
pub fn check_output(command: impl Into<Run>) -> Result<Vec<u8>, Error> {
    let mut run_ = command.into().check();
    run_.command = run_.command.stdout(Redirect::Pipe);
    Ok(run(run_)?.stdout)
}
