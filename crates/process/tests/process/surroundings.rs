//! What a process finds: environment, directory, streams, signals.

use crate::{by, print_both, read_stdin};
use procession_process::Stdio;
use procession_sys::environment;
use procession_sys::stdio::{Stream, replace};
use std::io::{Read, Write};

for_each_method! {
    child_has_the_environment_of_the_moment
    environment_of_the_builder_is_the_childs_alone
    child_has_the_directory_of_the_moment
    stdin_is_empty_unless_given
    stdout_of_the_moment_is_the_childs
    streams_of_the_builder_are_the_childs_alone
    what_the_child_printed_is_not_lost
    no_signal_is_blocked_in_a_child
}

fn child_has_the_environment_of_the_moment(m: u8) {
    for value in [Some("one"), Some("two"), None] {
        assert!(environment::change(&[("PROCESSION_T".into(), value.map(Into::into))]));
        let seen = by(m).spawn(|()| std::env::var("PROCESSION_T").ok(), ()).expect("spawn");
        assert_eq!(seen.join().expect("join").as_deref(), value);
    }
}

fn environment_of_the_builder_is_the_childs_alone(m: u8) {
    assert!(environment::change(&[("PROCESSION_T".into(), Some("mine".into()))]));
    let all = |()| std::env::vars().collect::<Vec<_>>();
    let cleared =
        by(m).env("LOST", "1").env_clear().env("KEPT", "2").spawn(all, ()).expect("spawn");
    assert_eq!(cleared.join().expect("join"), [("KEPT".to_owned(), "2".to_owned())]);
    let removed =
        by(m).env_remove("PROCESSION_T").spawn(all, ()).expect("spawn").join().expect("join");
    assert!(!removed.is_empty() && removed.iter().all(|(name, _)| name != "PROCESSION_T"));
    assert_eq!(std::env::var("PROCESSION_T").as_deref(), Ok("mine"));
    let later = by(m).spawn(|()| std::env::var("PROCESSION_T").ok(), ()).expect("spawn");
    assert_eq!(later.join().expect("join").as_deref(), Some("mine"));
}

fn child_has_the_directory_of_the_moment(m: u8) {
    let here = |()| std::env::current_dir().expect("a directory");
    let given = by(m).current_dir("/proc").spawn(here, ()).expect("spawn");
    assert_eq!(given.join().expect("join").as_os_str(), "/proc");
    std::env::set_current_dir("/proc/sys").expect("chdir");
    let moved = by(m).spawn(here, ()).expect("spawn");
    assert_eq!(moved.join().expect("join").as_os_str(), "/proc/sys");
    let relative = by(m).current_dir("kernel").spawn(here, ()).expect("spawn");
    assert_eq!(relative.join().expect("join").as_os_str(), "/proc/sys/kernel");
    let wrong = by(m).current_dir("/no/such/place").spawn(here, ()).expect("spawn");
    let error = wrong.join().expect_err("no such directory");
    assert!(error.to_string().contains("/no/such/place"), "{error}");
}

fn stdin_is_empty_unless_given(m: u8) {
    assert_eq!(by(m).spawn(|()| read_stdin(), ()).expect("spawn").join().expect("join"), "");
    let (reader, mut writer) = std::io::pipe().expect("pipe");
    let process = by(m).stdin(reader).spawn(|()| read_stdin(), ()).expect("spawn");
    writer.write_all(b"hello\n").expect("write");
    drop(writer);
    assert_eq!(process.join().expect("join"), "hello\n");
    let (reader, mut writer) = std::io::pipe().expect("pipe");
    replace(Stream::Stdin, reader).expect("replace");
    writer.write_all(b"mine\n").expect("write");
    drop(writer);
    let process = by(m).stdin(Stdio::Inherit).spawn(|()| read_stdin(), ()).expect("spawn");
    assert_eq!(process.join().expect("join"), "mine\n");
}

fn stdout_of_the_moment_is_the_childs(m: u8) {
    by(m).spawn(|()| (), ()).expect("spawn").join().expect("join");
    for stream in [Stream::Stdout, Stream::Stderr] {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        replace(stream, writer).expect("replace");
        by(m).spawn(|()| print_both("after"), ()).expect("spawn").join().expect("join");
        replace(stream, procession_sys::stdio::null().expect("null")).expect("replace");
        let mut seen = String::new();
        reader.read_to_string(&mut seen).expect("read");
        assert_eq!(seen, "after");
    }
}

fn streams_of_the_builder_are_the_childs_alone(m: u8) {
    let (mut reader, writer) = std::io::pipe().expect("pipe");
    let process = by(m).stdout(writer).stderr(Stdio::Null).spawn(|()| print_both("out"), ());
    process.expect("spawn").join().expect("join");
    let mut seen = String::new();
    reader.read_to_string(&mut seen).expect("read");
    assert_eq!(seen, "out");
}

fn what_the_child_printed_is_not_lost(m: u8) {
    let (mut reader, writer) = std::io::pipe().expect("pipe");
    replace(Stream::Stdout, writer).expect("replace");
    print!("parent;");
    let process = by(m).spawn(|()| print!("child;"), ()).expect("spawn");
    process.join().expect("join");
    std::io::stdout().flush().expect("flush");
    replace(Stream::Stdout, procession_sys::stdio::null().expect("null")).expect("replace");
    let mut seen = String::new();
    reader.read_to_string(&mut seen).expect("read");
    assert_eq!(seen.matches("child;").count(), 1, "{seen}");
    assert_eq!(seen.matches("parent;").count(), 1, "{seen}");
}

fn no_signal_is_blocked_in_a_child(m: u8) {
    let masks = |()| {
        let status = std::fs::read_to_string("/proc/self/status").expect("status");
        let line = status.lines().find(|line| line.starts_with("SigBlk:")).expect("SigBlk");
        line["SigBlk:".len()..].trim().to_owned()
    };
    let blocked = by(m).spawn(masks, ()).expect("spawn").join().expect("join");
    assert_eq!(blocked, "0000000000000000");
}
