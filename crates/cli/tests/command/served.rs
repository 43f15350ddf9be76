//! A command that serves, while a test uses it.

use crate::ran::{Mark, command};
use procession::manager::{Address, Manager};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};

pub(crate) const KEY: &str = "abc";

/// A file with the key, which nobody else may read.
pub(crate) fn key_file(name: &str, content: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).expect("the directory is there");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
    path
}

/// `procession serve`, until it is told to end.
pub(crate) struct Served {
    child: Child,
    lines: BufReader<ChildStdout>,
    mark: Mark,
    pub(crate) first: String,
    pub(crate) address: Address,
}

impl Served {
    /// At a port that the kernel chooses, or at `address`.
    pub(crate) fn start(name: &str, address: Option<&Address>, more: &[&str]) -> Self {
        let key = key_file(name, &format!("{KEY}\n"));
        let address = address.map_or("127.0.0.1:0".to_owned(), Address::to_string);
        let key = key.to_str().expect("it is text");
        let arguments = ["serve", "--bind", &address, "--authkey-file", key];
        let (mut command, mark) = command(&[&arguments, more].concat());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command was built");
        let mut lines = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut first = String::new();
        lines.read_line(&mut first).expect("it prints text");
        let address = first.trim_end().rsplit_once(" at ").expect("it says where").1;
        let address = address.parse().expect("it is an address");
        Self { child, lines, mark, first, address }
    }

    pub(crate) fn manager(&self) -> Manager {
        Manager::connect(&self.address, KEY).expect("it serves")
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is ours");
    }

    /// Waits for its end: the exit code, and what else it said.
    pub(crate) fn ended(mut self) -> (Option<i32>, String, String) {
        let (mut said, mut errors) = (String::new(), String::new());
        self.lines.read_to_string(&mut said).expect("it is text");
        let stderr = self.child.stderr.as_mut().expect("it is a pipe");
        stderr.read_to_string(&mut errors).expect("it is text");
        let code = self.child.wait().expect("it is our child").code();
        self.mark.expect_nothing_left();
        (code, said, errors)
    }
}

/// A test that fails leaves it running.
impl Drop for Served {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
