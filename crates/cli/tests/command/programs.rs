//! The chapters that run another program, with and without `nslookup`.

use crate::ran::{Ran, run_with};
use procession_testkit::guard;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

/// A directory of programs: the real ones of these names, and an `nslookup` that is this script.
fn programs(name: &str, real: &[&str], nslookup: Option<&str>) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory for programs");
    for program in real {
        let found = ["/usr/bin", "/bin"].map(|path| Path::new(path).join(program));
        let found = found.into_iter().find(|path| path.exists()).expect("it is on every system");
        symlink(found, directory.join(program)).expect("a link to it");
    }
    if let Some(script) = nslookup {
        let path = directory.join("nslookup");
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the script is written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may be run");
    }
    directory
}

fn chapter(name: &str, directory: &Path) -> Ran {
    run_with(&["tour", name], |command| {
        command.env("PATH", directory);
    })
}

#[test]
fn call_prints_the_exit_code_of_nslookup_as_it_is() {
    let _guard = guard();
    let ran = chapter("subprocess", &programs("call", &[], Some("echo asked for $1; exit 3")));
    let expected = ["$ nslookup www.python.org", "asked for www.python.org", "Exit code: 3"];
    assert_eq!(ran.chapter(), expected);
}

#[test]
fn call_without_nslookup_says_so_and_calls_another_program() {
    let _guard = guard();
    let ran = chapter("subprocess", &programs("no-call", &["getent"], None));
    let lines = ran.chapter();
    let expected = [
        "$ nslookup www.python.org",
        "(nslookup is not installed here; the same with getent)",
        "$ getent hosts localhost",
    ];
    assert_eq!(lines[..3], expected);
    assert_eq!(lines.last(), Some(&"Exit code: 0"));
}

#[test]
fn call_gives_an_nslookup_without_an_answer_up() {
    let _guard = guard();
    let ran = chapter("subprocess", &programs("stalled", &["sleep"], Some("exec sleep 1000")));
    let lines = ran.chapter();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert!(lines[1].starts_with("(`nslookup www.python.org` did not end within 5s"), "{lines:#?}");
}

#[test]
fn communicate_sends_the_input_and_prints_the_output() {
    let _guard = guard();
    let ran = chapter("communicate", &programs("talk", &["cat"], Some("cat; exit 2")));
    let expected = ["$ nslookup", "set q=mx", "python.org", "exit", "", "Exit code: 2"];
    assert_eq!(ran.chapter(), expected);
}

#[test]
fn communicate_without_nslookup_says_so_and_talks_to_another_program() {
    let _guard = guard();
    let ran = chapter("communicate", &programs("no-talk", &["sort"], None));
    let said = "(nslookup is not installed here; the same with sort)";
    let expected =
        ["$ nslookup", said, "$ sort", "exit", "python.org", "set q=mx", "", "Exit code: 0"];
    assert_eq!(ran.chapter(), expected);
}
