//! Rows: tasks for a pool of workers that run already.

use crate::figure::Unit;
use crate::row::{Effort, Outcome, Peer, Row, Target};
use crate::sample::{Stopwatch, timed};
use procession::{MapBuilder, Pool};

/// Calls in flight at a time; procspawn opens four descriptors for each.
const IN_FLIGHT: u64 = 64;

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            work: "pool call, one worker, round trip, p50",
            unit: Unit::Seconds,
            ours: Some(our_call),
            limit: None,
            peers: vec![Peer::new("procspawn 1.0.2 Pool", procspawn_call).with_target(0.15, "")],
        },
        Row {
            work: "pool, one million no-op tasks one by one, two workers",
            unit: Unit::PerSecond,
            ours: Some(one_by_one),
            limit: Some(Target { value: 2e6, why: "" }),
            peers: vec![Peer::new("procspawn 1.0.2 Pool, 64 calls in flight", procspawn_many)],
        },
        Row {
            work: "pool, one million no-op tasks in chunks as the pool adapts them, two workers",
            unit: Unit::PerSecond,
            ours: Some(in_chunks),
            limit: None,
            peers: vec![Peer::new("procession, one by one", one_by_one)],
        },
    ]
}

fn our_call(effort: Effort) -> Outcome {
    let pool = Pool::new(1)?;
    pool.apply(|number: u64| number, 0)?;
    let count = effort.count(50_000);
    let (watch, mut times) = (Stopwatch::start(), Vec::with_capacity(count as usize));
    for number in 0..count {
        let (time, done) = timed(|| pool.apply(|number: u64| number, number));
        done?;
        times.push(time);
    }
    Ok(watch.middle(times))
}

fn one_by_one(effort: Effort) -> Outcome {
    many(effort, |map| map.chunksize(1))
}

fn in_chunks(effort: Effort) -> Outcome {
    many(effort, |map| map)
}

fn many(effort: Effort, with: fn(MapBuilder<'_>) -> MapBuilder<'_>) -> Outcome {
    let pool = Pool::new(2)?;
    pool.map(|number: u64| number, 0..100)?;
    let count = effort.count(1_000_000);
    let watch = Stopwatch::start();
    let numbers = with(pool.with()).map(|number: u64| number, 0..count)?;
    let sample = watch.rate(count);
    if numbers.into_iter().ne(0..count) {
        return Err("not every number came back at its place".into());
    }
    Ok(sample)
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
