//! A process that is not like the others.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use procession_ipc::Queue;
use procession_ipc::message::Objects;
use procession_sys::crash_point;
use procession_sys::fork::{ForkError, is_single_threaded};
use procession_sys::image::ship;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::children::Child;
use crate::error::Error;
use crate::process::Process;
use crate::python::order::{Order, Standing};
use crate::python::{Answer, Program};
use crate::start::order::{Preface, Surroundings};
use crate::start::run::Run;
use crate::start::slot::{Arguments, Slot};
use crate::start::{Failure, Plan, Reaper, StartMethod, Started};
use crate::stdio::Stdio;
use crate::{children, current, exit, init, python, start};

/// How often a start is tried, if the zygote is killed in the middle of it. Many, since a busy machine gives
/// whoever kills zygotes the time to kill some in a row.
const TRIES: u32 = 32;

/// Settings for a new process.
///
/// # Examples
///
/// ```
/// use procession_process::{Process, current_process};
///
/// fn main() -> Result<(), procession_process::Error> {
///     procession_process::init();
///     let greeting = Process::builder()
///         .name("greeter")
///         .env("GREETING", "hello")
///         .spawn(|whom: String| {
///             let greeting = std::env::var("GREETING").unwrap_or_default();
///             format!("{greeting} {whom}, from {}", current_process().name())
///         }, "world".to_owned())?;
///     assert_eq!(greeting.join()?, "hello world, from greeter");
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing starts before `spawn`"]
pub struct ProcessBuilder {
    name: Option<String>,
    daemon: bool,
    outlive: bool,
    method: StartMethod,
    environment: Vec<EnvironmentChange>,
    directory: Option<PathBuf>,
    stdio: [Stdio; 3],
    interpreter: Option<OsString>,
}

#[derive(Debug)]
enum EnvironmentChange {
    Clear,
    Remove(OsString),
    Set(OsString, OsString),
}

impl Default for ProcessBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl ProcessBuilder {
    /// The settings of [`Process::spawn`].
    pub fn new() -> Self {
        Self {
            name: None,
            daemon: false,
            outlive: false,
            method: StartMethod::default(),
            environment: Vec::new(),
            directory: None,
            stdio: [Stdio::Null, Stdio::Inherit, Stdio::Inherit],
            interpreter: None,
        }
    }

    /// Its name, for errors and [`current_process`](crate::current_process).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether it is terminated, and not waited for, when this process ends.
    pub fn daemon(mut self, daemon: bool) -> Self {
        self.daemon = daemon;
        self
    }

    /// Whether it may run on when this process has ended or was killed; this process then does not wait for it.
    pub fn outlive(mut self, outlive: bool) -> Self {
        self.outlive = outlive;
        self
    }

    /// How it is started.
    pub fn start_method(mut self, method: StartMethod) -> Self {
        self.method = method;
        self
    }

