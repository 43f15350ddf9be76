//! What the end of a process means for its children, and how it comes about.

use crate::{by, read_pid, read_stdin, wait_for_ever};
use procession_process::{Error, Process, Stdio, parent_process};
use procession_sys::Deadline;
use procession_testkit::family::Member;
use procession_testkit::wait_until;
use std::io::{PipeReader, Read, Write};
use std::time::Duration;

for_each_method! {
    parent_waits_for_its_children_at_its_end
    call_of_exit_waits_for_children_as_well
    daemon_is_terminated_at_the_end_of_its_parent
    child_dies_with_a_killed_parent
    grandchild_dies_with_a_killed_grandparent
    child_that_may_outlives_its_parent_and_sees_it_go
}

fn parent_waits_for_its_children_at_its_end(m: u8) {
    let (mut reader, writer) = std::io::pipe().expect("pipe");
    let (gate, mut open) = std::io::pipe().expect("pipe");
    let parent = by(m).stdin(gate).stdout(writer).spawn(
        |m| {
            let late = by(m).stdin(Stdio::Inherit).spawn(
                |()| {
                    read_stdin();
                    print!("late");
                },
                (),
            );
            drop(late.expect("spawn"));
        },
        m,
    );
    let parent = parent.expect("spawn");
    assert!(parent.join_timeout(Duration::from_millis(50)).is_err_and(|error| error.is_timeout()));
    open.write_all(b"\n").expect("write");
    parent.join().expect("join");
    let mut seen = String::new();
    reader.read_to_string(&mut seen).expect("read");
    assert_eq!(seen, "late");
}

fn call_of_exit_waits_for_children_as_well(m: u8) {
    let (mut reader, writer) = std::io::pipe().expect("pipe");
    let (gate, mut open) = std::io::pipe().expect("pipe");
    let parent = by(m).stdin(gate).stdout(writer).spawn(
        |m| {
            let late = |()| {
                read_stdin();
                print!("late");
            };
            by(m).stdin(Stdio::Inherit).spawn(late, ()).expect("spawn");
            std::process::exit(3);
        },
        m,
    );
    let parent: Process<()> = parent.expect("spawn");
    let early = parent.join_timeout(Duration::from_millis(50));
    assert!(early.is_err_and(|error| error.is_timeout()));
    open.write_all(b"\n").expect("write");
    assert!(matches!(parent.join(), Err(Error::Exited { code: 3, .. })));
    let mut seen = String::new();
    reader.read_to_string(&mut seen).expect("read");
    assert_eq!(seen, "late");
}

fn daemon_is_terminated_at_the_end_of_its_parent(m: u8) {
    let parent = by(m).spawn(
        |m| {
            let daemon = by(m).daemon(true).spawn(wait_for_ever, ()).expect("spawn");
            daemon.pid()
        },
        m,
    );
    let daemon = parent.expect("spawn").join().expect("join");
    wait_until("the daemon has gone", || Member::read(daemon).is_none_or(|it| it.is_zombie()));
}

fn child_dies_with_a_killed_parent(m: u8) {
    let (parent, mut said) = parent_and_child(m, false);
    let child = read_pid(&mut said);
    parent.kill().expect("kill");
    assert!(child.wait_ended(Deadline::never()).expect("wait"));
}

fn grandchild_dies_with_a_killed_grandparent(m: u8) {
    let (mut reader, writer) = std::io::pipe().expect("pipe");
    let top = by(m).stdout(writer).spawn(
        |m| {
            let middle = by(m).spawn(
                |m| {
                    let bottom = by(m).spawn(wait_for_ever, ()).expect("spawn");
                    println!("{}", bottom.pid());
                    bottom.join().expect("never");
                },
                m,
            );
            middle.expect("spawn").join().expect("never");
        },
        m,
    );
    let top = top.expect("spawn");
    let bottom = read_pid(&mut reader);
    top.kill().expect("kill");
    assert!(bottom.wait_ended(Deadline::never()).expect("wait"));
}

fn child_that_may_outlives_its_parent_and_sees_it_go(m: u8) {
    let (parent, mut said) = parent_and_child(m, true);
    let child = read_pid(&mut said);
    parent.kill().expect("kill");
    parent.join().expect_err("killed");
    let mut last = String::new();
    said.read_to_string(&mut last).expect("read");
    assert_eq!(last, "orphan");
    assert!(child.wait_ended(Deadline::never()).expect("wait"));
}

/// A parent that waits for ever, and what its child says: its pid, and a word when the parent is gone.
fn parent_and_child(m: u8, outlive: bool) -> (Process<()>, PipeReader) {
    let (reader, writer) = std::io::pipe().expect("pipe");
    let parent = by(m).stdout(writer).spawn(
        |(m, outlive)| {
            let child = by(m).outlive(outlive).spawn(
                |()| {
                    let parent = parent_process().expect("a parent");
                    assert!(parent.is_alive());
                    println!("{}", std::process::id());
                    assert!(parent.join_timeout(Duration::from_secs(60)));
                    assert!(!parent.is_alive());
                    print!("orphan");
                },
                (),
            );
            child.expect("spawn").join().expect("never");
        },
        (m, outlive),
    );
    (parent.expect("spawn"), reader)
}
