//! Every type arrives as it was sent, or is a typed error.

use super::{BYTES, COMPACT, DESCRIBING, decode, encode, encode_as};
use crate::Error;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;

/// The format in which the value arrived as it was sent, by both doors.
#[track_caller]
fn arrives<T>(value: &T) -> u8
where
    T: Serialize + DeserializeOwned + PartialEq + Debug,
{
    let mut bytes = vec![7];
    let format = encode(value, &mut bytes).unwrap();
    assert_eq!(bytes[0], 7, "encoding appends");
    assert_eq!(&decode::<T>(format, &bytes[1..]).unwrap(), value);
    let mut again = Vec::new();
    assert_eq!(encode(value, &mut again).unwrap(), format, "the second value is as the first");
    assert_eq!(&decode::<T>(format, &again).unwrap(), value);

    format
}

#[track_caller]
fn refused<T: Serialize + DeserializeOwned>(value: &T) -> String {
    let mut bytes = vec![7];
    let error = encode(value, &mut bytes).unwrap_err();
    assert_eq!(bytes, [7], "a refused value leaves nothing behind");
    assert!(matches!(error, Error::Encode { .. }));
    error.to_string()
}

#[test]
fn what_serde_writes_plainly_goes_compact() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Unit;
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Newtype(Box<Option<Unit>>);
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Nested {
        Nothing,
        Deep(Box<Nested>),
        Pair(i128, char),
        Named { unit: Unit, newtype: Newtype },
    }
    let named = Nested::Named { unit: Unit, newtype: Newtype(Box::new(Some(Unit))) };
    assert_eq!(arrives(&named), COMPACT);
    assert_eq!(arrives(&Nested::Deep(Box::new(Nested::Nothing))), COMPACT);
    assert_eq!(arrives(&Nested::Pair(i128::MIN, '\u{1f980}')), COMPACT);
    assert_eq!(arrives(&(u128::MAX, -1_i8, f32::MIN, true, "ß".to_string())), COMPACT);
    assert_eq!(arrives(&HashMap::from([("a".to_string(), 1), ("b".to_string(), 2)])), COMPACT);
    assert_eq!(arrives(&BTreeMap::from([((1, 'x'), vec![1]), ((2, 'y'), vec![])])), COMPACT);
    assert_eq!(arrives(&HashSet::from([Some(1), None, Some(3)])), COMPACT);
}

#[test]
fn nested_options_arrive_apart() {
    assert_eq!(arrives(&[None, Some(None), Some(Some(1_u8))]), COMPACT);
    assert_eq!(arrives(&(Some(()), None::<()>)), COMPACT);
}

#[test]
fn byte_vectors_arrive_whatever_their_length() {
    for len in [0, 1, 63, 64, 65, 1000] {
        let bytes: Vec<u8> = (0..len).map(|byte| byte as u8).collect();
        assert_eq!(arrives(&bytes), COMPACT);
        assert_eq!(arrives(&serde_bytes::ByteBuf::from(bytes.clone())), COMPACT);
        let mut plain = Vec::new();
        encode(&bytes, &mut plain).unwrap();
        assert_eq!(plain, postcard::to_allocvec(&bytes).unwrap());
    }
}

#[test]
fn borrowed_strings_and_slices_arrive_as_owned_ones() {
    let mut bytes = Vec::new();
    assert_eq!(encode_as::<String, _>("borrowed", &mut bytes).unwrap(), COMPACT);
    assert_eq!(decode::<String>(COMPACT, &bytes).unwrap(), "borrowed");
    bytes.clear();
    assert_eq!(encode_as::<Vec<String>, _>(["a", "b"].as_slice(), &mut bytes).unwrap(), COMPACT);
    assert_eq!(decode::<Vec<String>>(COMPACT, &bytes).unwrap(), ["a", "b"]);
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
struct Inner {
    x: u32,
    y: Option<u32>,
}

#[test]
fn flattened_fields_arrive() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        inner: Inner,
        #[serde(flatten)]
        rest: HashMap<String, i64>,
    }
    let rest = HashMap::from([("z".to_string(), -3)]);
    assert_eq!(arrives(&Flat { id: 1, inner: Inner { x: 2, y: None }, rest }), DESCRIBING);
}

