//! What a child finds: environment, directory, streams, descriptors, signals, its group.

use crate::{Folder, run_alone};
use procession_process::subprocess::{
    Command, Group, Popen, Redirect, Signal, check_call, check_output, run,
};
use procession_testkit::{guard, wait_until};
use std::fs::File;
use std::io::{Read, pipe};

#[test]
fn the_child_gets_the_environment_that_was_asked_for() {
    let _guard = guard();
    let only = Command::new("env").env("LOST", "1").env_clear().env("A", "1").env("B", "x=y");
    assert_eq!(check_output(only).unwrap(), b"A=1\nB=x=y\n");
    let all = check_output(Command::new("env").env("A", "1").env_remove("HOME")).unwrap();
    let all = String::from_utf8(all).unwrap();
    let has = |start: &str| all.lines().any(|line| line.starts_with(start));
    assert!(has("A=1") && has("PATH=") && !has("HOME="), "{all}");
}

#[test]
fn a_relative_program_is_meant_from_the_childs_directory() {
    let _guard = guard();
    let folder = Folder::new("relative");
    folder.file("here", "#!/bin/sh\npwd\n", 0o755);
    let output = check_output(Command::new("./here").cwd(&folder.0)).unwrap();
    assert_eq!(String::from_utf8(output).unwrap().trim(), folder.0.to_str().unwrap());
    let output = check_output(Command::new("here").cwd(&folder.0).env("PATH", "."));
    assert!(output.is_ok(), "{output:?}");
}

#[test]
fn streams_lead_to_files_and_to_nowhere() {
    let _guard = guard();
    let folder = Folder::new("streams");
    let from = folder.file("from", "text\n", 0o644);
    let to = folder.0.join("to");
    let command = Command::shell("cat; echo lost >&2").stdin(File::open(from).unwrap());
    let command = command.stdout(File::create(&to).unwrap()).stderr(Redirect::Null);
    check_call(command).unwrap();
    assert_eq!(std::fs::read(to).unwrap(), b"text\n");
    assert_eq!(check_output(Command::new("cat").stdin(Redirect::Null)).unwrap(), b"");
}

#[test]
fn an_end_of_a_pipe_given_to_a_child_stays_with_nobody_else() {
    let _guard = guard();
    let (mut read, write) = pipe().unwrap();
    let child = Command::new("echo").arg("x").stdout(write).spawn().unwrap();
    let mut said = String::new();
    read.read_to_string(&mut said).unwrap();
    assert_eq!(said, "x\n");
    child.wait().unwrap();
}

#[test]
fn a_child_starts_with_sigpipe_at_its_default_and_nothing_blocked() {
    let _guard = guard();
    let status = check_output(["cat", "/proc/self/status"]).unwrap();
    let status = String::from_utf8(status).unwrap();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        u64::from_str_radix(line.expect(name).trim(), 16).unwrap()
    };
    let bit = |signal: Signal| 1 << (signal.as_raw() - 1);
    assert_eq!(mask("SigIgn:") & (bit(Signal::PIPE) | bit(Signal::XFSZ)), 0);
    assert_eq!(mask("SigBlk:"), 0);
}

#[test]
fn a_child_inherits_no_descriptor_of_ours_but_its_three() {
    let _guard = guard();
    let start = || {
        let child = Command::new("sleep").arg("1000").capture_output().stdin(Redirect::Pipe);
        child.spawn().unwrap()
    };
    let open = |child: &Popen| {
        let open = std::fs::read_dir(format!("/proc/{}/fd", child.pid())).unwrap();
        let mut open: Vec<_> = open.map(|entry| entry.unwrap().file_name()).collect();
        open.sort();
        open
    };
    // What this process was started with is not ours, and may be passed on.
    let first = start();
    let (_read, _write) = pipe().unwrap();
    let second = start();
    // The kernel lets the parent go on a moment before it closes what is close-on-exec.
    wait_until("both have the same", || open(&first) == open(&second));
    for child in [first, second] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_child_leads_its_group_or_session_if_asked() {
    let _guard = guard();
    let ids = |group| {
        let child = Command::new("sleep").arg("1000").group(group).spawn().unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let ids = stat.rsplit(") ").next().unwrap().split(' ').skip(2).take(2);
        let mut ids = ids.map(|id| id.parse::<i32>().unwrap() == child.pid());
        (ids.next().unwrap(), ids.next().unwrap())
    };
    assert_eq!(ids(Group::Parent), (false, false));
    assert_eq!(ids(Group::New), (true, false));
    assert_eq!(ids(Group::NewSession), (true, true));
}

/// Runs in a process of its own, started by the test below.
#[test]
#[ignore = "wants a process without stdin"]
fn stdin_is_closed() {
    // The pipes get the numbers of the streams that they are to become in the child.
    let done = run(Command::new("cat").capture_output().input("through")).unwrap();
    assert_eq!(done.stdout, b"through");
}

#[test]
fn pipes_that_have_the_numbers_of_streams_reach_the_child() {
    let _guard = guard();
    run_alone("exec <&-; exec", "surroundings::stdin_is_closed");
    run_alone("exec <&- 2>&-; exec", "surroundings::stdin_is_closed");
}
