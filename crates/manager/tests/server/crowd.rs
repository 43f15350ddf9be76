//! Many at once.

use crate::raw::{Raw, Said};
use crate::running::{KEY, Running};
use procession_testkit::guard;
use procession_wire::value::Value;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::fs::File;

/// Where the system has descriptors for so many.
const IDLE: usize = 2000;
const BUSY: usize = 50;
const CALLS: usize = 100;

/// How many may be idle beside those who are busy: each connection has both its ends in this process.
fn room_for_idle() -> usize {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let wanted = 2 * (IDLE + BUSY) as u64 + 200;
    let allowed = maximum.map_or(wanted, |maximum| wanted.min(maximum));
    setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), maximum }).unwrap();
    (allowed as usize - 200) / 2 - BUSY
}

/// What this process has in memory, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = status.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

#[test]
fn without_a_free_descriptor_those_who_are_served_are_and_the_others_wait() {
    let _guard = guard();
    let before = getrlimit(Resource::Nofile);
    let server = Running::tcp();
    let mut served = Raw::ours(&server.address);
    let highest = std::fs::read_dir("/proc/self/fd").unwrap().count() as u64 + 20;
    setrlimit(Resource::Nofile, Rlimit { current: Some(highest), ..before }).unwrap();
    let mut all: Vec<_> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    all.pop();
    // The client's end is the last descriptor: there is none for the server's.
    let waiting = Raw::silent(&server.address);
    for _ in 0..100 {
        assert_eq!(served.ask(None, "dummy", &[]), Said::Returned(Value::None));
    }
    assert_eq!(server.counters.read().connections, 1);
    setrlimit(Resource::Nofile, before).unwrap();
    let mut waiting = waiting.shake_hands(KEY).unwrap();
    assert_eq!(waiting.ask(None, "dummy", &[]), Said::Returned(Value::None));
}

#[test]
fn thousands_who_do_nothing_are_in_nobodys_way() {
    let _guard = guard();
    let count = room_for_idle();
    let server = Running::tcp();
    let before = resident();
    let mut idle: Vec<_> = (0..count).map(|_| Raw::ours(&server.address)).collect();
    let grown = resident().saturating_sub(before);
    println!("{} bytes for each of {count} connections, both ends", grown / count);
    // Both ends are in this process: this is the server's connection and the test's client.
    assert!(grown / count < 16 << 10, "{grown} bytes");
    std::thread::scope(|scope| {
        for number in 0..BUSY {
            let address = &server.address;
            scope.spawn(move || {
                let mut raw = Raw::ours(address);
                let queue = raw.create("Queue", &[]);
                for call in 0..CALLS {
                    let item = Value::from(number * CALLS + call);
                    raw.call(&queue, "put", std::slice::from_ref(&item));
                    assert_eq!(raw.call(&queue, "get", &[]), item);
                }
            });
        }
    });
    for raw in &mut idle {
        raw.tell(None, "dummy", &[]);
    }
    for raw in &mut idle {
        assert_eq!(raw.hear(), Said::Returned(Value::None));
    }
}
