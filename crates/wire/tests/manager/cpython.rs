//! CPython as the judge: what its picklers write is cut out of requests, put into replies, and must be what it was.

use procession_testkit::guard;
use procession_testkit::interpreters::{Interpreter, interpreters};
use procession_wire::frame;
use procession_wire::message::{Argument, Request, Scanner, answer};
use procession_wire::value::Value;
use std::io::{Read, Write};
use std::process::Stdio;

/// The arguments that are meant.
fn meant<'a>(request: &Request<'a>, which: &str) -> Vec<Argument<'a>> {
    match which {
        "elements" => request.args[0].elements().unwrap(),
        "values" => request.args[0].pairs().unwrap().into_iter().map(|(_, value)| value).collect(),
        _ => {
            let named = request.kwds.iter().map(|(_, argument)| *argument);
            request.args.iter().copied().chain(named).collect()
        }
    }
}

/// Answers one case.
fn answer(scanner: &mut Scanner, which: &str, message: &[u8], to: &mut Vec<u8>) {
    let request = scanner.request(message).unwrap();
    let arguments = meant(&request, which);
    let payloads: Vec<_> = arguments.iter().map(|argument| argument.payload().unwrap()).collect();
    frame::append(to, |to| to.extend(payloads.len().to_string().into_bytes()));
    for payload in &payloads {
        frame::append(to, |to| to.extend(payload.as_pickle()));
    }
    let first = payloads[0].clone();
    let list = Value::List(payloads.into_iter().map(Value::Payload).collect());
    frame::append(to, |to| answer::returned(to, &list));
    answer::Frame::new(&first).pieces().iter().for_each(|piece| to.extend(*piece));
}

fn check(python: &Interpreter) {
    let _guard = guard();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/manager/peer.py");
    let mut peer = python.command();
    let mut peer =
        peer.args(["-B", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut to, mut from) = (peer.stdin.take().unwrap(), peer.stdout.take().unwrap());
    let mut hear = || {
        let mut header = [0; 4];
        from.read_exact(&mut header).unwrap();
        let mut message = vec![0; u32::from_be_bytes(header) as usize];
        from.read_exact(&mut message).unwrap();
        message
    };
    let mut scanner = Scanner::new();
    let said = loop {
        let (which, message) = (String::from_utf8(hear()).unwrap(), hear());
        if which == "done" {
            break String::from_utf8(message).unwrap();
        }
        let mut bytes = Vec::new();
        answer(&mut scanner, &which, &message, &mut bytes);
        to.write_all(&bytes).unwrap();
    };
    assert!(peer.wait().unwrap().success());
    let (count, wrong) = said.split_once(' ').unwrap();
    assert_eq!(wrong, "0", "of {count} cases with CPython {:?}", python.version);
    assert!(count.parse::<usize>().unwrap() > 200, "{count}");
}

#[test]
fn payloads_arrive_as_what_they_were_from_and_at_every_cpython() {
    if interpreters().is_empty() {
        eprintln!("skipped: there is no CPython here");
    }
    interpreters().iter().for_each(check);
}
