//! Bytes from anywhere: they are read or are an error, and cost what their length allows.

use crate::golden;
use crate::plain::Plain;
use procession_testkit::guard::LIMIT;
use procession_testkit::watchdog;
use procession_wire::pickle::{from_slice, op, to_vec};
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::IgnoredAny;
use std::collections::HashMap;

#[derive(Deserialize, Debug)]
#[expect(dead_code, reason = "only read")]
enum Tree {
    Leaf,
    Pair(Box<Tree>, Option<i128>),
    Named { list: Vec<Tree>, map: HashMap<String, f64> },
    Bytes(#[serde(with = "serde_bytes")] Vec<u8>),
}

fn read(pickle: &[u8]) {
    let _ = from_slice::<Plain>(pickle);
    let _ = from_slice::<Tree>(pickle);
    let _ = from_slice::<serde_json::Value>(pickle);
    let _ = from_slice::<IgnoredAny>(pickle);
}

fn pickles() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(golden().map(|golden| golden.pickle).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_bytes(bytes: Vec<u8>) {
        read(&bytes);
    }

    #[test]
    fn any_opcodes(
        codes in prop::collection::vec(
            prop::sample::select(&b"(.012FIJKLMNPQRSTUVXabcd}eghijl]opqrstu)GBC\x80\x81\x85\x86\x87\x88\
                \x8a\x8b\x8c\x8f\x90\x91\x92\x93\x94\x95\x96\x97\n\x00\x01"[..]),
            0..200,
        )
    ) {
        read(&codes);
    }

    #[test]
    fn a_pickle_with_other_bytes_in_it(
        mut pickle in pickles(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..4), 1..8),
    ) {
        for (at, byte, how) in changes {
            if pickle.is_empty() {
                break;
            }
            let at = at.index(pickle.len());
            match how {
                0 => pickle[at] = byte,
                1 => pickle.insert(at, byte),
                2 => drop(pickle.remove(at)),
                _ => pickle.truncate(at),
            }
        }
        read(&pickle);
    }

    #[test]
    fn two_pickles_grown_together(
        one in pickles(),
        other in pickles(),
        cut: prop::sample::Index,
        from: prop::sample::Index,
    ) {
        read(&[&one[..cut.index(one.len())], &other[from.index(other.len())..]].concat());
    }
}

#[test]
fn every_beginning_of_a_pickle_is_an_error() {
    for golden in golden().filter(|golden| golden.pickle.len() < 500) {
        for len in 0..golden.pickle.len() {
            assert!(from_slice::<IgnoredAny>(&golden.pickle[..len]).is_err());
        }
        let more = [&golden.pickle[..], b"N"].concat();
        assert!(from_slice::<IgnoredAny>(&more).is_err());
    }
}

#[test]
fn a_length_is_not_believed() {
    let codes = [
        op::BINUNICODE,
        op::BINUNICODE8,
        op::BINBYTES,
        op::BINBYTES8,
        op::BYTEARRAY8,
        op::LONG4,
        op::SHORT_BINUNICODE,
        op::BINSTRING,
    ];
    for code in codes {
        let pickle = [&[code][..], &[0xff; 20]].concat();
        let error = from_slice::<Plain>(&pickle).unwrap_err();
        assert_eq!(error.to_string(), "not a pickle: byte 0: the bytes end too early");
    }
    // A number that is remembered under 2³²-1 takes no table of that length.
    let error = from_slice::<u8>(b"K\x01r\xff\xff\xff\xff0j\xff\xff\xff\xff.");
    assert_eq!(error.unwrap(), 1);
}

#[test]
fn a_part_that_is_referred_to_too_often_is_an_error_soon() {
    let _watchdog = watchdog(LIMIT);
    // Each list holds the last one ten times.
    let mut laughs = b"]\x94".to_vec();
    for index in 0..30 {
        laughs.extend(b"](");
        (0..10).for_each(|_| laughs.extend([op::BINGET, index]));
        laughs.extend(b"e\x94");
    }
    laughs.extend(b".");
    let error = from_slice::<Plain>(&laughs).unwrap_err();
    assert!(error.to_string().contains("refers to its parts too often"), "{error}");

    let text = "x".repeat(1 << 20);
    let mut long = to_vec(&text).unwrap();
    long.pop();
    long.extend(b"\x940(");
    (0..1000).for_each(|_| long.extend(b"h\x00"));
    long.extend(b"l.");
    assert!(from_slice::<Plain>(&long).is_err());

    // What people write is not near it.
    let mut rows = b"(\x8c\x0btemperature\x940".to_vec();
    (0..100_000).for_each(|_| rows.extend(b"}h\x00K\x01s"));
    rows.extend(b"l.");
    let rows: Vec<HashMap<String, u8>> = from_slice(&rows).unwrap();
    assert_eq!(rows.len(), 100_000);
}

#[test]
fn a_hundred_thousand_levels_are_an_error_and_no_overflow() {
    for level in [&b"]"[..], b"(", b"}K\x00"] {
        let pickle = [&level.repeat(100_000)[..], &b"N"[..], &b"a".repeat(100_000), b"."].concat();
        assert!(from_slice::<Plain>(&pickle).is_err());
    }
    let tuples = [&b")"[..], &b"\x85".repeat(100_000), b"."].concat();
    let error = from_slice::<Plain>(&tuples).unwrap_err();
    assert!(error.reason().starts_with("it is nested deeper"), "{error}");
}

#[test]
fn what_lies_below_a_mark_is_out_of_reach() {
    for pickle in [&b"K\x01(0"[..], b"K\x01(a.", b"](a.", b"K\x01(\x85.", b"N(R.", b"N(\x94."] {
        read(pickle);
    }
    assert!(from_slice::<Plain>(b"N(\x85.").is_err());
    assert!(from_slice::<Plain>(b"](a.").is_err());
    assert_eq!(from_slice::<Plain>(b"K\x01(0.").unwrap().to_string(), "1");
    assert_eq!(from_slice::<Plain>(b"K\x01(NN1.").unwrap().to_string(), "1");
}
