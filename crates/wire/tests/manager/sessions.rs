//! Ten whole sessions of CPython 3.8, 3.11 and 3.13 with each other: `sessions.txt`, with what CPython reads in each message.

use crate::from_hex;
use procession_testkit::guard;
use procession_wire::message::{Argument, Call, Exception, Payload, Reply, Scanner, Token, answer};
use procession_wire::value::Value;

const GOLDEN: &str = include_str!("sessions.txt");

struct Golden {
    is_request: bool,
    message: Vec<u8>,
    /// As `golden.py` shows it.
    shown: &'static str,
}

fn golden() -> impl Iterator<Item = Golden> {
    let lines = GOLDEN.lines().filter(|line| !line.starts_with('='));
    let messages = lines.filter_map(|line| {
        let mut columns = line.splitn(4, ' ').skip(1);
        let mut next = || columns.next().unwrap();
        let (way, message, shown) = (next(), from_hex(next()), next());
        (shown != "-").then_some(Golden { is_request: way == "C", message, shown })
    });
    messages.filter(|golden| !golden.message.is_empty())
}

fn tuple(values: Vec<Value>) -> Value {
    Value::Tuple(values)
}

fn describe(argument: &Argument<'_>) -> Value {
    argument.describe().unwrap()
}

fn request(scanner: &mut Scanner, message: &[u8]) -> Value {
    let request = scanner.request(message).unwrap();
    let kwds = request.kwds.iter().map(|(name, value)| (Value::from(*name), describe(value)));
    tuple(vec![
        Value::from(request.ident),
        Value::from(request.method),
        tuple(request.args.iter().map(describe).collect()),
        Value::Dict(kwds.collect()),
    ])
}

fn reply(scanner: &mut Scanner, message: &[u8]) -> Value {
    let (kind, value) = match scanner.reply(message).unwrap() {
        Reply::Return(value) => ("#RETURN", describe(&value)),
        Reply::Error(exception) => ("#ERROR", exception.to_value()),
        Reply::Traceback(text) => ("#TRACEBACK", text.into()),
        Reply::Unserializable(text) => ("#UNSERIALIZABLE", text.into()),
        Reply::Proxy { exposed, token } => {
            let exposed = exposed.into_iter().map(Value::from).collect();
            ("#PROXY", tuple(vec![tuple(exposed), token.to_value()]))
        }
    };
    tuple(vec![kind.into(), value])
}

#[test]
fn every_message_is_read_as_cpython_reads_it() {
    let _guard = guard();
    let mut scanner = Scanner::new();
    let mut read = [0, 0];
    for golden in golden() {
        let value = match golden.is_request {
            true => request(&mut scanner, &golden.message),
            false => reply(&mut scanner, &golden.message),
        };
        assert_eq!(value.to_string(), golden.shown);
        read[usize::from(golden.is_request)] += 1;
    }
    assert_eq!(read, [779, 779]);
}

#[test]
fn every_argument_says_the_same_when_it_is_cut_out() {
    let _guard = guard();
    let mut scanner = Scanner::new();
    let mut cut = 0;
    for golden in golden().filter(|golden| golden.is_request) {
        let request = scanner.request(&golden.message).unwrap();
        let kwds = request.kwds.iter().map(|(_, argument)| argument);
        for argument in request.args.iter().chain(kwds) {
            let payload = argument.payload().unwrap();
            assert_eq!(payload.describe().unwrap(), describe(argument), "{}", golden.shown);
            let message = answer::Frame::new(&payload).pieces().concat();
            let mut scanner = Scanner::new();
            let Reply::Return(value) = scanner.reply(&message[4..]).unwrap() else { panic!() };
            assert_eq!(describe(&value), payload.describe().unwrap());
            cut += 1;
        }
    }
    assert!(cut > 500, "{cut}");
}

#[test]
fn replies_are_read_as_they_were_written() {
    let _guard = guard();
    let mut scanner = Scanner::new();
    for golden in golden().filter(|golden| !golden.is_request) {
        let expected = reply(&mut scanner, &golden.message);
        let mut written = Vec::new();
        match scanner.reply(&golden.message).unwrap() {
            Reply::Return(value) => answer::returned(&mut written, &describe(&value)),
            Reply::Error(exception) => answer::raised(&mut written, &exception),
            Reply::Traceback(text) => answer::traceback(&mut written, text),
            Reply::Unserializable(text) => answer::unserializable(&mut written, text),
            Reply::Proxy { exposed, token } => answer::proxy(&mut written, &exposed, &token),
        }
        assert_eq!(reply(&mut scanner, &written), expected);
    }
}

