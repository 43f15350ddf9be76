//! What `Process` promises, for every start method.
//!
//! Each entry of a list runs in a process of its own, which has one thread (as `fork` demands) and whose
//! environment, directory and streams it may change.
//!
//! | room | what it says |
//! |---|---|
//! | `results` | what comes back: a value, a panic, a signal, a code |
//! | `handle` | waiting for a process, ending it, its name, who is listed |
//! | `surroundings` | what it finds: environment, directory, streams, signals |
//! | `ends` | the end of a process, and its children |
//! | `start` | starts that are killed half-way, and many at a time |
//! | `forks` | `fork`, beside threads and by hand |

/// A test of each of these functions, for each start method.
macro_rules! for_each_method {
    ($($name:ident)*) => {
        mod zygote { $(#[test] fn $name() { crate::in_child(super::$name, 0); })* }
        mod exec { $(#[test] fn $name() { crate::in_child(super::$name, 1); })* }
        mod fork { $(#[test] fn $name() { crate::in_child(super::$name, 2); })* }
    };
}

mod ends;
mod forks;
mod handle;
mod results;
mod start;
mod surroundings;

use procession_process::{Process, ProcessBuilder, Signal, StartMethod};
use procession_sys::pidfd::Pidfd;
use procession_testkit::guard_after;
use std::io::{PipeReader, Read, Write};
use std::os::fd::AsFd;

const METHODS: [StartMethod; 3] = [StartMethod::Zygote, StartMethod::Exec, StartMethod::Fork];

/// A process of the method under test.
pub(crate) fn by(method: u8) -> ProcessBuilder {
    Process::builder().start_method(METHODS[usize::from(method)])
}

/// Runs an entry of the list in a process of its own and checks that nothing is left of it.
pub(crate) fn in_child(entry: fn(u8), method: u8) {
    // The zygote and its descriptors belong to the whole test program. No other test runs meanwhile: they share the arena.
    let _guard = guard_after(|| Process::spawn(|()| (), ()).expect("spawn").join().expect("join"));
    if let Err(error) = Process::spawn(entry, method).expect("spawn").join() {
        panic!("{error}\n{}", error.panic().and_then(|panic| panic.backtrace()).unwrap_or(""));
    }
}

pub(crate) fn wait_for_ever((): ()) {
    loop {
        std::thread::park();
    }
}

/// One line, and not all: a forked child holds the other end of the pipe as well.
pub(crate) fn read_stdin() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("read");
    line
}

pub(crate) fn read_pid(reader: &mut PipeReader) -> Pidfd {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        reader.read_exact(&mut byte).expect("a line");
        line.push(byte[0]);
    }
    let pid = String::from_utf8_lossy(&line).trim().parse().expect("a pid");
    Pidfd::open(pid).expect("pidfd")
}

/// To the descriptors themselves: the test harness catches what `print!` writes.
pub(crate) fn print_both(text: &str) {
    for fd in [std::io::stdout().as_fd(), std::io::stderr().as_fd()] {
        let fd = fd.try_clone_to_owned().expect("clone");
        std::fs::File::from(fd).write_all(text.as_bytes()).expect("write");
    }
}

pub(crate) fn die_of(signal: i32) {
    let me = Pidfd::open(std::process::id() as i32).expect("pidfd");
    me.send_signal(Signal::from_raw(signal)).expect("signal");
    wait_for_ever(());
}
