//! A reader that goes away.

use crate::ran::{command, run_with};
use procession_testkit::guard;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

/// Reads so many lines of the whole tour, goes away, and sees how the command takes it.
fn leave_after(lines: usize) {
    let _guard = guard();
    let (mut command, mark) = command(&["tour"]);
    let mut tour = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command was built");
    let reader = BufReader::new(tour.stdout.take().expect("it is a pipe"));
    assert_eq!(reader.lines().take(lines).count(), lines);
    let mut errors = String::new();
    tour.stderr.take().expect("it is a pipe").read_to_string(&mut errors).expect("it is text");
    let status = tour.wait().expect("it is our child");
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""), "after {lines} lines");
    mark.expect_nothing_left();
}

#[test]
fn a_reader_that_takes_one_line_ends_the_tour_quietly() {
    leave_after(1);
}

#[test]
fn a_reader_that_leaves_between_fork_and_its_child_ends_both() {
    leave_after(3);
}

#[test]
fn a_reader_that_leaves_while_a_pool_works_ends_the_pool() {
    leave_after(13);
}

#[test]
fn a_disk_that_is_full_is_an_error_and_not_a_panic() {
    let _guard = guard();
    for arguments in [&["tour", "process"][..], &["ps"], &["doctor"]] {
        let full = File::options().write(true).open("/dev/full").expect("every Linux has it");
        let ran = run_with(arguments, |command| {
            // `output` would take it through a pipe.
            command.stdout(full);
        });
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.errors.starts_with("procession: cannot print: "), "{ran:?}");
    }
}
