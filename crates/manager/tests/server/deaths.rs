//! Clients that are killed, at whatever they are.

use crate::raw::{Raw, Said};
use crate::running::{REGISTERED, Running, builder, guard, name};
use procession_manager::transport::Address;
use procession_testkit::{interpreters, wait_until};
use procession_wire::value::Value;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

/// Stock CPython that does something with the manager `m`, says `there`, and then whatever is in `last`.
fn stock(address: &Address, doing: &str, last: &str) -> Killed {
    let place = match address {
        Address::Tcp(host, port) => format!("({host:?}, {port})"),
        Address::Abstract(name) => format!("b'\\0{}'", String::from_utf8_lossy(name)),
        Address::Unix(path) => format!("{path:?}"),
    };
    let program = format!(
        "import sys, threading\n\
         from multiprocessing import current_process\n\
         from multiprocessing.managers import SyncManager\n\
         current_process().authkey = b'secret'\n\
         SyncManager.register('get_task_queue')\n\
         m = SyncManager({place}, b'secret')\n\
         m.connect()\n\
         {doing}\n\
         print('there', flush=True)\n\
         {last}\n"
    );
    let mut child = interpreters()
        .last()
        .unwrap()
        .command()
        .args(["-c", &program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "there\n");
    Killed(child)
}

/// A child that does not outlive its test.
struct Killed(Child);

impl Killed {
    fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The same for each kind of socket.
fn everywhere(test: fn(&Running)) {
    for address in ["127.0.0.1:0", &name("deaths")] {
        test(&Running::start(builder(), address));
    }
}

/// Whether there is a CPython to be a client.
fn is_stock_here() -> bool {
    let is_here = !interpreters().is_empty();
    if !is_here {
        eprintln!("skipped: there is no CPython here");
    }
    is_here
}

/// The same for each kind of socket, where stock can be the client.
fn stock_everywhere(test: fn(&Running)) {
    if is_stock_here() {
        everywhere(test);
    }
}

/// The one queue that is registered under the name.
fn task_queue(raw: &mut Raw) -> String {
    raw.create("get_task_queue", &[])
}

#[test]
fn the_next_item_is_not_lost_with_a_client_that_was_killed_while_it_waited() {
    let _guard = guard();
    stock_everywhere(|server| {
        let child = stock(&server.address, "q = m.get_task_queue()", "q.get()");
        wait_until("it waits", || server.counters.read().waiting == 1);
        let mut raw = Raw::ours(&server.address);
        let queue = task_queue(&mut raw);
        child.kill();
        raw.call(&queue, "put", &["survives".into()]);
        assert_eq!(raw.call(&queue, "get", &[]), "survives".into());
    });
}

#[test]
fn nobody_who_waits_is_passed_over_for_one_who_is_dead() {
    let _guard = guard();
    stock_everywhere(|server| {
        let child = stock(&server.address, "q = m.get_task_queue()", "q.get()");
        wait_until("it waits", || server.counters.read().waiting == 1);
        let (mut next, mut raw) = (Raw::ours(&server.address), Raw::ours(&server.address));
        let queue = task_queue(&mut raw);
        next.tell(Some(&queue), "get", &[]);
        wait_until("the next one waits too", || server.counters.read().waiting == 2);
        // Whether the death or the item comes first to the server's ears, the item is the living one's.
        child.kill();
        raw.call(&queue, "put", &["for the living".into()]);
        assert_eq!(next.hear(), Said::Returned("for the living".into()));
    });
}

#[test]
fn an_item_that_its_client_was_not_sent_whole_is_the_first_again() {
    let _guard = guard();
    everywhere(|server| {
        let mut raw = Raw::ours(&server.address);
        let queue = task_queue(&mut raw);
        let items = [1, 2].map(|number: u8| Value::Bytes(vec![number; 8 << 20]));
        for item in &items {
            raw.call(&queue, "put", std::slice::from_ref(item));
        }
        raw.call(&queue, "put", &["last".into()]);
        let mut greedy = Raw::ours(&server.address);
        greedy.tell(Some(&queue), "get", &[]);
        greedy.tell(Some(&queue), "get", &[]);
        wait_until("it was handed one", || raw.call(&queue, "qsize", &[]) != 3.into());
        drop(greedy);
        wait_until("it came back", || raw.call(&queue, "qsize", &[]) == 3.into());
        for item in items {
            assert_eq!(raw.call(&queue, "get", &[]), item);
        }
        assert_eq!(raw.call(&queue, "get", &[]), "last".into());
    });
}

#[test]
fn the_lock_of_a_client_that_was_killed_is_the_next_ones() {
    let _guard = guard();
    stock_everywhere(|server| {
        let mut raw = Raw::ours(&server.address);
        for kind in ["Lock", "RLock", "Condition"] {
            let lock = raw.create(kind, &[]);
            let doing = format!(
                "from multiprocessing.managers import AcquirerProxy, Token; \
                 p = AcquirerProxy(Token({kind:?}, m.address, {lock:?}), 'pickle', authkey=b'secret'); p.acquire()"
            );
            let child = stock(&server.address, &doing, "sys.stdin.read()");
            assert_eq!(raw.call(&lock, "acquire", &[false.into()]), false.into());
            raw.tell(Some(&lock), "acquire", &[]);
            wait_until("we are in line for it", || server.counters.read().waiting == 1);
            child.kill();
            assert_eq!(raw.hear(), Said::Returned(true.into()));
            raw.call(&lock, "release", &[]);
        }
    });
}

#[test]
fn what_a_killed_process_of_this_machine_had_counted_is_dropped() {
    let _guard = guard();
    if !is_stock_here() {
        return;
    }
    let server = Running::start(builder(), &name("references"));
    let child = stock(&server.address, "kept = m.list([m.dict(), m.Queue()])", "sys.stdin.read()");
    wait_until("there is the list, with what is in it", || {
        server.counters.read().objects == REGISTERED + 3
    });
    child.kill();
    wait_until("nothing of it is left", || server.counters.read().objects == REGISTERED);
}

#[test]
fn a_client_that_ends_well_leaves_nothing_either() {
    let _guard = guard();
    stock_everywhere(|server| {
        let mut child = stock(&server.address, "kept = m.list([m.Queue()])", "sys.stdin.read()");
        drop(child.0.stdin.take());
        assert!(child.0.wait().unwrap().success());
        wait_until("nothing of it is left", || server.counters.read().objects == REGISTERED);
    });
}

#[test]
fn an_object_lives_in_the_payload_that_names_it_and_in_the_hands_that_took_it() {
    let _guard = guard();
    stock_everywhere(|server| {
        let doing = "q = m.get_task_queue(); q.put(m.list(['inside']))";
        stock(&server.address, doing, "").kill();
        let last = "taken = q.get()\nassert taken[0] == 'inside', taken\nsys.stdin.read()";
        let mut child = stock(&server.address, "q = m.get_task_queue()", last);
        drop(child.0.stdin.take());
        assert!(child.0.wait().unwrap().success());
    });
}

#[test]
fn a_barrier_and_an_event_wait_no_longer_for_the_dead() {
    let _guard = guard();
    stock_everywhere(|server| {
        let mut raw = Raw::ours(&server.address);
        let event = raw.create("Event", &[]);
        let doing = format!(
            "from multiprocessing.managers import EventProxy, Token; \
             p = EventProxy(Token('Event', m.address, {event:?}), 'pickle', authkey=b'secret')"
        );
        let child = stock(&server.address, &doing, "p.wait()");
        wait_until("it waits", || server.counters.read().waiting == 1);
        child.kill();
        wait_until("it waits no longer", || server.counters.read().waiting == 0);
        assert_eq!(raw.call(&event, "set", &[]), Value::None);
    });
}
