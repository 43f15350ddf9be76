//! Our side of the rows about queues: `Queue::new()`, without bounds, and one process for each other side.
//!
//! A consumer says that it is ready, and that it has the last message, through a queue of its own.

use crate::row::{Effort, Outcome};
use crate::sample::{Sample, Stopwatch, timed};
use procession::{Process, Queue};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::hint::black_box;

/// A number whose encoding has eight bytes; small numbers have fewer.
pub(crate) const NUMBER: u64 = 0x0055_5555_5555_5555;
const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const PAGE: usize = 4096;
/// The most that `get_many` is asked for.
const AT_ONCE: usize = 1024;

/// What a consumer is given: where messages come from, where it says how many it has, and after how many.
type Given<T> = (Queue<T>, Queue<u64>, u64);

/// Numbers a second.
pub(crate) fn numbers(effort: Effort) -> Outcome {
    one_by_one(effort.count(10_000_000), &NUMBER)
}

/// Strings of a KiB a second.
pub(crate) fn kib_of_text(effort: Effort) -> Outcome {
    one_by_one(effort.count(1_000_000), &"7".repeat(KIB))
}

/// KiBs of bytes a second.
pub(crate) fn kib_of_bytes(effort: Effort) -> Outcome {
    bytes(effort.count(1_000_000), &[7; KIB])
}

/// 64 bytes, from one producer to one consumer.
pub(crate) fn one_to_one(effort: Effort) -> Outcome {
    bytes(effort.count(4_000_000), &[7; 64])
}

/// Payloads of a MiB a second, each written into shared memory once and lent to the reader.
pub(crate) fn lent(effort: Effort) -> Outcome {
    bytes(effort.count(5_000), &vec![7; MIB])
}

/// Numbers a second, many put and got at once.
pub(crate) fn batches(effort: Effort) -> Outcome {
    let take = |given: Given<u64>| {
        consume(&given, |queue, left| {
            Ok(black_box(queue.get_many(AT_ONCE.min(left as usize))?).len() as u64)
        })
    };
    stream(effort.count(20_000_000), take, |queue: &Queue<u64>, count| {
        let mut left = count as usize;
        while left > 0 {
            let batch = left.min(AT_ONCE);
            let put = queue.put_many(std::iter::repeat_n(NUMBER, batch));
            left -= put.map_err(|(_, error)| error)?;
        }
        Ok(())
    })
}

fn one_by_one<T: Serialize + DeserializeOwned>(count: u64, value: &T) -> Outcome {
    let take = |given: Given<T>| {
        consume(&given, |queue, _| {
            black_box(queue.get()?);
            Ok(1)
        })
    };
    stream(count, take, |queue: &Queue<T>, count| {
        (0..count).try_for_each(|_| Ok(queue.put(black_box(value))?))
    })
}

fn bytes(count: u64, payload: &[u8]) -> Outcome {
    let take = |given: Given<()>| {
        consume(&given, |queue, _| {
            black_box(look_at(&queue.get_bytes()?));
            Ok(1)
        })
    };
    stream(count, take, |queue: &Queue<()>, count| {
        (0..count).try_for_each(|_| Ok(queue.put_bytes(black_box(payload))?))
    })
}

/// Reads one byte of each page of a payload, and the last one.
pub(crate) fn look_at(payload: &[u8]) -> u8 {
    let sum = payload.iter().step_by(PAGE).fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
    sum.wrapping_add(payload.last().copied().unwrap_or(0))
}

/// Messages a second to one consumer.
fn stream<T>(
    count: u64,
    take: fn(Given<T>) -> Result<(), String>,
    put: impl FnOnce(&Queue<T>, u64) -> Result<(), Box<dyn Error>>,
) -> Outcome {
    let (queue, said) = (Queue::new()?, Queue::new()?);
    let consumer = Process::spawn(take, (queue.clone(), said.clone(), count))?;
    said.get()?;
    let watch = Stopwatch::start();
    put(&queue, count)?;
    said.get()?;
    let sample = watch.rate(count);
    consumer.join()??;
    Ok(sample)
}

/// A consumer's life: `take` is told how many are left and says how many it took.
fn consume<T>(
    (queue, said, count): &Given<T>,
    take: impl Fn(&Queue<T>, u64) -> Result<u64, procession::Error>,
) -> Result<(), String> {
    let text = |error: procession::Error| error.to_string();
    said.put(&0).map_err(|error| error.to_string())?;
    let mut left = *count;
    while left > 0 {
        left -= take(queue, left).map_err(text)?;
    }
    said.put(count).map_err(|error| error.to_string())
}