#[test]
fn enums_without_an_index_arrive() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(untagged)]
    enum Untagged {
        Number(i64),
        Text(String),
        Inner(Inner),
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "kind")]
    enum Internal {
        Empty,
        Inner(Inner),
    }
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    #[serde(tag = "kind", content = "value")]
    enum Adjacent {
        Empty,
        Inner(Inner),
    }
    let inner = || Inner { x: 1, y: Some(2) };
    assert_eq!(arrives(&Untagged::Number(-5)), DESCRIBING);
    assert_eq!(arrives(&Untagged::Text("t".into())), DESCRIBING);
    assert_eq!(arrives(&vec![Untagged::Inner(inner())]), DESCRIBING);
    assert_eq!(arrives(&Internal::Empty), DESCRIBING);
    assert_eq!(arrives(&Internal::Inner(inner())), DESCRIBING);
    arrives(&Adjacent::Empty);
    arrives(&Adjacent::Inner(inner()));
}

#[test]
fn a_type_that_hides_in_an_option_is_found_when_it_comes() {
    assert_eq!(arrives(&None::<Value>), COMPACT);
    assert_eq!(arrives(&Some(json!({"a": [1, "b", 2.5, {"c": false}]}))), DESCRIBING);
    assert_eq!(arrives(&Vec::<Value>::new()), COMPACT);
    assert_eq!(arrives(&vec![Value::Null, json!(1)]), DESCRIBING);
}

#[test]
fn fields_that_are_left_out_do_not_shift_the_others() {
    #[derive(Serialize, Deserialize, PartialEq, Debug, Default, Clone)]
    struct Sometimes {
        #[serde(skip_serializing_if = "Option::is_none", default)]
        a: Option<u8>,
        b: Option<u8>,
        #[serde(skip, default)]
        never: u8,
    }
    assert_eq!(arrives(&Sometimes { a: Some(1), ..Sometimes::default() }), COMPACT);
    assert_eq!(arrives(&Sometimes { b: Some(0), ..Sometimes::default() }), DESCRIBING);

    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Variant {
        Named {
            #[serde(skip_serializing_if = "Vec::is_empty", default)]
            list: Vec<u8>,
            last: u8,
        },
    }
    assert_eq!(arrives(&Variant::Named { list: vec![], last: 1 }), DESCRIBING);
}

/// postcard by itself reads `b: 2, c: 2` and a shorter list, without an error.
#[test]
fn a_field_that_is_only_read_is_not_read_from_its_neighbour() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct OneSided {
        a: u8,
        #[serde(skip_serializing, default)]
        b: u8,
        c: u8,
    }
    let value = (Some(OneSided { a: 1, b: 0, c: 2 }), vec![1_u8, 0]);
    assert_eq!(arrives(&(None::<OneSided>, vec![1_u8, 0])), COMPACT);
    assert_eq!(arrives(&value), DESCRIBING);
}

/// serde counts all variants when it writes, and those that are not skipped when it reads.
#[test]
fn a_skipped_variant_does_not_shift_the_others() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    enum Gap {
        A,
        #[serde(skip)]
        _B,
        C,
        D,
    }
    assert_eq!(arrives(&Gap::A), COMPACT);
    assert_eq!(arrives(&Gap::C), DESCRIBING);
    assert_eq!(arrives(&vec![Gap::A, Gap::D, Gap::C]), DESCRIBING);
}

#[test]
fn a_type_that_writes_less_than_it_holds_is_no_error() {
    #[derive(Serialize, Deserialize)]
    struct Rounded {
        #[serde(serialize_with = "round")]
        number: f64,
    }
    fn round<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64((number / 2.0).floor())
    }
    let mut bytes = Vec::new();
    let format = encode(&Rounded { number: 3.5 }, &mut bytes).unwrap();
    assert_eq!(format, COMPACT);
    assert_eq!(decode::<Rounded>(format, &bytes).unwrap().number, 1.0);
}

