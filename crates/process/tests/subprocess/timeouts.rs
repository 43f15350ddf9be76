//! What a time that is over leaves, and whom it ends.

use crate::{Grandchild, KEEP_PIPES, MIB, SHORT, noise, piped, run_until_it_speaks};
use procession_process::subprocess::{Command, Error, Group, Redirect, Signal};
use procession_testkit::{guard, wait_until};
use std::io::Write;

#[test]
fn at_the_timeout_a_grandchild_that_keeps_the_pipe_is_not_waited_for() {
    let _guard = guard();
    let script = format!("{KEEP_PIPES}; exec sleep 1000");
    let expired = run_until_it_speaks(|| Command::shell(&script).capture_output());
    assert!(expired.killed);
    let grandchild = Grandchild::from_line(&expired.stdout);
    assert!(grandchild.runs());
}

#[test]
fn at_the_timeout_the_group_of_a_leader_is_killed() {
    let _guard = guard();
    let script = format!("{KEEP_PIPES}; exec sleep 1000");
    for group in [Group::New, Group::NewSession] {
        let command = || Command::shell(&script).capture_output().group(group);
        let expired = run_until_it_speaks(command);
        let grandchild = Grandchild::from_line(&expired.stdout);
        wait_until("the grandchild is killed with its group", || !grandchild.runs());
    }
}

#[test]
fn a_timeout_gives_what_was_read_and_the_child_goes_on() {
    let _guard = guard();
    let child = piped("echo out; echo err >&2; read line; echo \"$line\"; read line; echo last");
    let stdin = child.take_stdin();
    let mut stdin = stdin.unwrap();
    wait_until("both lines have come", || {
        let Err(Error::Timeout(expired)) = child.communicate_timeout([], SHORT) else {
            panic!("it has ended")
        };
        assert!(!expired.killed);
        expired.stdout == b"out\n" && expired.stderr == b"err\n"
    });
    assert_eq!(child.poll().unwrap(), None);
    stdin.write_all(b"more\n").unwrap();
    drop(stdin);
    let done = child.communicate([]).unwrap();
    assert_eq!((done.stdout, done.stderr), (b"out\nmore\nlast\n".to_vec(), b"err\n".to_vec()));
}

#[test]
fn input_that_a_timeout_left_unsent_is_sent_by_the_next_call() {
    let _guard = guard();
    let sent = noise(MIB);
    let child = piped("kill -STOP $$; exec cat");
    assert!(child.communicate_timeout(sent.clone(), SHORT).unwrap_err().is_timeout());
    wait_until("it has stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
        stat.contains(") T ")
    });
    child.send_signal(Signal::CONT).unwrap();
    let done = child.communicate(*b"and more").unwrap();
    assert!(done.stdout == [sent, b"and more".to_vec()].concat());
}

#[test]
fn a_child_that_writes_without_end_is_ended_by_the_timeout() {
    let _guard = guard();
    let expired = run_until_it_speaks(|| Command::new("yes").stdout(Redirect::Pipe));
    assert!(expired.stdout.starts_with(b"y\ny\n"));
}

#[test]
fn wait_timeout_says_that_the_child_still_runs() {
    let _guard = guard();
    let child = Command::new("sleep").arg("1000").spawn().unwrap();
    let error = child.wait_timeout(SHORT).unwrap_err();
    let said = error.to_string();
    assert_eq!(said, "`sleep 1000` did not end within 50ms; it goes on, wait again or kill it");
    child.terminate().unwrap();
    assert_eq!(child.wait().unwrap().exitcode(), -15);
}

#[test]
fn waiting_closes_the_stdin_that_nobody_took() {
    let _guard = guard();
    let child = Command::new("cat").stdin(Redirect::Pipe).spawn().unwrap();
    assert!(child.wait_timeout(SHORT).unwrap_err().is_timeout());
    assert!(child.wait().unwrap().success());
}
