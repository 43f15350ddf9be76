//! Rows: how long one message takes there and back, and what waiting costs.

use crate::figure::Unit;
use crate::row::{Effort, Peer, Row, Target};
use crate::{ipc_channel_peer, our_queue, pipe_peer};
use rustix::event::{Timespec, poll};
use std::time::Duration;

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            work: "ping-pong through two queues, 8 B, p50",
            unit: Unit::Seconds,
            ours: Some(our_queue::round_trip),
            limit: None,
            peers: vec![
                Peer::new("two pipes, frames", pipe_peer::round_trip),
                Peer::new("ipc-channel 0.23", ipc_channel_peer::round_trip),
            ],
        },
        Row {
            work: "CPU time of two processes that wait for one second",
            unit: Unit::Seconds,
            ours: Some(our_queue::idle),
            // Nothing, as far as a clock that counts hundredths can tell.
            limit: Some(Target { value: 0.01, why: "" }),
            peers: vec![Peer::new("pipe", pipe_peer::idle)],
        },
    ]
}

/// A second; a twentieth in a short run.
pub(crate) fn a_second(effort: Effort) -> Duration {
    match effort {
        Effort::Full => Duration::from_secs(1),
        Effort::Short => Duration::from_millis(50),
    }
}

/// Lets a second go by without using the CPU.
pub(crate) fn wait_a_second(effort: Effort) {
    let time = a_second(effort);
    let time = Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() };
    // The time itself is what is waited for here; an interruption would only shorten it.
    let _ = poll(&mut [], Some(&time));
}