/// 64 bytes, from four producers to four consumers; with the share of the consumer that got least.
pub(crate) fn four_to_four(effort: Effort) -> Outcome {
    let each = effort.count(4_000_000) / 4;
    let (queue, said, go) = (Queue::<()>::new()?, Queue::<u64>::new()?, procession::Event::new()?);
    let takers = spawn_four(take_until_shut, &(queue.clone(), said.clone()))?;
    let putters = spawn_four(put_when_told, &(queue.clone(), said.clone(), go.clone(), each))?;
    for _ in 0..8 {
        said.get()?;
    }
    let watch = Stopwatch::start();
    go.set();
    for putter in putters {
        putter.join()??;
    }
    // Consumers end when it is empty.
    queue.shutdown();
    let shares = (0..4).map(|_| said.get()).collect::<Result<Vec<u64>, _>>()?;
    let mut sample = watch.rate(each * 4);
    for taker in takers {
        taker.join()??;
    }
    let (all, least) = (shares.iter().sum::<u64>(), shares.iter().min().copied().unwrap_or(0));
    if all != each * 4 {
        return Err(format!("{all} of {} messages arrived", each * 4).into());
    }
    sample.note = format!("least share {}%", least * 100 / all);
    Ok(sample)
}

type Done = Result<(), String>;

fn spawn_four<A: Serialize + DeserializeOwned + Clone>(
    life: fn(A) -> Done,
    given: &A,
) -> Result<Vec<Process<Done>>, procession::Error> {
    (0..4).map(|_| Ok(Process::spawn(life, given.clone())?)).collect()
}

fn take_until_shut((queue, said): (Queue<()>, Queue<u64>)) -> Done {
    said.put(&0).map_err(|error| error.to_string())?;
    let mut got = 0;
    while let Ok(payload) = queue.get_bytes() {
        black_box(look_at(&payload));
        got += 1;
    }
    said.put(&got).map_err(|error| error.to_string())
}

fn put_when_told(
    (queue, said, go, count): (Queue<()>, Queue<u64>, procession::Event, u64),
) -> Done {
    said.put(&0).map_err(|error| error.to_string())?;
    go.wait();
    (0..count)
        .try_for_each(|_| queue.put_bytes(black_box(&[7; 64])))
        .map_err(|error| error.to_string())
}

/// The time of a number there and back, through two queues.
pub(crate) fn round_trip(effort: Effort) -> Outcome {
    let count = effort.count(50_000);
    let (there, back) = (Queue::<u64>::new()?, Queue::<u64>::new()?);
    let echo = Process::spawn(
        |(there, back, count): (Queue<u64>, Queue<u64>, u64)| -> Done {
            (0..count).try_for_each(|_| back.put(&there.get()?)).map_err(|error| error.to_string())
        },
        (there.clone(), back.clone(), count + 1),
    )?;
    let trip = || -> Result<u64, Box<dyn Error>> {
        there.put(&NUMBER)?;
        Ok(back.get()?)
    };
    trip()?;
    let (watch, mut trips) = (Stopwatch::start(), Vec::with_capacity(count as usize));
    for _ in 0..count {
        let (time, done) = timed(trip);
        done?;
        trips.push(time);
    }
    let sample = watch.middle(trips);
    echo.join()??;
    Ok(sample)
}

/// The CPU time of two processes that wait for messages, in a second of waiting.
pub(crate) fn idle(effort: Effort) -> Outcome {
    let (queue, said) = (Queue::<u64>::new()?, Queue::<u64>::new()?);
    let waiter = Process::spawn(
        |given: Given<u64>| {
            consume(&given, |queue, _| {
                black_box(queue.get()?);
                Ok(1)
            })
        },
        (queue.clone(), said.clone(), 1),
    )?;
    said.get()?;
    let watch = Stopwatch::start();
    let nothing = said.get_timeout(crate::latency::a_second(effort));
    let sample: Sample = watch.cpu();
    if nothing.is_ok() {
        return Err("the waiting process had a message".into());
    }
    queue.put(&NUMBER)?;
    waiter.join()??;
    Ok(sample)
}
