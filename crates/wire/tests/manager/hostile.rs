//! Bytes from anywhere: they are a message or an error, and cost what their length allows.

use crate::{from_hex, targets};
use procession_testkit::guard;
use procession_wire::message::{Error, Payload, Scanner};
use procession_wire::pickle::op;
use procession_wire::value::Value;
use proptest::prelude::*;
use std::fs;
use std::path::Path;

/// `('x', 'put', (what the opcodes make,), {})`.
fn request(opcodes: &[u8]) -> Vec<u8> {
    [b"\x80\x04(\x8c\x01x\x94\x8c\x03put\x94(", opcodes, b"t}t."].concat()
}

fn messages() -> Vec<Vec<u8>> {
    let lines = include_str!("sessions.txt")
        .lines()
        .filter(|line| !line.starts_with('=') && !line.ends_with(" -"));
    lines
        .filter_map(|line| line.split(' ').nth(2).map(from_hex))
        .filter(|it| it.len() < 400)
        .step_by(7)
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_opcodes_as_an_argument(
        codes in prop::collection::vec(
            prop::sample::select(&b"(012FIJKLMNPQRSTUVXabcd}eghijl]opqrstu)GBC\x80\x81\x85\x86\x87\x88\
                \x8a\x8b\x8c\x8f\x90\x91\x92\x93\x94\x94\x94\x95\x96\x97\x98hhh\n\x00\x01\x02\x03"[..]),
            0..60,
        )
    ) {
        targets::message(&request(&codes));
    }

    #[test]
    fn containers_and_the_memo_in_any_order(
        steps in prop::collection::vec(
            prop::sample::select(&["]", "(", "t", "l", "N", "\u{94}", "h\u{0}", "h\u{1}", "h\u{2}", "h\u{3}", "a", "e", "0", "1",
                ")", "}", "s", "u", "\u{85}", "\u{86}", "b", "\u{8c}\u{1}a", "\u{93}", "R", "\u{81}", "q\u{5}", "h\u{5}"][..]),
            0..60,
        )
    ) {
        let codes: Vec<u8> = steps.concat().chars().map(|code| code as u8).collect();
        targets::message(&request(&codes));
    }

    #[test]
    fn a_message_with_other_bytes_in_it(
        mut message in prop::sample::select(messages()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..8),
    ) {
        for (at, byte, how) in changes {
            let at = at.index(message.len().max(1));
            match how {
                _ if message.is_empty() => break,
                0 => message[at] = byte,
                1 => message.insert(at, byte),
                2 => drop(message.remove(at)),
                _ => message.truncate(at),
            }
        }
        targets::message(&message);
    }
}

#[test]
fn every_beginning_of_a_message_is_an_error() {
    let _guard = guard();
    let mut scanner = Scanner::new();
    for message in messages() {
        for length in 0..message.len() {
            assert!(scanner.request(&message[..length]).is_err());
            assert!(scanner.reply(&message[..length]).is_err());
        }
        let more = [&message[..], b"N"].concat();
        assert!(scanner.request(&more).is_err() && scanner.reply(&more).is_err());
    }
}

fn refused(message: &[u8]) -> String {
    Scanner::new().request(message).unwrap_err().to_string()
}

#[test]
fn what_is_no_request_is_an_error_that_says_why() {
    let _guard = guard();
    for (opcodes, why) in [
        (&b"N."[..], "not a message of a manager: a request is a tuple"),
        (b"N\x85.", "not a message of a manager: a request has four parts"),
        (b"(NNN)}t.", "not a message of a manager: a request has four parts"),
        (b"(K\x01\x8c\x01m)}t.", "not a message of a manager: an object is named by a str"),
        (b"(NN)}t.", "not a message of a manager: a method is named by a str"),
        (b"(N\x8c\x01m]}t.", "not a message of a manager: the arguments are a tuple"),
        (b"(N\x8c\x01m))t.", "not a message of a manager: the named arguments are a dict"),
        (b"(N\x8c\x01m)}K\x01Nst.", "not a message of a manager: an argument is named by a str"),
        (b"N2\x86.", "not a pickle: byte 3: no pickler writes DUP, and it is not read"),
        (b"NN.", "not a pickle: byte 4: more than one value is on the stack"),
        (b"\x97.", "not a pickle: byte 2: an out-of-band buffer is not in the message"),
        (b"h\x05.", "not a pickle: byte 2: nothing is remembered under that"),
        (b"(NNNt", "not a pickle: byte 7: the bytes end too early"),
        (b"\xff.", "not a pickle: byte 2: the opcode is not known"),
    ] {
        assert_eq!(refused(&[b"\x80\x04", opcodes].concat()), why);
    }
    assert_eq!(refused(b""), "not a pickle: byte 0: the bytes end too early");
}

