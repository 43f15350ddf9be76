//! How a child ends, and who hears of it.

use crate::{Grandchild, KEEP_PIPES, is_in_proc, piped, run_alone};
use procession_process::subprocess::{Command, Error, Group, Signal, SpawnError, call};
use procession_testkit::{guard, wait_until};
use std::time::Duration;

#[test]
fn a_killed_child_has_a_negative_returncode() {
    let _guard = guard();
    for (signal, code) in [(Signal::KILL, -9), (Signal::TERM, -15), (Signal::USR1, -10)] {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        assert_eq!((child.poll().unwrap(), child.returncode()), (None, None));
        child.send_signal(signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.signal(), status.exitcode()), (Some(signal), code));
        assert_eq!(child.returncode(), Some(code));
        assert_eq!(child.wait_timeout(Duration::ZERO).unwrap(), status);
        child.kill().unwrap();
    }
}

#[test]
fn a_child_can_be_killed_while_another_thread_communicates_with_it() {
    let _guard = guard();
    let child = piped("echo up; exec sleep 1000");
    let done = std::thread::scope(|scope| {
        let talk = scope.spawn(|| child.communicate([]));
        let wait = scope.spawn(|| child.wait());
        child.kill().unwrap();
        assert_eq!(wait.join().unwrap().unwrap().exitcode(), -9);
        talk.join().unwrap().unwrap()
    });
    assert_eq!(done.status.signal(), Some(Signal::KILL));
}

#[test]
fn the_sentinel_is_readable_from_the_end_of_the_child_on() {
    let _guard = guard();
    use procession_sys::Deadline;
    use procession_sys::ready::{Watch, wait};
    let child = piped("read line");
    let look = |deadline| wait(&mut [Watch::readable(child.sentinel())], deadline).unwrap();
    assert_eq!(look(Deadline::now()), 0);
    drop(child.take_stdin());
    assert_eq!(look(Deadline::never()), 1);
    assert!(child.poll().unwrap().is_some());
    assert_eq!(look(Deadline::now()), 1);
}

#[test]
fn the_group_is_signalled_also_after_its_leader_was_reaped() {
    let _guard = guard();
    let child = Command::shell(KEEP_PIPES).capture_output().group(Group::New).spawn().unwrap();
    let done = child.communicate([]).unwrap();
    let grandchild = Grandchild::from_line(&done.stdout);
    assert!(grandchild.runs());
    child.send_signal_group(Signal::KILL).unwrap();
    wait_until("the grandchild is killed", || !grandchild.runs());
}

#[test]
fn a_dropped_child_is_reaped_when_the_next_one_starts() {
    let _guard = guard();
    let child = piped("read line");
    let (pid, stdin) = (child.pid(), child.take_stdin());
    drop(child);
    assert!(is_in_proc(pid));
    drop(stdin);
    wait_until("the dropped child is gone", || {
        call("true").unwrap();
        !is_in_proc(pid)
    });
    let child = Command::new("true").spawn().unwrap();
    let pid = child.pid();
    let watch = &mut [procession_sys::ready::Watch::readable(child.sentinel())];
    procession_sys::ready::wait(watch, procession_sys::Deadline::never()).unwrap();
    drop(child);
    assert!(!is_in_proc(pid), "a child that had ended is reaped by the drop itself");
}

/// Runs in a process of its own, started by the test below.
#[test]
#[ignore = "wants a process that ignores SIGCHLD"]
fn sigchld_is_ignored() {
    let error = call("true").unwrap_err();
    let lost = matches!(error, Error::StatusLost { .. });
    let gone = matches!(error, Error::Spawn(SpawnError::NotWatched { .. }));
    assert!(lost || gone, "{error:?}");
    assert!(error.to_string().contains("SIGCHLD"), "{error}");
}

#[test]
fn a_status_that_the_kernel_threw_away_is_a_typed_error() {
    let _guard = guard();
    run_alone("exec env --ignore-signal=CHLD", "ends::sigchld_is_ignored");
}
