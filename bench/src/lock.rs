//! Rows: a lock that nobody else wants.

use crate::figure::Unit;
use crate::row::{Effort, Outcome, Peer, Row};
use crate::sample::Stopwatch;
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    let row = |work, ours| Row {
        work,
        unit: Unit::Seconds,
        ours: Some(ours),
        limit: None,
        peers: vec![Peer::new("std::sync::Mutex, one process", std_mutex).with_target(1.5, "")],
    };
    vec![
        row("lock and unlock a Mutex, nobody else", mutex),
        row("lock and unlock a Lock, nobody else", lock),
    ]
}

fn mutex(effort: Effort) -> Outcome {
    let count = effort.count(50_000_000);
    let mutex = procession::Mutex::new(0_u64)?;
    let watch = Stopwatch::start();
    for _ in 0..count {
        *black_box(&mutex).lock().map_err(|_| "nobody died")? += 1;
    }
    Ok(watch.seconds_each(count))
}

fn lock(effort: Effort) -> Outcome {
    let count = effort.count(50_000_000);
    let (lock, mut number) = (procession::Lock::new()?, 0_u64);
    let watch = Stopwatch::start();
    for _ in 0..count {
        let _guard = black_box(&lock).lock();
        *black_box(&mut number) += 1;
    }
    Ok(watch.seconds_each(count))
}

fn std_mutex(effort: Effort) -> Outcome {
    let count = effort.count(50_000_000);
    let mutex = Mutex::new(0_u64);
    let watch = Stopwatch::start();
    for _ in 0..count {
        *black_box(&mutex).lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }
    Ok(watch.seconds_each(count))
}
