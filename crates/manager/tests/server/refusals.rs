//! Bad input and limits: the one at fault is told, and nobody else notices.

use crate::raw::{Raw, Said, control, request};
use crate::running::{KEY, Running, builder};
use procession_manager::server::{BindError, Limits, Server};
use procession_manager::transport::Address;
use procession_testkit::{guard, wait_until};
use procession_wire::value::Value;
use std::io::Write;
use std::time::{Duration, Instant};

fn limited(limits: Limits) -> Running {
    Running::start(builder().limits(limits), "127.0.0.1:0")
}

/// The server serves others.
fn serves(address: &Address) {
    assert_eq!(control(address, "dummy", &[]), Said::Returned(Value::None));
}

#[test]
fn who_does_not_know_the_key_is_told_failure_and_nothing_else() {
    let _guard = guard();
    let server = Running::tcp();
    let mut raw = Raw::silent(&server.address);
    let challenge = raw.receive().unwrap();
    assert!(challenge.starts_with(b"#CHALLENGE#{sha256}"));
    raw.send(&[0; 16]).unwrap();
    assert_eq!(raw.receive().unwrap(), b"#FAILURE#");
    assert!(raw.is_ended());
    wait_until("it has been counted", || server.counters.read().refused == 1);
    serves(&server.address);
}

#[test]
fn a_client_that_refuses_the_servers_key_is_dropped() {
    let _guard = guard();
    let server = Running::tcp();
    assert!(Raw::silent(&server.address).shake_hands(b"another key").is_err());
    serves(&server.address);
}

#[test]
fn no_word_is_taken_from_a_peer_before_it_has_shown_the_key() {
    let _guard = guard();
    let server = Running::tcp();
    let mut raw = Raw::silent(&server.address);
    raw.receive().unwrap();
    raw.send(&request(None, "shutdown", &[])).unwrap();
    assert!(raw.is_ended());
    let mut long = Raw::silent(&server.address);
    long.0.write_all(&[0, 0, 1, 1]).unwrap();
    assert!(long.is_ended());
    serves(&server.address);
}

#[test]
fn a_peer_that_dawdles_with_the_handshake_is_closed_and_holds_up_nobody() {
    let _guard = guard();
    let patience = Duration::from_millis(200);
    let server = limited(Limits { handshake_timeout: patience, ..Limits::default() });
    let start = Instant::now();
    let mut loris = Raw::silent(&server.address);
    loris.0.write_all(&[0, 0]).unwrap();
    serves(&server.address);
    assert!(loris.is_ended());
    assert!(start.elapsed() >= patience);
    // One that knows the key and then asks for nothing is no better.
    let mut mute = Raw::known(&server.address);
    assert!(mute.is_ended());
    assert!(start.elapsed() >= 2 * patience);
}

#[test]
fn the_oldest_handshake_makes_room_for_a_new_one() {
    let _guard = guard();
    let server = limited(Limits { handshakes: 2, ..Limits::default() });
    let mut served = Raw::stock(&server.address);
    let mut handshakes: Vec<_> = (0..3).map(|_| Raw::silent(&server.address)).collect();
    assert!(handshakes[0].is_ended());
    wait_until("the others are left", || server.counters.read().handshakes == 2);
    // Whoever is served is no handshake any more, and whoever is in time is served.
    assert!(matches!(served.ask(Some("1"), "put", &[]), Said::Traceback(_)));
    let mut last = handshakes.pop().unwrap().shake_hands(KEY).unwrap();
    assert_eq!(last.ask(None, "dummy", &[]), Said::Returned(Value::None));
}

#[test]
fn a_connection_beyond_the_limit_is_refused_with_the_limit() {
    let _guard = guard();
    let server = limited(Limits { connections: 2, ..Limits::default() });
    let one = Raw::stock(&server.address);
    let _other = Raw::ours(&server.address);
    for (method, args) in [("hello", vec![1.into()]), ("accept_connection", vec!["x".into()])] {
        let refused = control(&server.address, method, &args);
        let text = "the server serves 2 connections, which is its limit";
        assert_eq!(refused, Said::Raised(format!("ConnectionRefusedError: {text}")));
    }
    serves(&server.address);
    drop(one);
    wait_until("there is room again", || server.counters.read().connections == 1);
    Raw::stock(&server.address);
}

#[test]
fn a_message_that_is_too_long_is_answered_at_once_and_thrown_away() {
    let _guard = guard();
    let server = limited(Limits { message: 1000, ..Limits::default() });
    let mut raw = Raw::ours(&server.address);
    let queue = raw.create("Queue", &[]);
    let long = request(Some(&queue), "put", &[Value::Bytes(vec![0; 5000])]);
    raw.send(&long).unwrap();
    raw.tell(Some(&queue), "qsize", &[]);
    let text = format!("a message of {} bytes exceeds the server's limit of 1000", long.len());
    assert_eq!(raw.hear(), Said::Raised(format!("ValueError: {text}")));
    assert_eq!(raw.hear(), Said::Returned(0.into()));
}

