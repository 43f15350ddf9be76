//! Starting another program: `posix_spawn`, and nothing else.
//!
//! `posix_spawn` shares the parent's memory with the child until the child runs its program, so a
//! start costs the same from a small and from a huge process, and no lock of another thread is
//! copied half-held. `fork` and `exec` cost 36 ms from a parent with 1 GiB, and every hook that runs
//! in the child (`pre_exec`) makes the standard library use them: so there is no hook here.
//!
//! Nothing is inherited by accident: all descriptors of this project are close-on-exec, and the
//! child gets exactly what [`Spawn::fds`](crate::spawn::Spawn::fds) maps. Signals start as a program expects them: none is
//! blocked, and `SIGPIPE` and `SIGXFSZ`, which Rust and Python ignore, end the process again.
//!
//! Deliberately not here: user, group and limits of the child, which need code in the child; use
//! `setpriv`, `prlimit` or `env` as the program.

mod attributes;
mod error;
mod file_actions;
mod lookup;
mod strings;

pub use error::SpawnError;

use crate::pidfd::Pidfd;
use attributes::Attributes;
use file_actions::FileActions;
use rustix::fd::{BorrowedFd, RawFd};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use strings::CStrings;

/// The process group of the new process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Group {
    /// That of the parent.
    #[default]
    Parent,
    /// A new group that the child leads.
    New,
    /// The group with this number.
    Join(i32),
    /// A new group in a new session, without a terminal.
    NewSession,
}

/// What to start, and how.
///
/// ```
/// use procession_sys::Deadline;
/// use procession_sys::spawn::Spawn;
///
/// let argv = ["sh".into(), "-c".into(), "exit 7".into()];
/// let child = Spawn::new(&argv).spawn()?;
/// let status = child.pidfd.reap(Deadline::never()).unwrap().unwrap();
/// assert_eq!(status.code(), Some(7));
/// # Ok::<(), procession_sys::spawn::SpawnError>(())
/// ```
#[derive(Debug)]
pub struct Spawn<'a> {
    /// The program: a path if it has a slash, else a name that is looked up in the child's `PATH`.
    /// A relative path is meant from the child's working directory.
    pub program: &'a OsStr,
    /// The arguments, the program's own name first.
    pub argv: &'a [OsString],
    /// The whole environment; `None` passes on that of the parent.
    pub env: Option<&'a [(OsString, OsString)]>,
    /// The working directory; `None` is that of the parent.
    pub cwd: Option<&'a Path>,
    /// Descriptors of the parent, and the number that each gets in the child. They may overlap.
    pub fds: &'a [(BorrowedFd<'a>, RawFd)],
    /// The process group.
    pub group: Group,
}

/// A process that was started.
#[derive(Debug)]
pub struct Spawned {
    /// Its number; only as good as a number until it is reaped.
    pub pid: i32,
    /// The process itself.
    pub pidfd: Pidfd,
}

impl<'a> Spawn<'a> {
    /// Starts `argv[0]` with `argv`, and all else as the parent has it.
    pub fn new(argv: &'a [OsString]) -> Self {
        Self {
            program: argv.first().map_or(OsStr::new(""), OsString::as_os_str),
            argv,
            env: None,
            cwd: None,
            fds: &[],
            group: Group::default(),
        }
    }

    /// Starts the process. Returns when it runs its own program, or with the reason why it never
    /// did; in that case there is no process and nothing to reap.
    ///
    /// # Errors
    /// [`SpawnError`] names the program, the directory or the limit that is in the way.
    pub fn spawn(&self) -> Result<Spawned, SpawnError> {
        strings::c_string(self.program)?;
        let argv = CStrings::arguments(self.argv)?;
        let env = CStrings::environment(self.env)?;
        let path = lookup::find(self)?;
        let path_c = strings::c_string(path.as_os_str())?;
        let os = |source| SpawnError::from_os(self, &path, source);
        let lent = file_actions::lift(self.fds).map_err(os)?;
        let mut actions = FileActions::new().map_err(os)?;
        for (source, target) in &lent {
            actions.dup(source, *target).map_err(os)?;
        }
        if let Some(cwd) = self.cwd {
            let cwd = strings::c_string(cwd.as_os_str())?;
            actions.chdir(&cwd).map_err(os)?;
        }
        let attributes = Attributes::new(self.group).map_err(os)?;
        // Whoever has no descriptor left for the pidfd learns it before there is a process.
        let room = rustix::event::eventfd(0, rustix::event::EventfdFlags::CLOEXEC);
        let room = room.map_err(|errno| os(errno.into()))?;
        let mut pid = 0;
        // SAFETY: posix_spawn(3) reads a C string, initialised actions and attributes, and two
        // arrays of C strings that end with null: each is borrowed from a value that lives to the
        // end of this function and is not changed meanwhile. `*mut c_char` in the arrays is
        // history, POSIX promises that the strings are not written to. It writes the pid.
        let errno = unsafe {
            libc::posix_spawn(
                &mut pid,
                path_c.as_ptr(),
                actions.as_ptr(),
                attributes.as_ptr(),
                argv.as_ptr(),
                env.as_ptr(),
            )
        };
        if errno != 0 {
            return Err(os(io::Error::from_raw_os_error(errno)));
        }
        drop(room);
        let pidfd = Pidfd::open(pid).map_err(|source| self.abandon(pid, &path, source))?;
        Ok(Spawned { pid, pidfd })
    }

    /// Ends a child that could not get a pidfd: another thread took the last descriptor.
    fn abandon(&self, pid: i32, path: &Path, source: io::Error) -> SpawnError {
        if source.raw_os_error() == Some(libc::ESRCH) {
            return SpawnError::NotWatched { program: self.program.to_owned() };
        }
        // The number is still that of our child: nobody has reaped it.
        if let Some(pid) = rustix::process::Pid::from_raw(pid) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            let none = rustix::process::WaitOptions::empty();
            let _ = rustix::io::retry_on_intr(|| rustix::process::waitpid(Some(pid), none));
        }
        SpawnError::from_os(self, path, source)
    }
}