#[test]
fn a_proxy_in_its_own_queue_names_its_object() {
    let _guard = guard();
    let mut scanner = Scanner::new();
    let mut found = 0;
    for golden in golden().filter(|golden| golden.is_request) {
        let request = scanner.request(&golden.message).unwrap();
        for argument in &request.args {
            let payload = argument.payload().unwrap();
            let shown = argument.describe().unwrap().to_string();
            assert_eq!(payload.tokens().is_empty(), !shown.contains("Token"), "{shown}");
            if request.method == "put" && !payload.tokens().is_empty() {
                let Token { typeid, address, id } = payload.tokens().remove(0);
                assert_eq!(typeid, "get_task_queue");
                assert!(matches!(address, Value::Tuple(parts) if parts.len() == 2));
                assert_eq!(Some(id.as_str()), request.ident);
                found += 1;
            }
        }
    }
    assert!(found > 0);
}

#[test]
fn exceptions_say_what_python_says() {
    let _guard = guard();
    let mut scanner = Scanner::new();
    let mut said = Vec::new();
    for golden in golden().filter(|golden| !golden.is_request) {
        if let Reply::Error(exception) = scanner.reply(&golden.message).unwrap() {
            said.push(exception.to_string());
        }
    }
    said.sort();
    said.dedup();
    for text in [
        "KeyError: 'nokey'",
        "IndexError: list index out of range",
        "AttributeError: 'Namespace' object has no attribute 'nosuch'",
        "_queue.Empty",
        "queue.Full",
        "StopIteration",
        "threading.BrokenBarrierError",
        "RuntimeError: release unlocked lock",
    ] {
        assert!(said.iter().any(|said| said == text), "{text}: {said:?}");
    }
    assert!(Exception::new("_queue", "Empty", vec![]).is("queue", "Empty"));
}

#[test]
fn payloads_of_several_messages_share_one_reply() {
    let _guard = guard();
    let mut scanner = Scanner::new();
    let mut payloads: Vec<Payload> = Vec::new();
    for golden in golden().filter(|golden| golden.is_request) {
        let request = scanner.request(&golden.message).unwrap();
        payloads.extend(request.args.iter().map(|argument| argument.payload().unwrap()));
    }
    let expected = payloads.iter().map(|payload| payload.describe().unwrap()).collect();
    let all = Value::List(payloads.into_iter().map(Value::Payload).collect());
    let mut message = Vec::new();
    answer::returned(&mut message, &all);
    let Reply::Return(value) = scanner.reply(&message).unwrap() else { panic!() };
    assert_eq!(value.describe().unwrap(), Value::List(expected));
    assert_eq!(Payload::of(&all).describe().unwrap(), value.describe().unwrap());
}

#[test]
fn a_request_carries_payloads_of_other_messages() {
    let _guard = guard();
    // Each takes something from its own memo, under the same number.
    let list = |text: &str| {
        let text = [b"\x8c", &[text.len() as u8][..], text.as_bytes()].concat();
        let pickle = [b"\x80\x04]\x94(", &text[..], b"\x94h\x01h\x00e."].concat();
        Payload::from_pickle(&pickle).unwrap()
    };
    let (one, other) = (list("one"), list("other"));
    let mut bytes = Vec::new();
    let call = Call::new(&mut bytes, Some("7f01"), "put").arg(&one.clone().into());
    let call = call.item(&("plain", 5)).unwrap().kwd("other", &other.clone().into());
    call.kwd("again", &one.clone().into()).end();
    let mut scanner = Scanner::new();
    let request = scanner.request(&bytes).unwrap();
    assert_eq!((request.ident, request.method), (Some("7f01"), "put"));
    assert_eq!(request.args[0].payload().unwrap(), one);
    assert_eq!(request.args[1].read::<(String, u8)>().unwrap(), ("plain".to_owned(), 5));
    assert_eq!(request.kwds[0].0, "other");
    assert_eq!(request.kwds[0].1.payload().unwrap(), other);
    assert_eq!(request.kwds[1].1.payload().unwrap(), one);
}
