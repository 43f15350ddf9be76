//! Rows: messages through a queue.

use crate::figure::Unit;
use crate::row::{Effort, Outcome, Peer, Row};
use crate::sample::Stopwatch;
use crate::{ipc_channel_peer, our_queue, pipe_peer};
use crossbeam_channel::{Receiver, Sender};
use std::hint::black_box;
use std::thread;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// Why a message of 1 KiB misses its target.
const WHY_8: &str = "a cache line takes about twice as long from core to core as in the run of 2026-11-24, which reached 31×: here that day's code does 13.4 M/s beside 13.7 of this one's";
const WHY_KIB: &str = "17 cache lines go from core to core for each message, and ipc-channel does \
                       0.96 M/s here where it did 0.51 on the machine that set the target";
/// Why a payload of 1 MiB misses its target.
const WHY_MIB: &str = "the reader still has one payload when the next is written, so two blocks take \
                       turns, and with the source they exceed the 2 MiB of L2; in one process, put \
                       and get in turn, the same code reaches 0.95×";

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    let row = |work, ours, peers| Row {
        work,
        unit: Unit::PerSecond,
        ours: Some(ours),
        limit: None,
        peers,
    };
    vec![
        row(
            "queue, 8 B, 1 producer, 1 consumer",
            our_queue::numbers,
            vec![
                Peer::new("ipc-channel 0.23", ipc_channel_peer::numbers).with_target(30.0, WHY_8),
                Peer::new("pipe, frames", pipe_8).with_target(10.0, ""),
                Peer::new("crossbeam-channel bounded(1024), threads", bounded).with_target(0.5, ""),
                Peer::new("crossbeam-channel unbounded, threads", unbounded).with_target(0.5, ""),
            ],
        ),
        row(
            "queue, 8 B, put_many and get_many, at most 1024 at once",
            our_queue::batches,
            vec![Peer::new("procession, put and get", our_queue::numbers)],
        ),
        row(
            "queue, 1 KiB of bytes, 1 producer, 1 consumer",
            our_queue::kib_of_bytes,
            vec![
                Peer::new("ipc-channel 0.23, bytes", ipc_1_kib).with_target(10.0, WHY_KIB),
                Peer::new("pipe, frames", pipe_1_kib),
            ],
        ),
        row(
            "queue, String of 1 KiB, 1 producer, 1 consumer",
            our_queue::kib_of_text,
            vec![Peer::new("ipc-channel 0.23, bytes", ipc_1_kib).with_target(10.0, WHY_KIB)],
        ),
        row(
            "queue, 1 MiB payload lent",
            our_queue::lent,
            vec![
                Peer::new("one memcpy of 1 MiB into shared memory in use", memcpy_shared)
                    .with_target(0.8, WHY_MIB),
                Peer::new("one memcpy of 1 MiB, heap", memcpy),
                Peer::new("ipc-channel 0.23, shared memory", ipc_1_mib_shared),
                Peer::new("ipc-channel 0.23, bytes", ipc_1_mib),
            ],
        ),
        row(
            "queue, 64 B, 4 producers, 4 consumers",
            our_queue::four_to_four,
            vec![
                Peer::new("procession, 1 producer, 1 consumer", our_queue::one_to_one)
                    .with_target(0.5, ""),
                Peer::new("crossbeam-channel bounded(1024), 4→4 threads", bounded_many),
            ],
        ),
    ]
}

fn pipe_8(effort: Effort) -> Outcome {
    pipe_peer::stream(effort, &7_u64.to_ne_bytes(), 1_000_000)
}

fn pipe_1_kib(effort: Effort) -> Outcome {
    pipe_peer::stream(effort, &[7; KIB], 500_000)
}

fn ipc_1_kib(effort: Effort) -> Outcome {
    ipc_channel_peer::bytes(effort, &[7; KIB], 300_000)
}

fn ipc_1_mib(effort: Effort) -> Outcome {
    ipc_channel_peer::bytes(effort, &vec![7; MIB], 1_000)
}

fn ipc_1_mib_shared(effort: Effort) -> Outcome {
    ipc_channel_peer::shared(effort, &vec![7; MIB], 1_000)
}

fn memcpy(effort: Effort) -> Outcome {
    let count = effort.count(5_000);
    let (from, mut to) = (vec![7_u8; MIB], vec![0_u8; MIB]);
    let watch = Stopwatch::start();
    for _ in 0..count {
        to.copy_from_slice(black_box(&from));
        black_box(&mut to);
    }
    Ok(watch.rate(count))
}

/// The same into memory of the arena, which is there already: the least that putting such a payload costs.
fn memcpy_shared(effort: Effort) -> Outcome {
    let count = effort.count(5_000);
    let (from, mut to) = (vec![7_u8; MIB], procession::Buffer::new(MIB)?);
    to.copy_from_slice(&from);
    let watch = Stopwatch::start();
    for _ in 0..count {
        to.copy_from_slice(black_box(&from));
        black_box(&mut to);
    }
    Ok(watch.rate(count))
}

fn bounded(effort: Effort) -> Outcome {
    threads(effort.count(10_000_000), crossbeam_channel::bounded(1024))
}

fn unbounded(effort: Effort) -> Outcome {
    threads(effort.count(10_000_000), crossbeam_channel::unbounded())
}

fn threads(count: u64, (sender, receiver): (Sender<u64>, Receiver<u64>)) -> Outcome {
    let watch = Stopwatch::start();
    thread::scope(|scope| {
        scope.spawn(move || (0..count).try_for_each(|number| sender.send(number)));
        consume(&receiver);
    });
    Ok(watch.rate(count))
}

fn bounded_many(effort: Effort) -> Outcome {
    let (sender, receiver) = crossbeam_channel::bounded::<[u8; 64]>(1024);
    let each = effort.count(4_000_000) / 4;
    let watch = Stopwatch::start();
    thread::scope(|scope| {
        for _ in 0..4 {
            let (sender, receiver) = (sender.clone(), receiver.clone());
            scope.spawn(move || (0..each).try_for_each(|_| sender.send(black_box([7; 64]))));
            scope.spawn(move || consume(&receiver));
        }
        // The consumers end when the last producer has gone, and these are the last handles.
        drop((sender, receiver));
    });
    Ok(watch.rate(each * 4))
}

/// Receives until the last sender is gone.
fn consume<T>(receiver: &Receiver<T>) {
    for message in receiver {
        black_box(message);
    }
}
