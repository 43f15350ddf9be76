//! What is asked of bytes from anywhere, a function for each kind: the tests call them with what they make up and with what a
//! fuzzer kept, and the fuzzer, which includes this file, with what it makes up.

use procession_wire::auth::{Handshake, NONCE, Policy, Step};
use procession_wire::frame::{Decoded, Decoder};
use procession_wire::message::{Argument, Payload, Reply, Scanner, answer};
use procession_wire::pickle;
use procession_wire::value::Value;
use serde_json::Value as Json;

/// One of them.
pub(crate) type Target = fn(&[u8]);

/// All, by name.
pub(crate) const ALL: [(&str, Target); 4] =
    [("frame", frame), ("handshake", handshake), ("message", message), ("pickle", pickle)];

/// A stream of frames: the limit, the length of the pieces in which it comes, and the stream. It says the same in pieces as
/// at once, and nothing is kept that has not come.
pub(crate) fn frame(bytes: &[u8]) {
    let [limit, piece, stream @ ..] = bytes else { return };
    let decode = |piece: usize| {
        let mut decoder = Decoder::new(u64::from(*limit) * 8);
        let mut out = Vec::new();
        for mut input in stream.chunks(piece) {
            loop {
                match decoder.decode(&mut input) {
                    Decoded::Message(message) => out.push(Ok(message.to_vec())),
                    Decoded::TooLong(length) => out.push(Err(length)),
                    Decoded::Pending => break,
                }
            }
            assert!(input.is_empty() && decoder.kept() <= 2 * stream.len());
        }
        (out, decoder.is_between())
    };
    assert_eq!(decode(usize::from(*piece) + 1), decode(usize::MAX));
}

/// A peer that does not know the key: which side it meets, and what it says, each after its length. It is never let in.
pub(crate) fn handshake(bytes: &[u8]) {
    let Some((side, mut rest)) = bytes.split_first() else { return };
    let policy = if side & 2 == 0 { Policy::Any } else { Policy::Modern };
    let mut handshake = match side & 1 {
        0 => Handshake::server([7; NONCE], policy).0,
        _ => Handshake::client([7; NONCE], policy),
    };
    while let Some((length, more)) = rest.split_first() {
        let (said, later) = more.split_at(more.len().min(usize::from(*length)));
        rest = later;
        match handshake.receive(b"a key that it does not know", said) {
            Ok(Step::Say(answer)) => assert!(answer.len() < 64),
            Ok(step) => panic!("a stranger was let in: {step:?}"),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

/// A request or a reply.
pub(crate) fn message(bytes: &[u8]) {
    let mut scanner = Scanner::new();
    if let Ok(request) = scanner.request(bytes) {
        let named = request.kwds.iter().map(|(_, argument)| argument);
        request.args.iter().chain(named).for_each(|argument| ask(argument, 0));
    }
    match scanner.reply(bytes) {
        Ok(Reply::Return(value)) => ask(&value, 0),
        Ok(Reply::Error(exception)) => {
            let mut again = Vec::new();
            answer::raised(&mut again, &exception);
            let reply = Scanner::new().reply(&again).map(|reply| matches!(reply, Reply::Error(_)));
            assert_eq!(reply, Ok(true), "{exception}");
        }
        _ => {}
    }
}

/// A whole pickle.
pub(crate) fn pickle(bytes: &[u8]) {
    let _ = pickle::from_slice::<Json>(bytes);
    let _ = pickle::from_slice::<(u8, Vec<Option<String>>, [f64; 2])>(bytes);
    if let Ok(payload) = Payload::from_pickle(bytes) {
        let again = Payload::from_pickle(payload.as_pickle()).unwrap();
        assert_eq!(again.describe().ok(), payload.describe().ok());
        if let Ok(value) = payload.value() {
            assert_eq!(Payload::of(&value).value().unwrap(), value);
        }
    }
}

/// Asks everything of an object.
fn ask(argument: &Argument<'_>, depth: usize) {
    let _ = argument.value();
    let _ = argument.as_str();
    if let Ok(value) = argument.describe() {
        let pickle = value.to_pickle();
        assert_eq!(Payload::from_pickle(&pickle).unwrap().describe().unwrap(), value);
    }
    if let Ok(payload) = argument.payload() {
        // What was cut out is a pickle, and says what it said.
        let again = Payload::from_pickle(payload.as_pickle()).unwrap();
        assert_eq!(again.value().ok(), argument.value().ok());
        let _ = payload.tokens();
        assert_eq!(argument.read::<Json>().ok(), payload.read::<Json>().ok());
        let mut reply = Vec::new();
        answer::returned(
            &mut reply,
            &Value::List(vec![Value::Payload(payload.clone()), payload.into()]),
        );
        assert!(matches!(Scanner::new().reply(&reply), Ok(Reply::Return(_))));
    }
    if depth < 3 {
        argument.elements().iter().flatten().take(20).for_each(|part| ask(part, depth + 1));
        for (key, value) in argument.pairs().iter().flatten().take(20) {
            ask(key, depth + 1);
            ask(value, depth + 1);
        }
    }
}
