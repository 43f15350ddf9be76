//! The table in the module's documentation, row by row.

use procession_wire::pickle::{Error, Persistent, append, from_slice, to_vec};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_bytes::{ByteBuf, Bytes};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Debug;

#[track_caller]
fn arrives<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: T) {
    let pickle = to_vec(&value).unwrap();
    assert_eq!(from_slice::<T>(&pickle).unwrap(), value, "{}", pickle.escape_ascii());
}

#[track_caller]
fn written<T: Serialize + ?Sized>(value: &T, expected: &[u8]) {
    let pickle = to_vec(value).unwrap();
    let expected = [b"\x80\x04", expected, b"."].concat();
    assert_eq!(pickle.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

#[track_caller]
fn refused<T: Serialize>(value: T, place: &str) -> Error {
    let mut bytes = b"before".to_vec();
    let error = append(&value, &mut bytes).unwrap_err();
    assert_eq!((error.place(), &bytes[..]), (place, &b"before"[..]), "{error}");
    error
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone, Copy, Eq, Hash, PartialOrd, Ord)]
struct Unit;
#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct New(u8);
#[derive(Serialize, Deserialize, PartialEq, Debug)]
struct Pair(u8, String);
#[derive(Serialize, Deserialize, PartialEq, Debug, Default)]
struct Fields {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u32>,
}
#[derive(Serialize, Deserialize, PartialEq, Debug)]
enum Shape {
    Empty,
    Round(f64),
    Box(u8, u8),
    Named { sides: Vec<u8> },
}

#[test]
fn every_kind_of_value_arrives() {
    arrives(((), Unit, None::<u8>, Some(3_u8), true));
    arrives((i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN));
    arrives((u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX));
    arrives((
        i64::MAX,
        i128::MAX,
        i128::from(i64::MIN) - 1,
        1_u128 << 127,
        i64::from(i32::MIN) - 1,
    ));
    arrives((1.5_f32, f64::MIN_POSITIVE, 'ß', "text".to_string(), "x".repeat(70_000)));
    arrives((ByteBuf::from(vec![0, 255]), ByteBuf::from(vec![7; 70_000]), vec![1_u8, 2]));
    arrives((New(1), Pair(2, "b".into()), [1, 2, 3, 4_u64]));
    arrives(Fields { name: "n".into(), size: Some(1) });
    arrives(Fields::default());
    arrives(vec![
        Shape::Empty,
        Shape::Round(0.5),
        Shape::Box(1, 2),
        Shape::Named { sides: vec![1, 2] },
    ]);
    arrives(HashMap::from([("a".to_string(), 1_u8), ("b".into(), 2)]));
    arrives(BTreeMap::from([(1_u16, "x".to_string()), (2, "y".into())]));
    arrives(BTreeMap::from([((1_u8, 'c'), Unit)]));
    arrives(BTreeSet::from([3_i8, -3]));
}

#[test]
fn the_form_is_the_one_that_the_table_says() {
    written(&(), b"N");
    written(&Some(1_u64), b"K\x01");
    written(&(255, 256, 65_536, -1), b"(K\xffM\x00\x01J\x00\x00\x01\x00J\xff\xff\xff\xfft");
    written(&(1_i64 << 31), b"\x8a\x05\x00\x00\x00\x80\x00");
    written(&u64::MAX, b"\x8a\x09\xff\xff\xff\xff\xff\xff\xff\xff\x00");
    written(&(-1_i64 << 40), b"\x8a\x06\x00\x00\x00\x00\x00\xff");
    written(&1.0, b"G\x3f\xf0\x00\x00\x00\x00\x00\x00");
    written(&('a', "b"), b"\x8c\x01a\x8c\x01b\x86");
    written(Bytes::new(b"ab"), b"C\x02ab");
    written(&vec![1_u8], b"](K\x01e");
    written(&(New(1), Unit), b"K\x01N\x86");
    written(&Fields { name: "n".into(), size: None }, b"}(\x8c\x04name\x8c\x01nu");
    written(&Shape::Empty, b"\x8c\x05Empty");
    written(&Shape::Box(1, 2), b"}\x8c\x03BoxK\x01K\x02\x86s");
    written(&Shape::Named { sides: vec![] }, b"}\x8c\x05Named}(\x8c\x05sides](eus");
}

#[test]
fn bytes_are_read_as_numbers_too_and_lists_as_tuples() {
    let bytes = to_vec(Bytes::new(&[1, 2, 3])).unwrap();
    assert_eq!(from_slice::<Vec<u16>>(&bytes).unwrap(), [1, 2, 3]);
    assert_eq!(from_slice::<[u8; 3]>(&bytes).unwrap(), [1, 2, 3]);
    assert_eq!(from_slice::<&[u8]>(&bytes).unwrap(), [1, 2, 3]);
    let list = to_vec(&vec![1, 2]).unwrap();
    assert_eq!(from_slice::<(u8, f64)>(&list).unwrap(), (1, 2.0));
    let error = from_slice::<(u8,)>(&list).unwrap_err();
    assert_eq!(error.to_string(), "it has 2 items, and 1 were expected");
    assert_eq!(from_slice::<&str>(&to_vec("lent").unwrap()).unwrap(), "lent");
}

#[test]
fn types_that_ask_what_comes_can_ask() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Untagged {
        Number(i64),
        Text(String),
        Many(Vec<Untagged>),
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "kind")]
    enum Tagged {
        A { x: u8 },
        B,
    }
    arrives(Untagged::Many(vec![Untagged::Number(-1), Untagged::Text("t".into())]));
    arrives(vec![Tagged::A { x: 1 }, Tagged::B]);
    arrives(serde_json::json!({"a": [1, "b", 2.5, {"c": null}], "d": true}));
}

