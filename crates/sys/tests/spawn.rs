//! Descriptors on their way into a new process.

use procession_sys::Deadline;
use procession_sys::spawn::Spawn;
use procession_testkit::guard;
use std::ffi::OsString;
use std::io::{PipeReader, Read, Write, pipe};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

fn holding(text: &str) -> PipeReader {
    let (read, mut write) = pipe().unwrap();
    write.write_all(text.as_bytes()).unwrap();
    read
}

/// What `cat` reads from the descriptors `numbers`, with `fds` mapped.
fn read_by_child(numbers: &[RawFd], fds: &[(BorrowedFd<'_>, RawFd)]) -> String {
    let (mut read, write) = pipe().unwrap();
    let path = |number: &RawFd| OsString::from(format!("/proc/self/fd/{number}"));
    let mut argv = vec![OsString::from("cat")];
    argv.extend(numbers.iter().map(path));
    let mut fds = fds.to_vec();
    fds.push((write.as_fd(), 1));
    let mut spawn = Spawn::new(&argv);
    spawn.fds = &fds;
    let child = spawn.spawn().unwrap();
    drop(write);
    let mut text = String::new();
    read.read_to_string(&mut text).unwrap();
    let status = child.pidfd.reap(Deadline::never()).unwrap().unwrap();
    assert!(status.success(), "{status}");
    text
}

#[test]
fn descriptors_that_change_places_do_not_overwrite_each_other() {
    let _guard = guard();
    let (one, two) = (holding("one"), holding("two"));
    let (first, second) = (one.as_raw_fd(), two.as_raw_fd());
    let swapped = [(one.as_fd(), second), (two.as_fd(), first)];
    assert_eq!(read_by_child(&[first, second], &swapped), "twoone");
}

#[test]
fn a_descriptor_that_keeps_its_number_stays_open() {
    let _guard = guard();
    let text = holding("text");
    let number = text.as_raw_fd();
    assert_eq!(read_by_child(&[number], &[(text.as_fd(), number)]), "text");
}

#[test]
fn one_descriptor_can_get_two_numbers() {
    let _guard = guard();
    let text = holding("text");
    let number = text.as_raw_fd();
    let twice = [(text.as_fd(), 60), (text.as_fd(), number)];
    assert_eq!(read_by_child(&[60], &twice), "text");
}
