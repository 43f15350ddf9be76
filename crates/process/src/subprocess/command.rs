//! What to start, and how.

use super::communicate::Pipes;
use super::redirect::named;
use super::{Group, Popen, Redirect, Run, SpawnError, orphans};
use procession_sys::spawn::Spawn;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

/// What to start, and how: program, arguments, environment, directory, streams.
///
/// Used up by the start, with the descriptors that were given to it: no end of a pipe lingers in the
/// parent and keeps a reader waiting.
///
/// ```
/// use procession_process::subprocess::{Command, Redirect, check_output};
///
/// let command = Command::new("sh").args(["-c", "echo $GREETING; pwd"]).env("GREETING", "hello");
/// let said = check_output(command.cwd("/").stdin(Redirect::Null))?;
/// assert_eq!(said, b"hello\n/\n");
/// # Ok::<(), procession_process::subprocess::Error>(())
/// ```
#[derive(Debug)]
pub struct Command {
    args: Vec<OsString>,
    env_clear: bool,
    env: BTreeMap<OsString, Option<OsString>>,
    cwd: Option<PathBuf>,
    group: Group,
    pub(super) stdin: Redirect,
    pub(super) stdout: Redirect,
    pub(super) stderr: Redirect,
    merged: bool,
}

impl Command {
    /// A command that starts `program`: a path if it has a slash, else a name that is looked up in
    /// the child's `PATH`. A relative path is meant from the child's directory.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            args: vec![program.into()],
            env_clear: false,
            env: BTreeMap::new(),
            cwd: None,
            group: Group::default(),
            stdin: Redirect::default(),
            stdout: Redirect::default(),
            stderr: Redirect::default(),
            merged: false,
        }
    }

    /// A command that has `/bin/sh` run `script`. Put nothing into it that a stranger can choose.
    pub fn shell(script: impl Into<OsString>) -> Self {
        Self::new("/bin/sh").arg("-c").arg(script)
    }

    /// Adds an argument. No shell sees it: it arrives as it is.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: impl IntoIterator<Item: Into<OsString>>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets a variable of the child's environment.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), Some(value.into()));
        self
    }

    /// Takes a variable out of the child's environment.
    pub fn env_remove(mut self, name: impl Into<OsString>) -> Self {
        self.env.insert(name.into(), None);
        self
    }

    /// Starts from an empty environment and forgets what was set up to here. The program is then
    /// looked up in `/bin:/usr/bin`, unless a `PATH` is set.
    pub fn env_clear(mut self) -> Self {
        self.env_clear = true;
        self.env.clear();
        self
    }

    /// The child's working directory.
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Where the child's input comes from.
    pub fn stdin(mut self, from: impl Into<Redirect>) -> Self {
        self.stdin = from.into();
        self
    }

    /// Where the child's output goes.
    pub fn stdout(mut self, to: impl Into<Redirect>) -> Self {
        self.stdout = to.into();
        self
    }

    /// Where the child's errors go.
    pub fn stderr(mut self, to: impl Into<Redirect>) -> Self {
        self.stderr = to.into();
        self.merged = false;
        self
    }

    /// Sends the child's errors to where its output goes, in the order in which it writes them
    /// (Python's `stderr=STDOUT`).
    pub fn stderr_to_stdout(mut self) -> Self {
        self.stderr = Redirect::Inherit;
        self.merged = true;
        self
    }

    /// Takes output and errors through pipes.
    pub fn capture_output(self) -> Self {
        self.stdout(Redirect::Pipe).stderr(Redirect::Pipe)
    }

    /// The process group. A child that leads its own is killed together with its group when a
    /// timeout ends it, so that its own children end too.
    pub fn group(mut self, group: Group) -> Self {
        self.group = group;
        self
    }

    /// A run of this command that gives it `input`, through a pipe.
    pub fn input(self, input: impl Into<Vec<u8>>) -> Run {
        Run::from(self).input(input)
    }

    /// A run of this command that is killed after `timeout`.
    pub fn timeout(self, timeout: Duration) -> Run {
        Run::from(self).timeout(timeout)
    }

    /// A run of this command whose failure is an error.
    pub fn check(self) -> Run {
        Run::from(self).check()
    }

    /// Starts the program. Returns as soon as it runs. First reaps dropped children that have ended.
    ///
    /// # Errors
    /// [`SpawnError`] names the program, the directory or the limit that is in the way; there is no
    /// process then, and no descriptor is left open.
    ///
    /// # Examples
    /// ```
    /// use procession_process::subprocess::{Command, Signal, SpawnError};
    ///
    /// let sleeper = Command::new("sleep").arg("1000").spawn()?;
    /// sleeper.kill().unwrap();
    /// assert_eq!(sleeper.wait().unwrap().signal(), Some(Signal::KILL));
    ///
    /// let error = Command::new("no-such-program").spawn().unwrap_err();
    /// assert!(matches!(error, SpawnError::MissingProgram { .. }));
    /// # Ok::<(), SpawnError>(())
    /// ```
    pub fn spawn(self) -> Result<Popen, SpawnError> {
        orphans::reap();
        let env = self.environment();
        let program = self.args[0].as_os_str();
        let stdin = named(program, self.stdin.open_input())?;
        let stdout = named(program, self.stdout.open_output())?;
        let stderr = named(program, self.stderr.open_output())?;
        let mut fds = Vec::with_capacity(3);
        fds.extend(stdin.child_fd().map(|fd| (fd, 0)));
        fds.extend(stdout.child_fd().map(|fd| (fd, 1)));
        let own_stdout = std::io::stdout();
        let errors = match self.merged {
            true => Some(stdout.child_fd().unwrap_or(own_stdout.as_fd())),
            false => stderr.child_fd(),
        };
        fds.extend(errors.map(|fd| (fd, 2)));
        let mut spawn = Spawn::new(&self.args);
        spawn.env = env.as_deref();
        spawn.cwd = self.cwd.as_deref();
        spawn.fds = &fds;
        spawn.group = self.group;
        let child = spawn.spawn()?;
        let leads_group = matches!(self.group, Group::New | Group::NewSession);
        let pipes = Pipes::new(stdin.ours, stdout.ours, stderr.ours);
        Ok(Popen::new(self.args, child, leads_group, pipes))
    }

    pub(super) fn program(&self) -> &OsStr {
        &self.args[0]
    }

    /// The whole environment, if it is another than the parent's.
    fn environment(&self) -> Option<Vec<(OsString, OsString)>> {
        if !self.env_clear && self.env.is_empty() {
            return None;
        }
        let inherited = std::env::vars_os().filter(|_| !self.env_clear);
        let kept = inherited.filter(|(name, _)| !self.env.contains_key(name));
        let set = self.env.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        Some(kept.chain(set).collect())
    }
}

impl From<&str> for Command {
    /// A program without arguments; not a line for a shell, which is [`Command::shell`].
    fn from(program: &str) -> Self {
        Self::new(program)
    }
}

impl<A: AsRef<OsStr>, const N: usize> From<[A; N]> for Command {
    /// Program and arguments.
    fn from(args: [A; N]) -> Self {
        Self::from_iter(args)
    }
}

impl<A: AsRef<OsStr>> FromIterator<A> for Command {
    /// Program and arguments. Without any, starting it is an error.
    fn from_iter<I: IntoIterator<Item = A>>(args: I) -> Self {
        let mut args = args.into_iter().map(|arg| arg.as_ref().to_owned());
        Self::new(args.next().unwrap_or_default()).args(args)
    }
}
