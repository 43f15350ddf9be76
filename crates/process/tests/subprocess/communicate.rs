//! Input, output and errors while a child runs, and a grandchild that keeps the pipes.

use crate::{Grandchild, KEEP_PIPES, MIB, SHORT, noise, piped};
use procession_process::subprocess::{Command, Error, Redirect, Signal, check_output, run};
use procession_testkit::{guard, wait_until};
use std::io::{BufRead, BufReader, Write};
use std::time::Duration;

#[test]
fn ten_mebibytes_pass_through_cat_in_both_directions() {
    let _guard = guard();
    let sent = noise(10 * MIB);
    let done = run(Command::new("cat").capture_output().input(sent.clone())).unwrap();
    assert!(done.stdout == sent, "{} of {} bytes", done.stdout.len(), sent.len());
    assert!(done.status.success() && done.stderr.is_empty());
}

#[test]
fn both_outputs_are_read_at_once() {
    let _guard = guard();
    let script =
        "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; head -c 99 /dev/zero >&2";
    let done = run(Command::shell(script).capture_output()).unwrap();
    assert_eq!((done.stdout.len(), done.stderr.len()), (3_000_000, 3_000_099));
}

#[test]
fn a_child_that_ignores_its_input_is_no_error() {
    let _guard = guard();
    let done = run(Command::new("true").input(noise(MIB))).unwrap();
    assert!(done.status.success());
    let done = run(Command::shell("exec <&-; echo here").capture_output().input(noise(MIB)));
    assert_eq!(done.unwrap().stdout, b"here\n");
}

#[test]
fn a_child_that_closes_its_pipes_is_still_waited_for() {
    let _guard = guard();
    let child = piped("exec <&- >&- 2>&-; kill -STOP $$; exit 5");
    wait_until("it has closed its pipes and stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
        stat.contains(") T ")
    });
    let error = child.communicate_timeout([], SHORT).unwrap_err();
    assert!(error.is_timeout());
    child.send_signal(Signal::CONT).unwrap();
    assert_eq!(child.communicate([]).unwrap().returncode(), 5);
}

#[test]
fn a_grandchild_that_keeps_the_pipe_is_not_waited_for() {
    let _guard = guard();
    let output = check_output(Command::shell(KEEP_PIPES).stderr(Redirect::Pipe)).unwrap();
    let grandchild = Grandchild::from_line(&output);
    assert!(grandchild.runs());
}

#[test]
fn a_grandchild_that_writes_without_end_is_not_waited_for() {
    let _guard = guard();
    let output =
        check_output(Command::shell("echo 1; yes & echo $! >&2; exit 0").stderr_to_stdout());
    let output = output.unwrap();
    let number = |line: &&str| line.parse::<i32>().is_ok_and(|pid| pid != 1);
    let text = String::from_utf8_lossy(&output).into_owned();
    let pid = text.lines().find(number).expect("a pid").to_owned();
    let grandchild = Grandchild::from_line(pid.as_bytes());
    wait_until("SIGPIPE has ended it", || !grandchild.runs());
}

#[test]
fn a_pipe_that_is_taken_after_a_timeout_waits_for_data() {
    let _guard = guard();
    let child = piped("read line; echo \"$line\"");
    let mut stdin = child.take_stdin().unwrap();
    assert!(child.communicate_timeout([], Duration::ZERO).unwrap_err().is_timeout());
    let stdout = child.take_stdout().unwrap();
    let reader = std::thread::spawn(move || BufReader::new(stdout).lines().next());
    stdin.write_all(b"late\n").unwrap();
    assert_eq!(reader.join().unwrap().unwrap().unwrap(), "late");
    assert!(child.wait().unwrap().success());
}

#[test]
fn errors_merged_into_output_keep_their_order() {
    let _guard = guard();
    let script = "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done";
    let output = check_output(Command::shell(script).stderr_to_stdout()).unwrap();
    let expected: String = (1..10).map(|i| format!("o{i}\ne{i}\n")).collect();
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}

#[test]
fn a_failure_carries_status_and_both_outputs() {
    let _guard = guard();
    let command = Command::shell("echo out; echo why >&2; exit 3").stderr(Redirect::Pipe);
    let Err(Error::CalledProcess(failed)) = check_output(command) else { panic!("no error") };
    assert_eq!(failed.status.code(), Some(3));
    assert_eq!(
        (failed.stdout.as_slice(), failed.stderr.as_slice()),
        (&b"out\n"[..], &b"why\n"[..])
    );
    assert!(failed.to_string().ends_with("exited with code 3: why"), "{failed}");
    assert_eq!(run("false").unwrap().returncode(), 1);
}

#[test]
fn input_without_a_pipe_is_refused() {
    let _guard = guard();
    let child = Command::new("cat").stdin(Redirect::Null).spawn().unwrap();
    let error = child.communicate("lost").unwrap_err();
    assert!(matches!(error, Error::NoStdin { .. }), "{error:?}");
    assert!(child.communicate([]).is_ok());
    assert!(child.wait().unwrap().success());
}
