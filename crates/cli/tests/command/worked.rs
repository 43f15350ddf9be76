//! A command that works, while a test uses it.

use crate::ran::{Mark, command};
use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

/// `procession worker`, while a test uses it.
pub(crate) struct Worker {
    child: Child,
    errors: BufReader<ChildStderr>,
    mark: Mark,
}

impl Worker {
    /// Starts it with those arguments, as `change` has it.
    pub(crate) fn start(
        key: &Path,
        connect: &str,
        more: &[&str],
        change: impl FnOnce(&mut Command),
    ) -> Self {
        let key = key.to_str().expect("it is text");
        let arguments = ["worker", "--connect", connect, "--authkey-file", key];
        let (mut command, mark) = command(&[&arguments, more].concat());
        change(&mut command);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command was built");
        let errors = BufReader::new(child.stderr.take().expect("it is a pipe"));
        Self { child, errors, mark }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("it is ours");
    }

    /// Reads what it complains of, up to a line with this.
    pub(crate) fn until(&mut self, what: &str) {
        let mut line = String::new();
        while !line.contains(what) {
            line.clear();
            assert_ne!(self.errors.read_line(&mut line).expect("it is text"), 0, "no {what:?}");
        }
    }

    /// Waits for its end: exit code, summary, complaints.
    pub(crate) fn ended(mut self) -> (Option<i32>, String, String) {
        let (mut said, mut errors) = (String::new(), String::new());
        self.errors.read_to_string(&mut errors).expect("it is text");
        let stdout = self.child.stdout.as_mut().expect("it is a pipe");
        stdout.read_to_string(&mut said).expect("it is text");
        let code = self.child.wait().expect("it is our child").code();
        self.mark.expect_nothing_left();
        (code, said, errors)
    }
}

/// A test that fails leaves it running.
impl Drop for Worker {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
