//! Many at once.

use crate::raw::{Raw, Said};
use crate::running::Running;
use procession_testkit::guard;
use procession_wire::value::Value;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const IDLE: usize = 2000;
const BUSY: usize = 50;
const CALLS: usize = 100;

/// Descriptors for both ends of every connection.
fn room_for(descriptors: u64) {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let current = Some(maximum.map_or(descriptors, |maximum| descriptors.min(maximum)));
    assert_eq!(current, Some(descriptors), "this system allows too few descriptors");
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).unwrap();
}

/// What this process has in memory, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: usize = status.split_whitespace().nth(1).unwrap().parse().unwrap();
    pages * rustix::param::page_size()
}

#[test]
fn thousands_who_do_nothing_are_in_nobodys_way() {
    let _guard = guard();
    room_for(2 * (IDLE + BUSY) as u64 + 200);
    let server = Running::tcp();
    let before = resident();
    let mut idle: Vec<_> = (0..IDLE).map(|_| Raw::ours(&server.address)).collect();
    let grown = resident().saturating_sub(before);
    println!("{} bytes for each of {IDLE} connections, both ends", grown / IDLE);
    // Both ends are in this process: this is the server's connection and the test's client.
    assert!(grown / IDLE < 16 << 10, "{grown} bytes");
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
