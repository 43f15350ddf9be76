//! Why a program was not started.

use super::{Spawn, lookup};
use rustix::fs::Access;
use rustix::io::Errno;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// Why a program was not started. In every case there is no process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// There is no such program.
    #[error("cannot start `{}`: no such program{}", .program.display(), where_to_look(.searched))]
    MissingProgram {
        /// What was asked for.
        program: OsString,
        /// The `PATH` that was searched, if a name was asked for and not a path.
        searched: Option<OsString>,
    },
    /// The file is there and may not be executed.
    #[error("cannot start `{}`: it is not an executable file for this user; \
             make it one (chmod +x) or start its interpreter with it as an argument", .path.display())]
    NotExecutable {
        /// The file.
        path: PathBuf,
    },
    /// The file is there, and what its first line or its header wants for running it is not.
    #[error("cannot start `{}`: the file exists, the interpreter or loader that it names does not; \
             look at its first line (#!), or at `file` for a binary of another system", .path.display())]
    MissingInterpreter {
        /// The file.
        path: PathBuf,
    },
    /// The file is executable and the kernel does not know its format.
    #[error("cannot start `{}`: the kernel does not know its format; \
             give a script a first line such as #!/bin/sh, or start its interpreter", .path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
    },
    /// The working directory cannot be entered.
    #[error("cannot start `{}` in `{}`: {source}; create the directory or name another",
            .program.display(), .cwd.display())]
    Cwd {
        /// What was to be started.
        program: OsString,
        /// The directory that it was to be started in.
        cwd: PathBuf,
        /// Why it cannot be entered.
        source: io::Error,
    },
    /// No descriptor is left.
    #[error("cannot start `{}`: {source}; close some descriptors or raise the limit (ulimit -n)",
            .program.display())]
    NoDescriptors {
        /// What was to be started.
        program: OsString,
        /// `EMFILE` for this process, `ENFILE` for the machine.
        source: io::Error,
    },
    /// No process is left.
    #[error("cannot start `{}`: no process is left for this user or control group; \
             wait for some, or raise the limit (ulimit -u, pids.max)", .program.display())]
    NoProcesses {
        /// What was to be started.
        program: OsString,
    },
    /// Arguments and environment are too long.
    #[error("cannot start `{}`: its arguments and environment are longer than the kernel takes; \
             pass data through stdin or a file", .program.display())]
    TooLong {
        /// What was to be started.
        program: OsString,
    },
    /// A name, an argument or a path has a zero byte, at which the kernel would cut it off.
    #[error("cannot start a program with {text:?}: it contains a zero byte; remove it")]
    ZeroByte {
        /// The text.
        text: OsString,
    },
    /// A variable whose name is empty or contains `=`.
    #[error(
        "cannot start a program with the variable {name:?}: a name is not empty and has no `=`"
    )]
    EnvironmentName {
        /// The name.
        name: OsString,
    },
    /// It was started and is gone, and the kernel has thrown its status away.
    #[error("cannot watch `{}`: it has gone without a status, because this program ignores SIGCHLD; \
             set that signal to its default", .program.display())]
    NotWatched {
        /// What was started.
        program: OsString,
    },
    /// Anything else that the kernel says.
    #[error("cannot start `{}`: {source}", .program.display())]
    Os {
        /// What was to be started.
        program: OsString,
        /// What the kernel says.
        source: io::Error,
    },
}

impl SpawnError {
    /// Names the culprit: the kernel gives one number for a start of many steps.
    pub(super) fn from_os(spawn: &Spawn<'_>, path: &Path, source: io::Error) -> Self {
        use Errno as E;
        match E::from_io_error(&source) {
            Some(E::NOENT | E::NOTDIR | E::ACCESS | E::LOOP | E::NAMETOOLONG) => {
                bad_cwd(spawn).unwrap_or_else(|| bad_program(spawn, path, source))
            }
            Some(E::NOEXEC) => Self::UnknownFormat { path: path.to_owned() },
            Some(E::AGAIN) => Self::NoProcesses { program: spawn.program.to_owned() },
            Some(E::TOOBIG) => Self::TooLong { program: spawn.program.to_owned() },
            _ => Self::before_start(spawn.program.to_owned(), source),
        }
    }

    /// A preparation for starting `program` failed: a pipe, a file.
    pub fn before_start(program: OsString, source: io::Error) -> Self {
        match Errno::from_io_error(&source) {
            Some(Errno::MFILE | Errno::NFILE) => Self::NoDescriptors { program, source },
            _ => Self::Os { program, source },
        }
    }
}

fn bad_cwd(spawn: &Spawn<'_>) -> Option<SpawnError> {
    let cwd = spawn.cwd?;
    let source = match std::fs::metadata(cwd) {
        Err(error) => error,
        Ok(found) if !found.is_dir() => Errno::NOTDIR.into(),
        Ok(_) => rustix::fs::access(cwd, Access::EXEC_OK).err()?.into(),
    };
    Some(SpawnError::Cwd { program: spawn.program.to_owned(), cwd: cwd.to_owned(), source })
}

fn bad_program(spawn: &Spawn<'_>, path: &Path, source: io::Error) -> SpawnError {
    let (program, path) = (spawn.program.to_owned(), path.to_owned());
    match std::fs::metadata(lookup::seen_by_child(spawn, &path)) {
        Ok(_) if source.raw_os_error() == Some(libc::ENOENT) => {
            SpawnError::MissingInterpreter { path }
        }
        Ok(_) => SpawnError::NotExecutable { path },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            SpawnError::MissingProgram { program, searched: None }
        }
        Err(_) => SpawnError::Os { program, source },
    }
}

fn where_to_look(searched: &Option<OsString>) -> String {
    match searched {
        Some(path) => format!(" in PATH ({}); install it or give its path", path.display()),
        None => "; look at the path, or install it".to_owned(),
    }
}