    /// Sets a variable of its environment, which otherwise is this process's at the moment of the start.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.environment.push(EnvironmentChange::Set(name, value));
        self
    }

    /// Removes a variable of its environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.environment.push(EnvironmentChange::Remove(name.as_ref().to_owned()));
        self
    }

    /// Removes all variables of its environment that were not set after this.
    pub fn env_clear(mut self) -> Self {
        self.environment.push(EnvironmentChange::Clear);
        self
    }

    /// Its directory, otherwise this process's at the moment of the start; a relative one starts there.
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Its stdin, otherwise nothing.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdio[0] = stdin.into();
        self
    }

    /// Its stdout, otherwise this process's at the moment of the start.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdio[1] = stdout.into();
        self
    }

    /// Its stderr, otherwise this process's at the moment of the start.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stdio[2] = stderr.into();
        self
    }

    /// Starts the process; see [`Process::spawn`].
    ///
    /// # Errors
    ///
    /// As [`Process::spawn`], and [`Error::Fork`] for a fork beside other threads.
    pub fn spawn<A, R>(self, f: fn(A) -> R, arguments: A) -> Result<Process<R>, Error>
    where
        A: Serialize + DeserializeOwned,
        R: Serialize + DeserializeOwned,
    {
        let (daemon, outlive) = (self.daemon, self.outlive);
        let identity = current::name_child(self.name.clone(), daemon);
        let name = identity.name.clone();
        if !init::is_done() {
            return Err(Error::NotInitialised { name });
        }
        if self.method == StartMethod::Fork && !is_single_threaded() {
            return Err(Error::Fork(ForkError::Threads));
        }
        let function = ship::<Run, fn(A) -> R>(f)
            .map_err(|source| Error::Function { name: name.clone(), source })?;
        let own = Surroundings::now();
        let wanted = self.surroundings(&own);
        let plan = Plan { method: self.method, function, outlive, stdio: self.stdio };
        let failed = |(step, source): Failure| Error::Start { name: name.clone(), step, source };

        exit::arrange();
        for _ in 0..TRIES {
            let Some(ground) = plan.ground(&own).map_err(failed)? else { continue };
            let preface = Preface {
                identity: identity.clone(),
                environment: wanted.changes_from(ground.surroundings()),
                directory: wanted.directory_from(ground.surroundings()),
            };
            let memory = |attempt, source| Error::Memory { name: name.clone(), attempt, source };
            let slot = Slot::reserve(&name).map_err(|source| memory("reserve the seat", source))?;
            let parcel = slot.put_arguments::<(Preface, A), _>(&(preface, &arguments)).map_err(
                |source| {
                    slot.release();
                    memory("send the arguments", source)
                },
            )?;
            crash_point!("start.parent.reserved");
            match plan.start(&ground, slot, parcel) {
                Ok(Some(started)) => {
                    return Ok(Process::new(children::enter(name, daemon, outlive, started)));
                }
                Ok(None) => {}
                Err(failure) => {
                    slot.release();
                    return Err(failed(failure));
                }
            }
        }
        let source = std::io::Error::other(format!("it was killed {TRIES} times in a row"));
        Err(failed(("ask the zygote", source)))
    }

    /// The Python interpreter that [`python`](Self::python) starts, a path or a name in `PATH`.
    pub fn interpreter(mut self, program: impl Into<OsString>) -> Self {
        self.interpreter = Some(program.into());
        self
    }

    /// Starts a Python process; see [`Process::python`]. The start method is of no importance.
    ///
    /// # Errors
    ///
    /// As [`Process::python`].
    pub fn python<A, R>(self, function: &str, arguments: A) -> Result<Process<R>, Error>
    where
        A: Serialize,
        R: DeserializeOwned,
    {
        let (daemon, outlive) = (self.daemon, self.outlive);
        let name = current::name_child(self.name.clone(), daemon).name;
        let wanted = self.surroundings(&Surroundings::now());
        exit::arrange();
        let memory = |attempt, source| Error::Memory { name: name.clone(), attempt, source };
        let slot = Slot::reserve(&name).map_err(|source| memory("reserve the seat", source))?;
        let order = Order { name: &name, function, arguments: &arguments };
        let arguments = slot.put_arguments_for_python(&order).map_err(|source| {
            slot.release();
            memory("send the arguments", source)
        })?;
        let interpreter = self.interpreter.unwrap_or_else(python::interpreter);
        match start::python::start(&interpreter, slot, outlive, &self.stdio, &wanted) {
            Ok((pid, pidfd)) => {
                let started = Started { pid, pidfd, slot, arguments, reaper: Reaper::Parent };
                Ok(Process::new(children::enter(name, daemon, outlive, started)))
            }
            Err(source) => {
                slot.release();
                Err(Error::Start { name, step: "start the Python interpreter", source })
            }
        }
    }

    /// Starts another program for one of its tasks, for a front door in another language. The `order` is a pickle of
    /// what [`python`](crate::python) says, in which `objects` travel as persistent ids.
    ///
    /// # Errors
    ///
    /// [`Error::Memory`]; [`Error::Start`] if there is no such program, or its `main` does not begin with
    /// [`init_with`](crate::init_with).
    pub fn program(
        self,
        command: Command,
        order: &[u8],
        objects: &Objects,
    ) -> Result<Program, Error> {
        self.other_program(command, |slot, _| slot.put_pickled_arguments(order, objects))
            .map(Program::new)
    }

    /// Starts another Rust program that does one of its [`Tasks`](crate::Tasks) again and again.
    ///
    /// It takes arguments, each a pickle, as bytes from one queue, and puts what came of them into the other; the first
    /// answer, before the first arguments, says that it is there. It returns after a [`shutdown`](Queue::shutdown) of the first queue.
    ///
    /// # Errors
    ///
    /// As [`program`](Self::program). Without such a task, `join` says which there are.
    ///
    /// # If a process dies
    ///
    /// The arguments that it had taken have gone with it. Those in the queue are for another one.
    pub fn standing(
        self,
        command: Command,
        task: &str,
        arguments: &Queue<()>,
        answers: &Queue<Answer>,
    ) -> Result<Process<()>, Error> {
        let standing = (arguments, answers);
        self.other_program(command, |slot, name| {
            slot.put_arguments_for_python(&Standing { name, function: task, standing })
        })
        .map(Process::new)
    }

    /// Starts another program, whose order `lay` lays into its seat for a process of that name.
    fn other_program(
        self,
        command: Command,
        lay: impl FnOnce(Slot, &str) -> Result<Arguments, procession_ipc::Error>,
    ) -> Result<Arc<Child>, Error> {
        let (daemon, outlive) = (self.daemon, self.outlive);
        let name = current::name_child(self.name.clone(), daemon).name;
        let wanted = self.surroundings(&Surroundings::now());
        exit::arrange();
        let memory = |attempt, source| Error::Memory { name: name.clone(), attempt, source };
        let slot = Slot::reserve(&name).map_err(|source| memory("reserve the seat", source))?;
        let arguments = lay(slot, &name).map_err(|source| {
            slot.release();
            memory("send the arguments", source)
        })?;
        match start::program::start(command, slot, outlive, &self.stdio, &wanted) {
            Ok((pid, pidfd)) => {
                let started = Started { pid, pidfd, slot, arguments, reaper: Reaper::Parent };
                Ok(children::enter(name, daemon, outlive, started))
            }
            Err(source) => {
                slot.release();
                Err(Error::Start { name, step: "start the program", source })
            }
        }
    }

    fn surroundings(&self, own: &Surroundings) -> Surroundings {
        let mut wanted = own.clone();
        let list = &mut wanted.environment;
        for change in &self.environment {
            match change {
                EnvironmentChange::Clear => list.clear(),
                EnvironmentChange::Remove(name) => list.retain(|(other, _)| other != name),
                EnvironmentChange::Set(name, value) => {
                    list.retain(|(other, _)| other != name);
                    list.push((name.clone(), value.clone()));
                }
            }
        }
        if let Some(directory) = &self.directory {
            let base = own.directory.clone().unwrap_or_default();
            wanted.directory = Some(base.join(directory));
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spawn_without_init_says_what_to_write_and_starts_nothing() {
        let _ = init::forget_for_test();
        let error = Process::spawn(|()| (), ()).expect_err("init did not run");
        assert!(matches!(error, Error::NotInitialised { .. }), "{error:?}");
        assert!(
            error.to_string().contains("write `procession::init();` as the first line of `main`")
        );
        assert!(procession_testkit::family::descendants().is_empty());
    }
}
