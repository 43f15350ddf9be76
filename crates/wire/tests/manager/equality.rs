//! Python's equality and hash.

use procession_testkit::guard;
use procession_wire::message::Payload;
use procession_wire::value::Value;
use std::hash::{BuildHasher, RandomState};

fn power(bits: usize) -> Value {
    let mut bytes = vec![0; bits / 8 + 2];
    bytes[bits / 8] = 1 << (bits % 8);
    Value::int_of(&bytes)
}

fn negative_power(bits: usize) -> Value {
    let mut bytes = vec![0; bits / 8];
    bytes.extend([(0xff_u8) << (bits % 8), 0xff]);
    Value::int_of(&bytes)
}

/// What is equal in Python, a group a line.
fn groups() -> Vec<Vec<Value>> {
    let int = |value: i64| Value::from(value);
    let set = |values: &[i64]| values.iter().map(|value| int(*value)).collect::<Vec<_>>();
    vec![
        vec![Value::None],
        vec![int(0), Value::Bool(false), Value::Float(0.0), Value::Float(-0.0)],
        vec![int(1), Value::Bool(true), Value::Float(1.0)],
        vec![int(-1), Value::Float(-1.0)],
        vec![Value::Float(0.5)],
        vec![Value::Float(f64::INFINITY)],
        vec![Value::Float(f64::NAN)],
        vec![power(70), Value::Float(2_f64.powi(70))],
        vec![power(126), Value::Float(2_f64.powi(126))],
        vec![power(127), Value::Float(2_f64.powi(127))],
        vec![negative_power(127), Value::Float(-(2_f64.powi(127)))],
        vec![negative_power(128), Value::Float(-(2_f64.powi(128)))],
        vec![power(1000), Value::Float(2_f64.powi(1000))],
        vec![Value::from("a")],
        vec![Value::Bytes(b"a".to_vec()), Value::ByteArray(b"a".to_vec())],
        vec![Value::List(vec![int(1)]), Value::List(vec![Value::Bool(true)])],
        vec![Value::Tuple(vec![int(1)]), Value::Tuple(vec![Value::Float(1.0)])],
        vec![Value::Set(set(&[1, 2])), Value::FrozenSet(set(&[2, 1]))],
        vec![
            Value::Dict(vec![(int(1), int(2)), (int(3), int(4))]),
            Value::Dict(vec![(Value::Float(3.0), int(4)), (Value::Bool(true), int(2))]),
        ],
        vec![Value::Slice(Box::new([int(1), Value::None, Value::None]))],
        vec![Value::call("m", "f", vec![int(1)])],
        vec![Value::Payload(Payload::of(&int(1)))],
    ]
}

#[test]
fn values_are_equal_across_types_as_in_python_and_hash_alike() {
    let _guard = guard();
    let state = RandomState::new();
    let groups = groups();
    for (place, group) in groups.iter().enumerate() {
        for one in group {
            for (other_place, others) in groups.iter().enumerate() {
                for other in others {
                    assert_eq!(one == other, place == other_place, "{one} and {other}");
                }
            }
            assert_eq!(state.hash_one(one), state.hash_one(&group[0]), "{one}");
        }
    }
}

#[test]
fn sets_in_sets_are_hashed_and_compared_in_time() {
    let _guard = guard();
    let mut one = Value::FrozenSet(vec![]);
    let mut other = Value::FrozenSet(vec![]);
    for level in 0..100_u8 {
        one = Value::FrozenSet(vec![one, Value::from(level)]);
        other = Value::FrozenSet(vec![Value::from(level), other]);
    }
    assert_eq!(one, other);
    let state = RandomState::new();
    assert_eq!(state.hash_one(&one), state.hash_one(&other));
}

#[test]
fn what_python_cannot_hash_is_named() {
    let _guard = guard();
    let list = || Value::List(vec![]);
    assert_eq!(Value::from("a").unhashable(), None);
    assert_eq!(list().unhashable(), Some("list"));
    assert_eq!(Value::Tuple(vec![Value::None, list()]).unhashable(), Some("list"));
    assert_eq!(Value::ByteArray(vec![]).unhashable(), Some("bytearray"));
    assert_eq!(Value::FrozenSet(vec![]).unhashable(), None);
}
