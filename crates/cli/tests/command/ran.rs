//! Running the command, reading it, and that nothing of it is left.

use procession_testkit::family::Member;
use procession_testkit::wait_until;
use std::fs;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// What a run of the command said.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) lines: Vec<String>,
    pub(crate) errors: String,
}

/// The command with these arguments, marked so that what it leaves is found.
pub(crate) fn command(arguments: &[&str]) -> (Command, Mark) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_procession"));
    command.args(arguments).env_remove("PROCESSION_ARENA");
    let mark = Mark::new();
    command.env(mark.0.split_once('=').expect("it has a name").0, "1");
    (command, mark)
}

/// Runs the command to its end.
pub(crate) fn run(arguments: &[&str]) -> Ran {
    run_with(arguments, |_| ())
}

/// Runs the command to its end, as `change` has it.
pub(crate) fn run_with(arguments: &[&str], change: impl FnOnce(&mut Command)) -> Ran {
    let (mut command, mark) = command(arguments);
    change(&mut command);
    let Output { status, stdout, stderr } = command.output().expect("the command was built");
    mark.expect_nothing_left();
    let text = |bytes| String::from_utf8(bytes).expect("it prints text");
    let lines = text(stdout).lines().map(str::to_owned).collect();
    Ran { code: status.code(), lines, errors: text(stderr) }
}

impl Ran {
    /// The lines below the heading of a chapter that went well.
    pub(crate) fn chapter(&self) -> Vec<&str> {
        assert_eq!((self.code, self.errors.as_str()), (Some(0), ""), "{self:?}");
        assert!(self.lines[0].starts_with("### "), "{self:?}");
        self.lines[1..].iter().map(String::as_str).collect()
    }
}

/// A variable of the environment that all processes of a run inherit, also when they are orphans.
#[derive(Debug)]
pub(crate) struct Mark(String);

impl Mark {
    fn new() -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let (me, run) = (std::process::id(), RUNS.fetch_add(1, Relaxed));
        Self(format!("PROCESSION_TEST_{me}_{run}=1"))
    }

    /// Waits until no process of the run is left.
    pub(crate) fn expect_nothing_left(&self) {
        wait_until("nothing of the command is left", || self.count() == 0);
    }

    /// How many processes of the run there are now.
    pub(crate) fn count(&self) -> usize {
        self.processes().count()
    }

    /// Whether all of them have been stopped.
    pub(crate) fn all_stand_still(&self) -> bool {
        self.processes().all(|entry| {
            let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            pid.and_then(Member::read).is_none_or(|member| member.state == 'T')
        })
    }

    fn processes(&self) -> impl Iterator<Item = fs::DirEntry> {
        let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
        entries.filter(|entry| {
            let environment = fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == self.0.as_bytes())
        })
    }
}

/// The numbers that stand at each `#` of the pattern, if the rest of the line is the same.
pub(crate) fn numbers(pattern: &str, line: &str) -> Option<Vec<f64>> {
    let mut parts = pattern.split('#');
    let mut rest = line.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    for part in parts {
        let is_number = |letter: char| letter.is_ascii_digit() || letter == '.';
        let mut end = rest.find(|letter| !is_number(letter)).unwrap_or(rest.len());
        if rest[..end].ends_with('.') {
            end -= 1;
        }
        found.push(rest[..end].parse().ok()?);
        rest = rest[end..].strip_prefix(part)?;
    }
    rest.is_empty().then_some(found)
}

/// As [`numbers`], of a line that must be there.
#[track_caller]
pub(crate) fn expect(pattern: &str, lines: &[&str]) -> Vec<f64> {
    let found = lines.iter().find_map(|line| numbers(pattern, line));
    found.unwrap_or_else(|| panic!("no line `{pattern}` in {lines:#?}"))
}
