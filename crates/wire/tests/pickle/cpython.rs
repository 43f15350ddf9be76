//! CPython as the judge: pickles that it wrote once, and, where there is one, what it says now.

use crate::golden;
use crate::plain::{Plain, from_hex, to_hex};
use procession_testkit::guard::LIMIT;
use procession_testkit::watchdog;
use procession_wire::pickle;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

/// A reader of serde's sees no difference between a tuple and a list.
fn as_read(found: &str) -> String {
    found.replace('(', "[").replace(')', "]")
}

#[test]
fn plain_values_of_every_protocol_are_read() {
    let mut read = 0;
    for golden in golden().filter(|golden| golden.found != "-") {
        let value: Plain = pickle::from_slice(&golden.pickle).unwrap_or_else(|error| {
            panic!("{} in protocol {}: {error}", golden.name, golden.protocol)
        });
        assert_eq!(value.to_string(), as_read(golden.found), "{}", golden.name);
        read += 1;
    }
    assert_eq!(read, 14 * 6);
}

#[test]
fn an_object_of_a_class_is_an_error_with_its_place_and_name() {
    let said = |name| {
        let read = |golden: crate::Golden| {
            pickle::from_slice::<Plain>(&golden.pickle).unwrap_err().to_string()
        };
        let mut said: Vec<_> = golden().filter(|golden| golden.name == name).map(read).collect();
        said.dedup();
        said.concat()
    };
    let cannot = "cannot be mapped to Rust data";
    assert_eq!(said("unmapped"), format!("[3].name: datetime.datetime {cannot}"));
    assert_eq!(said("unmapped_state"), format!(".a[0]: decimal.Decimal {cannot}"));
    assert_eq!(said("unmapped_ordered"), format!("[0]: collections.OrderedDict {cannot}"));
    let class = format!("[0]: the class or function datetime.date {cannot}");
    assert_eq!(said("unmapped_class"), class);
    assert!(said("recursive").ends_with("it is nested deeper than 128, or contains itself"));
}

fn values() -> impl Strategy<Value = Plain> {
    let key = || {
        prop_oneof![
            any::<i64>().prop_map(|value| Plain::Int(value.into())),
            any::<String>().prop_map(Plain::Text),
        ]
    };
    let leaf = prop_oneof![
        Just(Plain::None),
        any::<bool>().prop_map(Plain::Bool),
        any::<i16>().prop_map(|value| Plain::Int(value.into())),
        any::<i128>().prop_map(Plain::Int),
        (1_u128 << 127..).prop_map(Plain::Large),
        any::<f64>().prop_map(Plain::Float),
        any::<Vec<u8>>().prop_map(Plain::Bytes),
        prop::collection::vec(any::<char>(), 0..300)
            .prop_map(|text| Plain::Text(text.into_iter().collect())),
        key(),
    ];
    leaf.prop_recursive(5, 64, 6, move |value| {
        let parts = || prop::collection::vec(value.clone(), 0..6);
        let pairs = prop::collection::vec((key(), value.clone()), 0..6);
        prop_oneof![
            parts().prop_map(Plain::List),
            parts().prop_map(Plain::Tuple),
            pairs.prop_map(|mut pairs| {
                pairs.sort_by_key(|(key, _)| key.to_string());
                pairs.dedup_by_key(|(key, _)| key.to_string());
                Plain::Dict(pairs)
            }),
        ]
    })
}

#[test]
fn random_values_go_to_a_real_python_and_come_back() {
    const COUNT: usize = 300;
    let _watchdog = watchdog(LIMIT);
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pickle");
    let oracle = Command::new("python3")
        .args(["-B", "oracle.py"])
        .current_dir(here)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut oracle) = oracle else {
        eprintln!("skipped: there is no python3 here");
        return;
    };
    let mut to = oracle.stdin.take().unwrap();
    let mut from = BufReader::new(oracle.stdout.take().unwrap()).lines();
    let mut runner = TestRunner::deterministic();
    for _ in 0..COUNT {
        let value = values().new_tree(&mut runner).unwrap().current();
        writeln!(to, "{}", to_hex(&pickle::to_vec(&value).unwrap())).unwrap();
        let answer = from.next().unwrap().unwrap();
        let mut columns = answer.split(' ');
        assert_eq!(columns.next().unwrap(), value.to_string());
        for column in columns {
            let back: Plain = pickle::from_slice(&from_hex(column)).unwrap();
            assert_eq!(back.to_string(), as_read(&value.to_string()));
        }
    }
    drop(to);
    assert!(oracle.wait().unwrap().success());
}
