//! The 36 pairs of CPython 3.8 to 3.13, and 4 with the wrong key on one side: `handshakes.txt`.

use crate::from_hex;
use procession_testkit::guard;
use procession_wire::auth::{Error, Handshake, NONCE, Policy, Step};
use procession_wire::frame::{Decoded, Decoder};

const GOLDEN: &str = include_str!("handshakes.txt");
const KEY: &[u8] = b"secret";
const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";

struct Golden {
    server: &'static str,
    client: &'static str,
    client_key: Vec<u8>,
    messages: Vec<Vec<u8>>,
}

fn message(frame: &[u8]) -> Vec<u8> {
    let mut decoder = Decoder::new(256);
    match decoder.decode(&mut &*frame) {
        Decoded::Message(message) => message.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn golden() -> impl Iterator<Item = Golden> {
    GOLDEN.lines().map(|line| {
        let mut columns = line.split(' ');
        let mut next = || columns.next().unwrap();
        let (server, client, client_key) = (next(), next(), from_hex(next()));
        let frames = columns.filter(|frame| !frame.ends_with("EOF"));
        let messages = frames.map(|frame| message(&from_hex(&frame[1..]))).collect();
        Golden { server, client, client_key, messages }
    })
}

/// The random part of a challenge of CPython from 3.12 on.
fn nonce(challenge: &[u8]) -> Option<[u8; NONCE]> {
    challenge.strip_prefix(CHALLENGE)?.strip_prefix(b"{sha256}")?.try_into().ok()
}

fn said(step: Result<Step, Error>) -> Vec<u8> {
    match step.unwrap() {
        Step::Say(message) | Step::LastSay(message) => message,
        Step::Done => Vec::new(),
    }
}

/// CPython up to 3.11, which knows MD5 only.
fn is_old(version: &str) -> bool {
    matches!(version, "3.8" | "3.9" | "3.10" | "3.11")
}

#[test]
fn every_response_is_the_one_that_cpython_gave() {
    let _guard = guard();
    let mut answered = 0;
    for golden in golden() {
        let mut check = |key: &[u8], version, challenge: &[u8], response: &[u8]| {
            // An old one answers a new challenge with MD5, and we with what it asks for.
            if !is_old(version) || nonce(challenge).is_none() {
                let mut side = Handshake::client([7; NONCE], Policy::Any);
                let pair = (golden.server, golden.client);
                assert_eq!(said(side.receive(key, challenge)), response, "{pair:?}");
                answered += 1;
            }
        };
        let messages = &golden.messages;
        check(&golden.client_key, golden.client, &messages[0], &messages[1]);
        if golden.client_key == KEY {
            check(KEY, golden.server, &messages[3], &messages[4]);
        }
    }
    assert_eq!(answered, 36 * 2 - 2 * 8 + 3);
}

#[test]
fn either_side_of_a_modern_cpython_is_replayed_to_the_byte() {
    let _guard = guard();
    let (mut servers, mut clients) = (0, 0);
    for golden in golden().filter(|golden| golden.client_key == KEY) {
        let [m1, r1, welcome, m2, r2, last] = &golden.messages[..6] else { panic!() };
        if let Some(nonce) = nonce(m1) {
            let (mut server, challenge) = Handshake::server(nonce, Policy::Any);
            assert_eq!(challenge, *m1);
            assert_eq!(server.receive(KEY, r1), Ok(Step::Say(welcome.clone())));
            assert_eq!(server.receive(KEY, m2), Ok(Step::Say(r2.clone())));
            assert_eq!(server.receive(KEY, last), Ok(Step::Done));
            assert_eq!(server.receive(KEY, last), Err(Error::Over));
            servers += 1;
        }
        if let Some(nonce) = nonce(m2) {
            let mut client = Handshake::client(nonce, Policy::Any);
            assert_eq!(client.receive(KEY, m1), Ok(Step::Say(r1.clone())));
            assert_eq!(client.receive(KEY, welcome), Ok(Step::Say(m2.clone())));
            assert_eq!(client.receive(KEY, r2), Ok(Step::LastSay(last.clone())));
            clients += 1;
        }
    }
    assert_eq!((servers, clients), (12, 12));
}

#[test]
fn a_client_with_another_key_is_refused_and_told_so() {
    let _guard = guard();
    let mut refused = 0;
    for golden in golden().filter(|golden| golden.client_key != KEY) {
        let [m1, r1, failure] = &golden.messages[..3] else { panic!() };
        let mut client = Handshake::client([7; NONCE], Policy::Any);
        client.receive(&golden.client_key, m1).unwrap();
        assert_eq!(client.receive(&golden.client_key, failure), Err(Error::Refused));
        if let Some(nonce) = nonce(m1) {
            let (mut server, _) = Handshake::server(nonce, Policy::Any);
            let error = server.receive(KEY, r1).unwrap_err();
            assert_eq!(error, Error::WrongResponse);
            assert_eq!(error.last_words(), Some(&**failure));
            refused += 1;
        }
    }
    assert_eq!(refused, 2);
}

#[test]
fn the_modern_policy_refuses_md5_on_either_side() {
    let _guard = guard();
    for golden in golden().filter(|golden| golden.client_key == KEY) {
        let [m1, r1, _, m2, ..] = &golden.messages[..] else { panic!() };
        let mut client = Handshake::client([7; NONCE], Policy::Modern);
        let expected =
            if is_old(golden.server) { Err(Error::Md5) } else { Ok(Step::Say(r1.clone())) };
        if !is_old(golden.client) || is_old(golden.server) {
            assert_eq!(client.receive(KEY, m1), expected, "{} {}", golden.server, golden.client);
        }
        if let (Some(nonce), true) = (nonce(m1), is_old(golden.client)) {
            let (mut server, _) = Handshake::server(nonce, Policy::Modern);
            assert_eq!(server.receive(KEY, r1), Err(Error::Md5));
        }
        let mut server = Handshake::client([7; NONCE], Policy::Modern);
        assert_eq!(server.receive(KEY, m2).is_err(), is_old(golden.client));
    }
}

/// A server that got as far as waiting for a challenge.
fn server_that_waits_for_a_challenge() -> Handshake {
    let (mut server, challenge) = Handshake::server([1; NONCE], Policy::Any);
    let response = said(Handshake::client([2; NONCE], Policy::Any).receive(KEY, &challenge));
    assert_eq!(said(server.receive(KEY, &response)), WELCOME);
    server
}

#[test]
fn what_is_no_handshake_is_an_error_that_says_so() {
    let _guard = guard();
    let challenge = |bytes: &[u8]| server_that_waits_for_a_challenge().receive(KEY, bytes);
    assert_eq!(challenge(b"GET / HTTP/1.1"), Err(Error::NoChallenge));
    assert_eq!(challenge(b"#CHALLENGE#short"), Err(Error::ShortChallenge(5)));
    assert_eq!(challenge(&[b'x'; 257]), Err(Error::TooLong(257)));
    let of = |prefix: &str| [CHALLENGE, prefix.as_bytes(), &[9; 40]].concat();
    assert_eq!(challenge(&of("{blake2}")), Err(Error::UnknownHash));
    assert_eq!(challenge(&of("")), Err(Error::UnknownHash));
    for name in ["md5", "sha256", "sha384", "sha3_256", "sha3_384"] {
        let response = said(challenge(&of(&format!("{{{name}}}"))));
        assert!(response.starts_with(format!("{{{name}}}").as_bytes()));
    }
    let respond = |bytes: &[u8]| Handshake::server([1; NONCE], Policy::Any).0.receive(KEY, bytes);
    for wrong in [&b""[..], b"{sha256}", b"{sha256}short", &[0; 16], &[0; 20], &[0; 32], CHALLENGE]
    {
        assert_eq!(respond(wrong), Err(Error::WrongResponse), "{wrong:?}");
    }
    // One's own challenge, thrown back, is no response.
    let (mut server, challenge) = Handshake::server([1; NONCE], Policy::Any);
    assert_eq!(server.receive(KEY, &challenge), Err(Error::WrongResponse));
    assert_eq!(server.receive(KEY, WELCOME), Err(Error::Over));
}

#[test]
fn every_hash_is_taken_as_a_response() {
    let _guard = guard();
    // Our own challenge, under each prefix, is answered by whoever is asked for that hash: the HMAC is of the whole challenge,
    // so only `{sha256}` fits. The others differ in the hash and must be refused, and not be taken for it.
    let (mut server, challenge) = Handshake::server([1; NONCE], Policy::Any);
    let response = said(Handshake::client([2; NONCE], Policy::Any).receive(KEY, &challenge));
    let renamed = [b"{sha3_256}", &response[b"{sha256}".len()..]].concat();
    assert_eq!(server.receive(KEY, &renamed), Err(Error::WrongResponse));
}
