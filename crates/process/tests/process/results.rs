//! What comes back from a process: a value, a panic, a signal, a code.

use crate::{by, die_of};
use procession_ipc::Queue;
use procession_process::{Error, Signal, Stdio};

for_each_method! {
    result_of_the_function_comes_back_typed
    large_arguments_and_results_arrive_whole
    panic_comes_back_with_message_location_and_backtrace
    signal_is_an_error_with_its_name
    code_of_an_early_exit_is_an_error
    error_of_the_function_is_a_value_like_any_other
    arguments_that_cannot_be_decoded_are_refused
    result_that_cannot_be_encoded_is_an_error
    result_is_given_once
    shared_objects_travel_in_arguments_and_results
}

fn result_of_the_function_comes_back_typed(m: u8) {
    fn half(x: f64) -> f64 {
        x / 2.0
    }
    let named = by(m).spawn(half, 5.0).expect("spawn");
    let closure = by(m).spawn(|(a, b): (u64, String)| vec![b; a as usize], (2, "x".to_owned()));
    assert_eq!(named.join().expect("join"), 2.5);
    assert_eq!(closure.expect("spawn").join().expect("join"), ["x", "x"]);
    assert_eq!(named.exitcode(), Some(0));
    assert!(!named.is_alive());
}

fn large_arguments_and_results_arrive_whole(m: u8) {
    let sent: Vec<u32> = (0..2_000_000).collect();
    let reversed = by(m).spawn(
        |mut numbers: Vec<u32>| {
            numbers.reverse();
            numbers
        },
        sent.clone(),
    );
    let mut got = reversed.expect("spawn").join().expect("join");
    got.reverse();
    assert!(got == sent);
}

fn panic_comes_back_with_message_location_and_backtrace(m: u8) {
    fn deep_inside(depth: u32) -> u32 {
        if depth == 0 {
            panic!("no luck with {}", 13)
        }
        std::hint::black_box(deep_inside(depth - 1)) + 1
    }
    let process = by(m).stderr(Stdio::Null).spawn(deep_inside, 3).expect("spawn");
    let error = process.join().expect_err("a panic");
    let panic = error.panic().expect("a panic");
    assert_eq!(panic.message(), "no luck with 13");
    assert!(panic.location().is_some_and(|at| at.contains("tests/process/results.rs:")), "{panic}");
    assert!(panic.backtrace().is_some_and(|trace| trace.contains("deep_inside")), "{panic:?}");
    assert_eq!(process.exitcode(), Some(101));
    assert!(error.to_string().contains("panicked at"), "{error}");
}

fn signal_is_an_error_with_its_name(m: u8) {
    let process = by(m).spawn(die_of, Signal::SEGV.as_raw()).expect("spawn");
    let error = process.join().expect_err("a signal");
    assert!(matches!(error, Error::Killed { signal: Signal::SEGV, .. }), "{error:?}");
    assert!(error.to_string().contains("SIGSEGV"), "{error}");
    assert!(error.is_peer_dead());
    assert_eq!(process.exitcode(), Some(-11));
}

fn code_of_an_early_exit_is_an_error(m: u8) {
    for code in [0, 7] {
        let process = by(m).spawn(|code: i32| -> () { std::process::exit(code) }, code);
        let process = process.expect("spawn");
        let error = process.join().expect_err("no result");
        assert!(matches!(error, Error::Exited { code: got, .. } if got == code), "{error:?}");
        assert_eq!(process.exitcode(), Some(code));
    }
}

fn error_of_the_function_is_a_value_like_any_other(m: u8) {
    let process = by(m).spawn(|()| Err::<u8, String>("nope".into()), ()).expect("spawn");
    assert_eq!(process.join().expect("join"), Err("nope".to_owned()));
    assert_eq!(process.exitcode(), Some(0));
}

fn arguments_that_cannot_be_decoded_are_refused(m: u8) {
    let error = by(m).spawn(|OneWay(_)| (), OneWay(true)).map(drop).expect_err("refused");
    assert!(error.to_string().contains("send the arguments"), "{error}");
    assert!(error.to_string().contains("only travels one way"), "{error}");
}

fn result_that_cannot_be_encoded_is_an_error(m: u8) {
    let process = by(m).spawn(|()| OneWay(false), ()).expect("spawn");
    let error = process.join().expect_err("cannot be encoded");
    assert!(error.to_string().contains("its result cannot be sent"), "{error}");
}

fn result_is_given_once(m: u8) {
    let process = by(m).spawn(|()| 1, ()).expect("spawn");
    assert_eq!(process.join().expect("join"), 1);
    assert!(matches!(process.join(), Err(Error::Taken { .. })));
}

fn shared_objects_travel_in_arguments_and_results(m: u8) {
    let queue = Queue::<String>::new().expect("queue");
    let process = by(m).spawn(
        |(queue, word): (Queue<String>, String)| {
            queue.put(&format!("{word} from the child")).expect("put");
            let answer = Queue::<u8>::new().expect("queue");
            answer.put(&9).expect("put");
            answer
        },
        (queue.clone(), "hello".to_owned()),
    );
    assert_eq!(queue.get().expect("get"), "hello from the child");
    let answer = process.expect("spawn").join().expect("join");
    assert_eq!(answer.get().expect("the maker is gone, the queue is not"), 9);
}

/// A value that encodes as a number and decodes as a text; `false` does not even encode.
#[derive(Debug)]
struct OneWay(bool);

impl serde::Serialize for OneWay {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            true => to.serialize_u8(1),
            false => Err(serde::ser::Error::custom("it only travels one way")),
        }
    }
}

impl<'de> serde::Deserialize<'de> for OneWay {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u8::deserialize(from)?;
        Err(serde::de::Error::custom("it only travels one way"))
    }
}