#[test]
fn a_length_of_2_to_the_63_costs_the_server_nothing() {
    let _guard = guard();
    let server = Running::tcp();
    let mut raw = Raw::stock(&server.address);
    raw.0.write_all(&[0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]).unwrap();
    let Said::Raised(text) = raw.hear() else { panic!("no exception") };
    assert!(text.starts_with("ValueError: a message of 9223372036854775808 bytes"), "{text}");
    raw.0.write_all(&[0; 1000]).unwrap();
    serves(&server.address);
}

#[test]
fn a_frame_that_is_cut_off_never_happened() {
    let _guard = guard();
    let server = Running::tcp();
    let mut whole = Raw::ours(&server.address);
    let queue = whole.create("Queue", &[]);
    let mut cut = Raw::stock(&server.address);
    let message = request(Some(&queue), "put", &["torn".into()]);
    cut.0.write_all(&(message.len() as u32).to_be_bytes()).unwrap();
    cut.0.write_all(&message[..message.len() - 1]).unwrap();
    drop(cut);
    wait_until("it is gone", || server.counters.read().connections == 1);
    assert_eq!(whole.call(&queue, "qsize", &[]), 0.into());
}

#[test]
fn what_is_no_request_is_told_so_and_the_next_one_is_heard() {
    let _guard = guard();
    let server = Running::tcp();
    let mut raw = Raw::ours(&server.address);
    let queue = raw.create("Queue", &[]);
    // No pickle; a pickle of another shape; a class that would run something if anybody called it.
    let bad: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\n",
        b"\x80\x04N.",
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04(K\x01K\x02K\x03}t.",
    ];
    for message in bad {
        raw.send(message).unwrap();
        assert!(matches!(raw.hear(), Said::Traceback(_)), "{message:?}");
    }
    assert_eq!(raw.call(&queue, "qsize", &[]), 0.into());
    assert!(matches!(raw.ask(Some(&queue), "__class__", &[]), Said::Traceback(_)));
    raw.send(b"").unwrap();
    assert!(raw.is_ended());
}

/// Lists of lists, each twice the one before, by reference: a few hundred bytes that stand for 2⁶⁰ elements.
fn bomb(ident: &str, method: &str) -> Vec<u8> {
    let mut bytes = vec![0x80, 4, b'('];
    for text in [ident, method] {
        bytes.extend([0x8c, text.len() as u8]);
        bytes.extend(text.as_bytes());
    }
    bytes.extend(b"]q\0");
    for level in 1..=60_u8 {
        bytes.extend([b'0', b']', b'q', level, b'(', b'h', level - 1, b'h', level - 1, b'e']);
    }
    bytes.extend([0x85, b'}', b't', b'.']);
    bytes
}

#[test]
fn a_pickle_bomb_is_stored_as_the_bytes_that_it_is() {
    let _guard = guard();
    let server = Running::tcp();
    let mut raw = Raw::ours(&server.address);
    let (queue, set) = (raw.create("Queue", &[]), raw.create("set", &[]));
    raw.send(&bomb(&queue, "put")).unwrap();
    assert_eq!(raw.hear(), Said::Returned(Value::None));
    assert!(server.counters.read().bytes_stored < 10_000);
    // Where its value is asked for it is refused.
    raw.send(&bomb(&set, "add")).unwrap();
    assert!(matches!(raw.hear(), Said::Raised(_)));
    serves(&server.address);
}

