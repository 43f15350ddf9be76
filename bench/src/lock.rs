//! Rows: a lock that nobody else wants.

use crate::figure::Unit;
use crate::row::{Effort, Outcome, Peer, Row};
use crate::sample::Stopwatch;
use std::hint::black_box;
use std::sync::{Mutex, PoisonError};

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    vec![Row {
        work: "lock and unlock, nobody else",
        unit: Unit::Seconds,
        ours: None,
        limit: None,
        peers: vec![Peer::new("std::sync::Mutex, one process", std_mutex).with_target(1.5, "")],
    }]
}

fn std_mutex(effort: Effort) -> Outcome {
    let count = effort.count(50_000_000);
    let mutex = Mutex::new(0_u64);
    let watch = Stopwatch::start();
    for _ in 0..count {
        *black_box(&mutex)
            .lock()
            .unwrap_or_else(PoisonError::into_inner) += 1;
    }
    Ok(watch.seconds_each(count))
}
