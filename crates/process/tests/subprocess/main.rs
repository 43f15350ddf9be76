//! Other programs as children. Every test is guarded: it must end, and leave no process, no zombie
//! and no descriptor.
//!
//! | room | what it says |
//! |---|---|
//! | `communicate` | input, output and errors while a child runs |
//! | `timeouts` | what a time that is over leaves, and whom it ends |
//! | `ends` | how a child ends, and who hears of it |
//! | `refusals` | what cannot be started |
//! | `surroundings` | what a child finds |
//! | `pipelines` | several programs in a row |

mod communicate;
mod ends;
mod pipelines;
mod refusals;
mod surroundings;
mod timeouts;

use procession_process::subprocess::{Command, Error, Popen, Redirect, TimeoutExpired, call, run};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub(crate) const MIB: usize = 1 << 20;
pub(crate) const SHORT: Duration = Duration::from_millis(50);

/// The text of a shell that starts a grandchild which keeps the pipes, and says its pid.
pub(crate) const KEEP_PIPES: &str = "sleep 1000 & echo $!";

pub(crate) struct Grandchild(i32);

impl Grandchild {
    pub(crate) fn from_line(line: &[u8]) -> Self {
        Self(String::from_utf8_lossy(line).trim().parse().expect("a pid"))
    }

    pub(crate) fn runs(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        let state = stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next());
        state.is_some_and(|state| state != 'Z')
    }
}

impl Drop for Grandchild {
    fn drop(&mut self) {
        let _ = call(["kill", "-9", &self.0.to_string()]);
    }
}

/// Runs it with more and more time until it has written something before its time was over.
pub(crate) fn run_until_it_speaks(command: impl Fn() -> Command) -> TimeoutExpired {
    let mut timeout = Duration::from_millis(250);
    loop {
        let Err(Error::Timeout(expired)) = run(command().timeout(timeout)) else {
            panic!("no timeout")
        };
        if !expired.stdout.is_empty() {
            return expired;
        }
        timeout *= 2;
    }
}

/// Runs an ignored test of this file in a process of its own, which the shell text `with` starts.
pub(crate) fn run_alone(with: &str, test: &str) {
    let script = format!(r#"{with} "$0" --ignored --exact {test}"#);
    let myself = std::env::current_exe().unwrap();
    let done = run(Command::shell(script).arg(myself).capture_output()).unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        // As `pwd` says it.
        let parent = std::env::temp_dir().canonicalize().unwrap();
        let path = parent.join(format!("subprocess-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn noise(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

pub(crate) fn is_in_proc(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

pub(crate) fn piped(script: &str) -> Popen {
    let command = Command::shell(script).capture_output().stdin(Redirect::Pipe);
    command.spawn().unwrap()
}