#[test]
fn a_length_in_a_message_is_not_believed() {
    let _guard = guard();
    for code in
        [op::BINUNICODE, op::BINUNICODE8, op::BINBYTES, op::BINBYTES8, op::BYTEARRAY8, op::LONG4]
    {
        let message = request(&[&[code][..], &[0xff; 20]].concat());
        assert!(refused(&message).ends_with("the bytes end too early"));
    }
    // Something that is remembered under 2³²-1 takes no table of that length.
    let message = request(b"K\x01r\xff\xff\xff\xff0j\xff\xff\xff\xff");
    let mut scanner = Scanner::new();
    let request = scanner.request(&message).unwrap();
    assert_eq!(request.args[0].value().unwrap(), Value::from(1_u8));
    assert_eq!(request.args[0].payload().unwrap().value().unwrap(), Value::from(1_u8));
}

/// The one argument, as a value and as a payload.
fn argument(message: &[u8]) -> (Result<Value, Error>, Result<Payload, Error>) {
    let mut scanner = Scanner::new();
    let request = scanner.request(message).unwrap();
    (request.args[0].value(), request.args[0].payload())
}

#[test]
fn a_million_levels_are_no_overflow() {
    let _guard = guard();
    const LEVELS: usize = 1_000_000;
    let deep = Error::Limit("it is nested deeper than 128, or contains itself");
    for opcodes in [
        [&b")"[..], &b"\x85".repeat(LEVELS)].concat(),
        [b"]".repeat(LEVELS), b"a".repeat(LEVELS - 1)].concat(),
        [b"(".repeat(LEVELS), b"t".repeat(LEVELS)].concat(),
    ] {
        let (value, payload) = argument(&request(&opcodes));
        assert_eq!(value, Err(deep.clone()));
        assert_eq!(payload.unwrap().len(), opcodes.len() + 3);
    }
    assert!(refused(&request(&b"(".repeat(LEVELS))).starts_with("not a "));
}

#[test]
fn parts_that_are_referred_to_too_often_are_an_error_and_their_payload_stays_small() {
    let _guard = guard();
    // Each list holds the last one ten times.
    let mut laughs = b"]\x94".to_vec();
    for index in 2..32 {
        laughs.extend(b"](");
        (0..10).for_each(|_| laughs.extend([op::BINGET, index]));
        laughs.extend(b"e\x94");
    }
    let message = request(&[&b"("[..], &laughs, b"l"].concat());
    let (value, payload) = argument(&message);
    assert_eq!(value, Err(Error::Limit("it refers to its parts too often")));
    assert!(payload.unwrap().len() < message.len());
    let mut scanner = Scanner::new();
    let request = scanner.request(&message).unwrap();
    for element in request.args[0].elements().unwrap() {
        assert!(element.payload().unwrap().len() < 2 * message.len());
    }
}

/// A list of lists, each of which has a reference to the one before, as opcodes; they are numbered from 2.
fn chain(length: u32) -> Vec<u8> {
    let mut opcodes = b"(]\x94".to_vec();
    for index in 2..2 + length {
        opcodes.extend(b"]\x94j");
        opcodes.extend(index.to_le_bytes());
        opcodes.push(op::APPEND);
    }
    opcodes.push(op::LIST);
    opcodes
}

#[test]
fn what_one_argument_refers_to_is_made_first_each_thing_once() {
    let _guard = guard();
    let message = request(&chain(50_000));
    let mut scanner = Scanner::new();
    let request = scanner.request(&message).unwrap();
    let elements = request.args[0].elements().unwrap();
    let last = elements.last().unwrap().payload().unwrap();
    assert!(last.len() < 2 * message.len(), "{}", last.len());
    assert_eq!(elements[3].value().unwrap().to_string(), "[[[[]]]]");
    assert_eq!(elements[3].payload().unwrap().value().unwrap().to_string(), "[[[[]]]]");
}