/// Numbers that are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn requests_of_which_some_bytes_were_changed_bring_nothing_down() {
    let _guard = guard();
    let server = limited(Limits { memory: 64 << 20, ..Limits::default() });
    let mut raw = Raw::ours(&server.address);
    let pair = Value::Tuple(vec![1.into(), "two".into()]);
    let numbers = Value::List(vec![1.into(), 2.5.into(), "x".into(), pair.clone()]);
    let slice = Value::Slice(Box::new([1.into(), 3.into(), Value::None]));
    // No call that could wait, whichever of the objects a changed name hits.
    let mut requests = Vec::new();
    for (typeid, args, calls) in [
        (
            "list",
            vec![numbers.clone()],
            vec![
                ("__getitem__", vec![slice.clone()]),
                ("extend", vec![numbers.clone()]),
                ("__setitem__", vec![slice, numbers.clone()]),
                ("insert", vec![1.into(), pair.clone()]),
                ("pop", vec![]),
                ("__mul__", vec![3.into()]),
                ("sort", vec![]),
                ("index", vec![2.5.into()]),
            ],
        ),
        (
            "dict",
            vec![],
            vec![
                ("__setitem__", vec![pair.clone(), numbers.clone()]),
                ("__getitem__", vec![pair.clone()]),
                ("update", vec![Value::Dict(vec![("k".into(), 1.into())])]),
                ("items", vec![]),
                ("__iter__", vec![]),
            ],
        ),
        (
            "set",
            vec![],
            vec![("add", vec![pair.clone()]), ("__or__", vec![Value::Set(vec![1.into()])])],
        ),
        ("Queue", vec![], vec![("put", vec![numbers]), ("get_nowait", vec![]), ("qsize", vec![])]),
        (
            "Array",
            vec!["i".into(), Value::List(vec![1.into(), 2.into()])],
            vec![("__getitem__", vec![1.into()]), ("__setitem__", vec![0.into(), 5.into()])],
        ),
        (
            "Namespace",
            vec![],
            vec![("__setattr__", vec!["a".into(), pair]), ("__getattribute__", vec!["a".into()])],
        ),
        ("Semaphore", vec![1.into()], vec![("release", vec![2.into()])]),
    ] {
        let ident = raw.create(typeid, &args);
        requests.extend(calls.iter().map(|(method, args)| request(Some(&ident), method, args)));
    }
    let mut random = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..20_000 {
        let mut message = requests[random.below(requests.len())].clone();
        for _ in 0..=random.below(3) {
            let place = random.below(message.len());
            message[place] = random.below(256) as u8;
        }
        raw.send(&message).unwrap();
        raw.receive().unwrap();
    }
    serves(&server.address);
}

#[test]
fn a_store_that_is_full_says_so_and_takes_more_when_there_is_room() {
    let _guard = guard();
    let server = limited(Limits { memory: 1 << 20, ..Limits::default() });
    let mut raw = Raw::ours(&server.address);
    let queue = raw.create("Queue", &[]);
    let item = [Value::Bytes(vec![0; 300_000])];
    let mut stored = 0;
    let refusal = loop {
        match raw.ask(Some(&queue), "put", &item) {
            Said::Returned(_) => stored += 1,
            refused => break refused,
        }
    };
    assert!((1..4).contains(&stored), "{stored}");
    let Said::Raised(text) = refusal else { panic!("{refusal:?}") };
    assert!(text.starts_with("MemoryError") && text.contains("1048576"), "{text}");
    assert_eq!(raw.call(&queue, "qsize", &[]), stored.into());
    raw.call(&queue, "get", &[]);
    raw.call(&queue, "put", &item);
    // A message that does not fit is not even kept until it is complete.
    let huge = [Value::Bytes(vec![0; 3 << 20])];
    assert!(matches!(raw.ask(Some(&queue), "put", &huge), Said::Raised(_)));
    assert_eq!(raw.call(&queue, "qsize", &[]), stored.into());
}

#[test]
fn a_reply_that_does_not_fit_is_refused_and_its_item_stays() {
    let _guard = guard();
    let server = limited(Limits { memory: 1 << 20, ..Limits::default() });
    let mut raw = Raw::ours(&server.address);
    let list = raw.create("list", &[]);
    raw.call(&list, "append", &[Value::Bytes(vec![0; 300_000])]);
    let large = raw.ask(Some(&list), "__mul__", &[10.into()]);
    assert!(matches!(large, Said::Raised(text) if text.starts_with("MemoryError")));
    assert_eq!(raw.call(&list, "__len__", &[]), 1.into());
}

#[test]
fn an_address_that_others_can_reach_needs_a_key() {
    let _guard = guard();
    for address in ["0.0.0.0:0", ":0"] {
        let refused = Server::builder().bind(&address.parse().unwrap()).unwrap_err();
        assert!(matches!(refused, BindError::NoKey(_)), "{refused}");
    }
    let open = Running::start(Server::builder(), "127.0.0.1:0");
    let mut raw = Raw::silent(&open.address).shake_hands(b"").unwrap();
    assert_eq!(raw.ask(None, "dummy", &[]), Said::Returned(Value::None));
    assert!(Raw::silent(&open.address).shake_hands(KEY).is_err());
}

#[test]
fn a_second_shutdown_finds_nobody_and_says_so() {
    let _guard = guard();
    let mut server = Running::tcp();
    let mut late = Raw::known(&server.address);
    assert_eq!(control(&server.address, "shutdown", &[]), Said::Returned(Value::None));
    server.join();
    assert!(late.send(&request(None, "shutdown", &[])).is_err() || late.receive().is_err());
    assert!(std::net::TcpStream::connect(server.address.to_string()).is_err());
    // For the program in whose thread it ran, too.
    server.stopper.stop();
    server.stopper.stop();
}