#[test]
fn an_option_that_would_be_lost_is_refused_by_name() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Wrapper(Option<u8>);
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Flat {
        option: Option<Wrapper>,
        #[serde(flatten)]
        inner: Inner,
    }
    let inner = Inner { x: 0, y: None };
    let said = refused(&Flat { option: Some(Wrapper(None)), inner: inner.clone() });
    assert!(said.contains("Option<") && said.contains("Wrapper>"), "{said}");
    assert!(said.contains("use an enum instead of the option"), "{said}");
    assert_eq!(arrives(&Flat { option: Some(Wrapper(Some(1))), inner: inner.clone() }), DESCRIBING);
    assert_eq!(arrives(&Flat { option: None, inner }), DESCRIBING);
    refused(&Some(Value::Null));
}

#[test]
fn what_a_value_needs_does_not_depend_on_what_came_before() {
    #[derive(Serialize, Deserialize, PartialEq, Debug)]
    struct Both {
        #[serde(skip_serializing_if = "Option::is_none")]
        a: Option<u8>,
        b: Option<Option<u8>>,
    }
    assert_eq!(arrives(&Both { a: Some(1), b: Some(None) }), COMPACT);
    assert_eq!(arrives(&Both { a: None, b: Some(Some(2)) }), DESCRIBING);
    assert_eq!(arrives(&Both { a: Some(1), b: Some(None) }), COMPACT);
    refused(&Both { a: None, b: Some(None) });
}

#[test]
fn a_value_that_does_not_decode_is_refused_at_the_sender() {
    #[derive(Serialize)]
    struct OneWay(u8);
    impl<'de> Deserialize<'de> for OneWay {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("not this way"))
        }
    }
    assert!(refused(&OneWay(1)).contains("not this way"));
}

#[test]
fn what_serialize_says_reaches_the_sender() {
    struct Mute;
    impl Serialize for Mute {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("a mute cannot be sent"))
        }
    }
    let error = encode_as::<Vec<Option<u8>>, _>(&vec![Some(Mute)], &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("a mute cannot be sent"), "{error}");
}

#[test]
fn references_are_checked_as_what_they_are_read_as() {
    let inner = Inner { x: 1, y: None };
    let mut bytes = Vec::new();
    let format = encode_as::<(u8, Inner), _>(&(1_u8, &inner), &mut bytes).unwrap();
    assert_eq!(format, COMPACT);
    assert_eq!(decode::<(u8, Inner)>(format, &bytes).unwrap(), (1, inner));
    bytes.clear();
    let format = encode_as::<(u8, Value), _>(&(1_u8, &json!({"a": 1})), &mut bytes).unwrap();
    assert_eq!(format, DESCRIBING);
    assert_eq!(decode::<(u8, Value)>(format, &bytes).unwrap().1, json!({"a": 1}));
}

#[test]
fn wrong_bytes_are_a_typed_error() {
    fn wrong<T: DeserializeOwned + Debug>(format: u8, bytes: &[u8]) {
        let error = decode::<T>(format, bytes).unwrap_err();
        assert!(matches!(error, Error::Decode { .. }), "{error}");
    }
    for value in [json!([1, "text"]), json!({"x": 1, "y": 2})] {
        let mut bytes = Vec::new();
        assert_eq!(encode(&value, &mut bytes).unwrap(), DESCRIBING);
        wrong::<Value>(DESCRIBING, &bytes[..bytes.len() - 1]);
        wrong::<String>(DESCRIBING, &bytes);
        for more in [0xc0, 0xc1, 0xd9] {
            wrong::<Value>(DESCRIBING, &[&bytes[..], &[more]].concat());
        }
    }
    let mut bytes = Vec::new();
    assert_eq!(encode(&("text".to_string(), 300_u16), &mut bytes).unwrap(), COMPACT);
    for len in 0..bytes.len() {
        wrong::<(String, u16)>(COMPACT, &bytes[..len]);
    }
    wrong::<(String, u16)>(COMPACT, &[&bytes[..], &[0]].concat());
    wrong::<bool>(COMPACT, &[2]);
    wrong::<String>(COMPACT, &[2, 0xff, 0xff]);
    wrong::<Option<u8>>(COMPACT, &[2, 0]);
    wrong::<u8>(BYTES, &[1]);
    wrong::<u8>(9, &[1]);
}

#[derive(Serialize, Deserialize, PartialEq, Debug, Clone)]
enum Tree {
    Leaf,
    Number(i128, f64),
    Text { text: String, letter: char },
    Options(Option<Option<bool>>, Result<u8, ()>),
    Bytes(Vec<u8>, HashMap<u16, String>),
    Branch(Vec<Tree>, Box<(Option<Tree>, Inner)>),
}

