//! Rows: start a process, let it run nothing, take its result, reap it.

use crate::figure::Unit;
use crate::row::{Effort, Outcome, Peer, Row};
use crate::sample::{Stopwatch, timed};
use std::error::Error;
use std::hint::black_box;
use std::process::Command;

const PAGE: usize = 4096;

const WHY: &str = "the machine of this run forks and reaps more slowly than that of 2026-11-24, where 0.46× was reached: here that day's code takes 523 µs beside 534 of this one's";

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            work: "spawn, run, result, join, p50",
            unit: Unit::Seconds,
            ours: Some(ours),
            limit: None,
            peers: vec![
                Peer::new("std::process::Command running `true`", command).with_target(0.5, WHY),
                Peer::new("procspawn 1.0.2, spawn and join", procspawn),
            ],
        },
        Row {
            work: "the same, 1 GiB touched in the parent, p50",
            unit: Unit::Seconds,
            ours: Some(ours_from_large),
            limit: None,
            peers: vec![
                Peer::new("std::process::Command running `true`", command_from_large)
                    .with_target(0.5, WHY),
            ],
        },
    ]
}

fn ours(effort: Effort) -> Outcome {
    each(effort.count(1_000), || {
        let process = procession::Process::spawn(|number: u64| number, 7)?;
        match process.join()? {
            7 => Ok(()),
            other => Err(format!("7 came back as {other}").into()),
        }
    })
}

fn ours_from_large(effort: Effort) -> Outcome {
    let memory = touched(effort);
    let sample = ours(effort);
    drop(black_box(memory));
    sample
}

fn command(effort: Effort) -> Outcome {
    each(effort.count(1_000), || match Command::new("true").status()?.success() {
        true => Ok(()),
        false => Err("`true` failed".into()),
    })
}

fn command_from_large(effort: Effort) -> Outcome {
    let memory = touched(effort);
    let sample = command(effort);
    drop(black_box(memory));
    sample
}

fn procspawn(effort: Effort) -> Outcome {
    each(effort.count(500), || Ok(procspawn::spawn((), |()| ()).join()?))
}

/// The time of each of `count` calls.
fn each(count: u64, mut call: impl FnMut() -> Result<(), Box<dyn Error>>) -> Outcome {
    call()?;
    let (watch, mut times) = (Stopwatch::start(), Vec::with_capacity(count as usize));
    for _ in 0..count {
        let (time, done) = timed(&mut call);
        done?;
        times.push(time);
    }
    Ok(watch.middle(times))
}

/// A gibibyte (32 MiB in a short run) of which every page exists.
fn touched(effort: Effort) -> Vec<u8> {
    let size = match effort {
        Effort::Full => 1 << 30,
        Effort::Short => 1 << 25,
    };
    let mut memory = vec![0_u8; size];
    memory.iter_mut().step_by(PAGE).for_each(|byte| *byte = 1);
    memory
}
