//! Hosted objects against the originals: one program, on CPython's own manager and on our server.

use crate::running::{KEY, Running};
use procession_testkit::{guard, interpreters};
use std::path::PathBuf;
use std::process::Stdio;

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
    let stock = said(&["stock"]);
    let server = Running::tcp();
    let [host, port] = server.words();
    let ours = said(&[&host, &port, std::str::from_utf8(KEY).unwrap()]);
    let differ: Vec<_> = stock.iter().zip(&ours).filter(|(stock, ours)| stock != ours).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(stock.len(), ours.len());
}
