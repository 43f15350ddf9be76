//! Hosted objects against the originals: one program, on CPython's own manager and on our server.

use crate::running::{KEY, Running};
use procession_testkit::{guard, interpreters};
use std::path::PathBuf;
use std::process::Stdio;

/// What CPython 3.13 says and ours does, and what others say; nothing, if they do not complain at all.
const CHANGED: [(&str, Option<&str>); 4] = [
    (
        "lock: x.acquire(True, -2) -> ValueError('timeout value must be a non-negative number',)",
        Some("lock: x.acquire(True, -2) -> ValueError('timeout value must be positive',)"),
    ),
    (
        "namespace: x.__delattr__('b') -> AttributeError(\"'Namespace' object has no attribute 'b'\",)",
        Some("namespace: x.__delattr__('b') -> AttributeError('b',)"),
    ),
    ("bad barrier m.Barrier(0) RemoteError ValueError", None),
    (
        "list: x.index(99) -> ValueError('99 is not in list',)",
        Some("list: x.index(99) -> ValueError('list.index(x): x not in list',)"),
    ),
];

/// What ours says, in the words of a CPython that says this.
fn in_words_of(stock: &[String], ours: Vec<String>) -> Vec<String> {
    let has = |line: &str| stock.iter().any(|said| said == line);
    let other_words = |line: String| match CHANGED.iter().find(|(now, _)| *now == line) {
        Some((_, others)) if !has(&line) => others.filter(|it| has(it)).map(str::to_owned),
        _ => Some(line),
    };
    ours.into_iter().filter_map(other_words).collect()
}

fn said(words: &[&str]) -> Vec<String> {
    let program: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "tests", "server", "oracle.py"].iter().collect();
    let mut command = interpreters().last().unwrap().command();
    let output = command.arg(program).args(words).stdin(Stdio::null()).output().unwrap();
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complained}", output.status);
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_call_of_every_type_does_what_it_does_in_stock() {
    let _guard = guard();
    if interpreters().is_empty() {
        return eprintln!("skipped: there is no CPython here");
    }
    let stock = said(&["stock"]);
    let server = Running::tcp();
    let [host, port] = server.words();
    let ours = in_words_of(&stock, said(&[&host, &port, std::str::from_utf8(KEY).unwrap()]));
    let differ: Vec<_> = stock.iter().zip(&ours).filter(|(stock, ours)| stock != ours).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(stock.len(), ours.len());
}
