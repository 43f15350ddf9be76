//! A peer: CPython's own manager and clients, in an interpreter that the benchmarks find.

use crate::row::{Effort, Outcome};
use crate::sample::Sample;
use procession_testkit::interpreters;

const PROGRAM: &str = include_str!("stock_manager.py");

/// A put and a get in turn, in seconds.
pub(crate) fn turns(effort: Effort) -> Outcome {
    run(&["turns", &effort.count(4_000).to_string()])
}

/// Calls a second of one client.
pub(crate) fn one_client(effort: Effort) -> Outcome {
    run(&["calls", &effort.count(10_000).to_string(), "1"])
}

/// Calls a second of so many clients together.
pub(crate) fn many_clients(effort: Effort) -> Outcome {
    run(&["calls", &effort.count(20_000).to_string(), &super::manager::CLIENTS.to_string()])
}

/// Bytes for one connection.
pub(crate) fn connection(effort: Effort) -> Outcome {
    run(&["connection", &effort.count(200).to_string()])
}

fn run(arguments: &[&str]) -> Outcome {
    let python = interpreters().iter().find(|python| python.version >= (3, 11));
    let python = python.ok_or("no CPython from 3.11 on is here")?;
    let output = python.command().args(["-c", PROGRAM]).args(arguments).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    Ok(Sample::figure(String::from_utf8(output.stdout)?.trim().parse()?))
}