fn trees() -> impl Strategy<Value = Tree> {
    let inner = || (any::<u32>(), any::<Option<u32>>()).prop_map(|(x, y)| Inner { x, y });
    let leaf = prop_oneof![
        Just(Tree::Leaf),
        (any::<i128>(), -1e9..1e9).prop_map(|(whole, part)| Tree::Number(whole, part)),
        (any::<String>(), any::<char>()).prop_map(|(text, letter)| Tree::Text { text, letter }),
        any::<(Option<Option<bool>>, Result<u8, ()>)>().prop_map(|(a, b)| Tree::Options(a, b)),
        any::<(Vec<u8>, HashMap<u16, String>)>().prop_map(|(a, b)| Tree::Bytes(a, b)),
    ];
    leaf.prop_recursive(4, 32, 5, move |tree| {
        let parts = (prop::collection::vec(tree.clone(), 0..5), prop::option::of(tree), inner());
        parts.prop_map(|(list, option, inner)| Tree::Branch(list, Box::new((option, inner))))
    })
}

proptest! {
    #[test]
    fn any_tree_arrives_compact(tree in trees()) {
        prop_assert_eq!(arrives(&tree), COMPACT);
    }

    #[test]
    fn any_bytes_decode_or_are_an_error(bytes: Vec<u8>, format in 0_u8..4) {
        let _ = decode::<Tree>(format, &bytes);
        let _ = decode::<Inner>(format, &bytes);
    }
}

mod objects {
    use super::*;
    use crate::codec::travel;
    use procession_shm::{Handle, family};

    /// Stands for a shared object: a handle that travels, and cannot be written elsewhere.
    #[derive(PartialEq, Debug)]
    struct Object(Handle);

    impl Serialize for Object {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            travel::list_handle(family().unwrap(), self.0).expect("a message is being encoded");
            self.0.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Object {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            travel::origin().expect("a message is being decoded");
            Handle::deserialize(deserializer).map(Self)
        }
    }

    fn object(index: u32) -> Object {
        Object(Handle::from_bits(1 << 32 | u64::from(index)).unwrap())
    }

    #[track_caller]
    fn travels<T>(value: &T, format: u8, handles: &[Object])
    where
        T: Serialize + DeserializeOwned + PartialEq + Debug,
    {
        for _ in 0..2 {
            let mut bytes = Vec::new();
            let sent = travel::outward::<T, _>(|| encode(value, &mut bytes)).unwrap();
            let listed = travel::travelling().unwrap();
            assert_eq!(listed.family(), Some(family().unwrap()));
            let listed: Vec<_> = listed.handles().iter().copied().map(Object).collect();
            assert_eq!(listed, handles);
            assert_eq!(sent, format);
            let origin = Some(family().unwrap());
            let back = travel::inward(origin, || decode::<T>(sent, &bytes)).unwrap();
            assert_eq!(&back, value);
            assert!(travel::travelling().is_none());
        }
    }

    #[test]
    fn each_is_listed_once_however_often_the_message_is_written() {
        travels(&object(1), COMPACT, &[object(1)]);
        travels(&(object(3), Some(json!([1])), object(3)), DESCRIBING, &[object(3), object(3)]);
    }

    #[test]
    fn a_message_that_is_refused_lists_none() {
        let value = (object(5), Some(Value::Null));
        let mut bytes = Vec::new();
        travel::outward::<(), _>(|| encode(&value, &mut bytes)).unwrap_err();
        assert!(travel::travelling().is_none());
    }

    #[test]
    fn a_panic_while_encoding_leaves_nothing_for_the_next_message() {
        struct Panics(Object);
        impl Serialize for Panics {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                travel::list_handle(family().unwrap(), self.0.0).unwrap();
                panic!("on purpose");
            }
        }
        let panics =
            || travel::outward::<(), _>(|| encode_as::<u8, _>(&Panics(object(7)), &mut Vec::new()));
        std::panic::catch_unwind(panics).unwrap_err();
        assert!(travel::travelling().is_none());
        assert!(travel::list_handle(family().unwrap(), object(7).0).is_err());
    }
}