#[test]
fn a_unit_variant_is_read_from_both_its_forms() {
    assert_eq!(from_slice::<Shape>(b"}X\x05\x00\x00\x00EmptyNs.").unwrap(), Shape::Empty);
    let error = from_slice::<Shape>(b"\x8c\x05Round.").unwrap_err();
    assert_eq!(error.to_string(), "the variant needs a value");
    let error = from_slice::<Vec<Shape>>(b"](}\x8c\x03Box(K\x01\x8c\x01xtse.").unwrap_err();
    assert_eq!(error.place(), "[0].Box[1]");
    assert!(from_slice::<Shape>(b"}.").is_err());
    assert!(from_slice::<Shape>(b"K\x01.").is_err());
}

#[test]
fn what_python_could_not_have_is_refused_with_its_place() {
    let error = refused(vec![(1, Some(None::<u8>))], "[0][1]");
    assert_eq!(error.reason(), "Some(None) would arrive as None; use an enum");
    refused((Some(()),), "[0]");
    refused(BTreeMap::from([("k", Some(Unit))]), ".k");
    refused(BTreeMap::from([(-5, BTreeMap::from([("a b", Some(New2(None)))]))]), "[-5][\"a b\"]");
    let error = refused(BTreeMap::from([(vec![1], 1)]), "[key]");
    assert_eq!(error.reason(), "a list cannot be a key of a dict");
    refused(BTreeMap::from([((1, vec![1]), 1)]), "[key][1]");
    // These only look like it.
    arrives((Some((None::<u8>,)), Some((None::<u8>, 1)), Some(Some(1)), Some(vec![None::<u8>])));
    arrives((Some([(); 2]), Some(Shape::Empty)));

    #[derive(Serialize, PartialEq, PartialOrd, Ord, Eq)]
    struct New2(Option<u8>);
}

#[test]
fn nesting_is_bounded_on_both_sides() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Nested(Vec<Nested>);
    let nested = |depth| (1..depth).fold(Nested(vec![]), |inner, _| Nested(vec![inner]));
    arrives(nested(128));
    let error = refused(nested(129), &"[0]".repeat(128));
    assert_eq!(error.reason(), "it is nested deeper than 128");
    let list = |depth| [&b"]".repeat(depth)[..], &b"a".repeat(depth - 1), b"."].concat();
    from_slice::<Nested>(&list(128)).unwrap();
    let error = from_slice::<Nested>(&list(129)).unwrap_err();
    assert_eq!(error.place(), "[0]".repeat(128));
}

#[test]
fn errors_of_types_have_their_place() {
    #[derive(Deserialize, Debug)]
    struct Row {
        #[expect(dead_code, reason = "only read")]
        name: u8,
    }
    let pickle = to_vec(&vec![Fields::default(), Fields::default()]).unwrap();
    let error = from_slice::<Vec<Row>>(&pickle).unwrap_err();
    assert_eq!(error.place(), "[0].name");
    let pickle = to_vec(&(1, BTreeMap::from([(7, 300)]))).unwrap();
    let error = from_slice::<(u8, BTreeMap<u8, u8>)>(&pickle).unwrap_err();
    assert_eq!(error.place(), "[1][7]");
    let error = from_slice::<(u8, BTreeMap<String, u8>)>(&pickle).unwrap_err();
    assert!(error.to_string().starts_with("[1][7]: invalid type: integer `7`"), "{error}");
    let error = from_slice::<Vec<Row>>(&to_vec(&((),)).unwrap()).unwrap_err();
    assert_eq!(error.place(), "[0]");
}

#[test]
fn integers_beyond_128_bits_and_surrogates_are_refused() {
    let wide = [&b"\x8a\x11"[..], &[0xff; 16], b"\x01."].concat();
    assert!(from_slice::<u128>(&wide).unwrap_err().reason().contains("beyond 128 bits"));
    let least = [&b"\x8a\x11"[..], &[0xff; 15], b"\x7f\xff."].concat();
    assert!(from_slice::<i128>(&least).unwrap_err().reason().contains("beyond 128 bits"));
    let digits = [&b"L"[..], &b"9".repeat(1000), b"L\n."].concat();
    assert!(from_slice::<u128>(&digits).unwrap_err().reason().contains("beyond 128 bits"));
    let surrogate = from_slice::<String>(b"\x8c\x03\xed\xa0\x80.").unwrap_err();
    assert!(surrogate.reason().contains("lone surrogate"));
    // Longer than they need to be, they are still what they are.
    let long = [&b"\x8a\x14"[..], &[0xff; 20], b"."].concat();
    assert_eq!(from_slice::<i8>(&long).unwrap(), -1);
}

#[test]
fn an_object_by_its_persistent_id_is_no_data_and_data_no_object() {
    type Id = Persistent<(String, u64)>;
    let id = || Persistent(("lock".to_string(), 5));
    written(&id(), b"\x8c\x04lockK\x05\x86Q");
    arrives((1, id()));
    let pickle = to_vec(&vec![id()]).unwrap();
    let error = from_slice::<Vec<(String, u64)>>(&pickle).unwrap_err();
    assert_eq!(error.to_string(), "[0]: a shared object cannot be mapped to Rust data");
    let error = from_slice::<Vec<Id>>(b"](K\x01e.").unwrap_err();
    assert_eq!(error.to_string(), "[0]: it is no shared object");
}