#[test]
fn an_argument_that_was_tangled_on_purpose_is_refused_in_time() {
    let _guard = guard();
    // Lists in lists, each of which refers, at its end, to the one around it.
    const LEVELS: u32 = 20_000;
    let mut opcodes = Vec::new();
    for _ in 0..LEVELS {
        opcodes.extend(b"]\x94");
    }
    for level in (1..LEVELS).rev() {
        opcodes.push(op::LONG_BINGET);
        opcodes.extend((2 + level - 1).to_le_bytes());
        opcodes.extend(b"aa");
    }
    let message = request(&opcodes);
    let mut scanner = Scanner::new();
    let request = scanner.request(&message).unwrap();
    assert!(request.args[0].payload().unwrap().len() < message.len());
    let mut inner = request.args[0];
    for _ in 0..LEVELS - 1 {
        let Some(next) = inner.elements().and_then(|parts| parts.into_iter().next()) else { break };
        inner = next;
    }
    let tangled = Error::Limit("an argument refers to others in a way that no pickler writes");
    assert_eq!(inner.payload(), Err(tangled));
}

#[test]
fn a_payload_does_not_reach_below_itself() {
    let _guard = guard();
    for opcodes in [&b"0N"[..], b"00N", b"a", b"N\x86", b"1N", b"K\x010000N", b"\x94", b"e"] {
        // Whatever it does, the other argument is there and is what it was, or all is refused.
        let message = request(&[b"K\x07", opcodes].concat());
        let mut scanner = Scanner::new();
        if let Ok(request) = scanner.request(&message) {
            for argument in &request.args {
                let payload = argument.payload().unwrap();
                assert_eq!(payload.value().ok(), argument.value().ok(), "{opcodes:?}");
            }
        }
    }
}

#[test]
fn keeping_objects_of_python_2_is_refused_and_their_data_is_read() {
    let _guard = guard();
    let message =
        b"\x80\x02(X\x01\x00\x00\x00iX\x03\x00\x00\x00putccollections\nOrderedDict\n)R\x85}t.";
    let mut scanner = Scanner::new();
    let request = scanner.request(message).unwrap();
    let error = request.args[0].payload().unwrap_err().to_string();
    assert!(error.contains("use a newer protocol"), "{error}");
    let error = request.args[0].value().unwrap_err().to_string();
    assert_eq!(error, "an object of collections.OrderedDict is no plain data");
    assert_eq!(request.args[0].describe().unwrap().to_string(), "collections.OrderedDict()");
}

#[test]
fn of_many_named_arguments_the_last_of_each_name_counts() {
    let _guard = guard();
    let mut message = b"\x80\x04(\x8c\x01x\x8c\x03put)}(".to_vec();
    for number in 0..200_000_u32 {
        let name = (number % 100_000).to_string();
        message.extend([op::SHORT_BINUNICODE, name.len() as u8]);
        message.extend(name.into_bytes());
        message.push(op::BININT);
        message.extend(number.to_le_bytes());
    }
    message.extend(b"ut.");
    let mut scanner = Scanner::new();
    let request = scanner.request(&message).unwrap();
    assert_eq!(request.kwds.len(), 100_000);
    let (name, last) = &request.kwds[7];
    assert_eq!((*name, last.value().unwrap().as_int()), ("7", Some(100_007)));
}

#[test]
fn many_tokens_that_share_a_long_name_are_none() {
    let _guard = guard();
    let pickle = |name: &str| {
        let mut pickle = b"\x80\x04(X".to_vec();
        pickle.extend((name.len() as u32).to_le_bytes());
        pickle.extend([name.as_bytes(), b"\x94"].concat());
        for _ in 0..20_000 {
            pickle.extend(b"cmultiprocessing.managers\nToken\n)\x81h\x00h\x00h\x00\x87b");
        }
        pickle.extend(b"t.");
        Payload::from_pickle(&pickle).unwrap()
    };
    assert_eq!(pickle("name").tokens().len(), 20_000);
    assert!(pickle(&"name".repeat(100_000)).tokens().is_empty());
}

#[test]
fn every_input_that_a_fuzzer_kept_is_met_as_it_should_be() {
    let _guard = guard();
    let corpus = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus"));
    for (name, target) in targets::ALL {
        let inputs: Vec<_> = fs::read_dir(corpus.join(name)).unwrap().collect();
        assert!(!inputs.is_empty(), "{name}");
        for input in inputs {
            target(&fs::read(input.unwrap().path()).unwrap());
        }
    }
}
