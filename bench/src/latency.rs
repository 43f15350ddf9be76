//! Rows: how long one message takes there and back, and what waiting costs.

use crate::figure::Unit;
use crate::row::{Effort, Peer, Row, Target};
use crate::{ipc_channel_peer, pipe_peer};
use rustix::event::{Timespec, poll};

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            work: "ping-pong through two queues, 8 B, p50",
            unit: Unit::Seconds,
            ours: None,
            limit: None,
            peers: vec![
                Peer::new("two pipes, frames", pipe_peer::round_trip),
                Peer::new("ipc-channel 0.23", ipc_channel_peer::round_trip),
            ],
        },
        Row {
            work: "CPU time of a consumer that waits for one second",
            unit: Unit::Seconds,
            ours: None,
            // Nothing, as far as a clock that counts hundredths can tell.
            limit: Some(Target {
                value: 0.01,
                why: "",
            }),
            peers: vec![Peer::new("pipe", pipe_peer::idle)],
        },
    ]
}

/// Lets a second go by (a twentieth in a short run) without using the CPU.
pub(crate) fn wait_a_second(effort: Effort) {
    let (tv_sec, tv_nsec) = match effort {
        Effort::Full => (1, 0),
        Effort::Short => (0, 50_000_000),
    };
    // The time itself is what is waited for here; an interruption would only shorten it.
    let _ = poll(&mut [], Some(&Timespec { tv_sec, tv_nsec }));
}
