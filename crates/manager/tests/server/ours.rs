//! What our own clients may do, and stock's need not know.

use crate::raw::{Raw, Said, control};
use crate::running::{Running, builder, name};
use procession_testkit::{guard, wait_until};
use procession_wire::value::Value;

#[test]
fn requests_sent_ahead_are_answered_in_their_order() {
    let _guard = guard();
    let server = Running::tcp();
    let mut raw = Raw::ours(&server.address);
    let queue = raw.create("Queue", &[]);
    for number in 0..10_000 {
        raw.tell(Some(&queue), "put", &[number.into()]);
    }
    for _ in 0..10_000 {
        raw.tell(Some(&queue), "get", &[]);
    }
    for _ in 0..10_000 {
        assert_eq!(raw.hear(), Said::Returned(Value::None));
    }
    for number in 0..10_000 {
        assert_eq!(raw.hear(), Said::Returned(number.into()));
    }
}

#[test]
fn a_request_behind_one_that_waits_is_carried_out_after_it() {
    let _guard = guard();
    let server = Running::tcp();
    let (mut one, mut other) = (Raw::ours(&server.address), Raw::ours(&server.address));
    let queue = one.create("Queue", &[]);
    one.tell(Some(&queue), "get", &[]);
    one.tell(Some(&queue), "qsize", &[]);
    wait_until("it waits", || server.counters.read().waiting == 1);
    other.call(&queue, "put", &["first".into()]);
    other.call(&queue, "put", &["second".into()]);
    assert_eq!(one.hear(), Said::Returned("first".into()));
    let Said::Returned(size) = one.hear() else { panic!("no size") };
    assert!(size.as_int() <= Some(1));
}

#[test]
fn a_client_that_does_not_read_is_not_read_from_and_loses_nothing() {
    let _guard = guard();
    let server = Running::tcp();
    let (mut lazy, mut other) = (Raw::ours(&server.address), Raw::ours(&server.address));
    let queue = other.create("Queue", &[]);
    let large = Value::Bytes(vec![7; 1 << 20]);
    for _ in 0..20 {
        other.call(&queue, "put", std::slice::from_ref(&large));
    }
    for _ in 0..20 {
        lazy.tell(Some(&queue), "get", &[]);
    }
    // What its socket and the server's buffer for it cannot take stays in the queue.
    let left = other.call(&queue, "qsize", &[]).as_int().unwrap();
    assert!(left > 0);
    for _ in 0..20 {
        assert_eq!(lazy.hear(), Said::Returned(large.clone()));
    }
    assert_eq!(other.call(&queue, "qsize", &[]), 0.into());
}

#[test]
fn what_was_counted_over_a_connection_ends_with_it() {
    let _guard = guard();
    let server = Running::tcp();
    let mut keeper = Raw::ours(&server.address);
    let before = server_objects(&mut keeper);
    let mut raw = Raw::ours(&server.address);
    let kept = raw.create("list", &[]);
    let dropped = raw.create("dict", &[]);
    keeper.ask(None, "incref", &[kept.as_str().into()]).value();
    assert_eq!(server_objects(&mut keeper), before + 2);
    drop(raw);
    wait_until("the connection has been noticed to be gone", || {
        server_objects(&mut keeper) == before + 1
    });
    assert_eq!(keeper.call(&kept, "__len__", &[]), 0.into());
    let gone = keeper.ask(Some(&dropped), "__len__", &[]);
    assert_eq!(gone, Said::Traceback(format!("KeyError: '{dropped}'\n")));
}

fn server_objects(raw: &mut Raw) -> i128 {
    raw.ask(None, "number_of_objects", &[]).value().as_int().unwrap()
}

#[test]
fn a_reference_is_given_back_where_it_was_counted() {
    let _guard = guard();
    let server = Running::tcp();
    let (mut one, mut other) = (Raw::ours(&server.address), Raw::ours(&server.address));
    let list = one.create("list", &[]);
    let ident = [Value::from(list.as_str())];
    let refused =
        Said::Traceback(format!("AssertionError: no reference to '{list}' was counted here\n"));
    assert_eq!(other.ask(None, "decref", &ident), refused);
    assert_eq!(control(&server.address, "decref", &ident), refused);
    assert_eq!(one.ask(None, "decref", &ident), Said::Returned(Value::None));
    assert_eq!(one.ask(None, "decref", &ident), Said::Traceback(format!("KeyError: '{list}'\n")));
}

#[test]
fn a_connection_says_once_what_it_is() {
    let _guard = guard();
    let server = Running::start(builder().share_memory(false), &name("hello"));
    let mut raw = Raw::ours(&server.address);
    for again in ["hello", "accept_connection"] {
        let refused = Said::Traceback(format!("AssertionError: '{again}' unrecognized\n"));
        assert_eq!(raw.ask(None, again, &[1.into(), "test".into()]), refused);
    }
    let mut stock = Raw::stock(&server.address);
    assert_eq!(stock.ask(None, "dummy", &[]), Said::Traceback("KeyError: None\n".to_owned()));
    let mut old = Raw::known(&server.address);
    assert!(matches!(old.ask(None, "hello", &[0.into()]), Said::Traceback(_)));
    assert!(old.is_ended());
}
