//! Rows: tasks for a pool of workers that run already.

use crate::figure::Unit;
use crate::row::{Effort, Outcome, Peer, Row, Target};
use crate::sample::{Stopwatch, timed};

/// Calls in flight at a time; procspawn opens four descriptors for each.
const IN_FLIGHT: u64 = 64;

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            work: "pool call, one worker, round trip, p50",
            unit: Unit::Seconds,
            ours: None,
            limit: None,
            peers: vec![Peer::new("procspawn 1.0.2 Pool", procspawn_call).with_target(0.15, "")],
        },
        Row {
            work: "pool, no-op tasks one by one, two workers",
            unit: Unit::PerSecond,
            ours: None,
            limit: Some(Target {
                value: 2e6,
                why: "",
            }),
            peers: vec![Peer::new(
                "procspawn 1.0.2 Pool, 64 calls in flight",
                procspawn_many,
            )],
        },
    ]
}

fn procspawn_call(effort: Effort) -> Outcome {
    let pool = procspawn::Pool::new(1)?;
    pool.spawn(0_u64, |number| number).join()?;
    let count = effort.count(5_000);
    let (watch, mut times) = (Stopwatch::start(), Vec::with_capacity(count as usize));
    for number in 0..count {
        let (time, done) = timed(|| pool.spawn(number, |number| number).join());
        done?;
        times.push(time);
    }
    let sample = watch.middle(times);
    pool.shutdown();
    Ok(sample)
}

fn procspawn_many(effort: Effort) -> Outcome {
    let pool = procspawn::Pool::new(2)?;
    pool.spawn(0_u64, |number| number).join()?;
    let batches = effort.count(20_000).div_ceil(IN_FLIGHT);
    let watch = Stopwatch::start();
    for _ in 0..batches {
        let call = |number| pool.spawn(number, |number: u64| number);
        let calls: Vec<_> = (0..IN_FLIGHT).map(call).collect();
        for call in calls {
            call.join()?;
        }
    }
    let sample = watch.rate(batches * IN_FLIGHT);
    pool.shutdown();
    Ok(sample)
}
