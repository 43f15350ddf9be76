//! How long to spin before sleeping.
//!
//! Waking a process that sleeps on another processor costs tens of microseconds, so spinning for
//! about that long pays, but only while the peer runs on another processor; on the same one it
//! keeps the peer from running, so there the waiter gives its turn away once. The peer's processor is published in its gate. After [`MISSES`]
//! rounds of spinning for nothing a waiter stops, and tries again at every [`PROBE`]th wait.
//! The figures behind this are in the design notes of the queue's README.

use procession_sys::atomic::{AtomicU32, Ordering::Relaxed, spin_hint};
use procession_sys::cpu;
use std::time::{Duration, Instant};

const BUDGET: Duration = Duration::from_micros(50);
const MISSES: u32 = 3;
const PROBE: u32 = 64;
/// So many hints to the processor, and then a look at the time.
const ROUND: u32 = 32;

/// One waiter's experience with spinning.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    misses: AtomicU32,
    waits: AtomicU32,
}

impl Patience {
    /// Spins until `done` says so; `false` if it did not pay to wait for that.
    ///
    /// `peer` is the peer's published processor, plus one.
    pub(crate) fn spin(&self, peer: &AtomicU32, done: impl Fn() -> bool) -> bool {
        self.spin_within(BUDGET, peer, done)
    }

    /// As [`spin`](Self::spin), so long at most.
    pub(crate) fn spin_within(
        &self,
        budget: Duration,
        peer: &AtomicU32,
        done: impl Fn() -> bool,
    ) -> bool {
        self.look_every(1, budget, peer, &done, &done)
    }

    /// Spins until it is `enough`, or for as long as it pays; whether there is `some` then.
    ///
    /// For who could go on with some, and would at once be waiting again: so both sides work in bursts, and
    /// do not take each other's words away at every item.
    pub(crate) fn linger(
        &self,
        peer: &AtomicU32,
        enough: impl Fn() -> bool,
        some: impl Fn() -> bool,
    ) -> bool {
        self.look_every(ROUND, BUDGET, peer, enough, &some) || some()
    }

    fn look_every(
        &self,
        hints: u32,
        budget: Duration,
        peer: &AtomicU32,
        enough: impl Fn() -> bool,
        some: impl Fn() -> bool,
    ) -> bool {
        let waits = self.waits.fetch_add(1, Relaxed);
        let published = peer.load(Relaxed);
        if published == 0 || (self.misses.load(Relaxed) >= MISSES && !waits.is_multiple_of(PROBE)) {
            return false;
        }
        let elsewhere = || peer.load(Relaxed) != cpu::current() + 1;
        if !elsewhere() {
            // The peer needs this processor: its turn, and then one look.
            std::thread::yield_now();
            return some();
        }
        let start = Instant::now();
        loop {
            for _ in 0..ROUND / hints {
                if enough() {
                    self.misses.store(0, Relaxed);
                    return true;
                }
                (0..hints).for_each(|_| spin_hint());
            }
            if start.elapsed() >= budget || !elsewhere() {
                let found = some();
                if found {
                    self.misses.store(0, Relaxed);
                } else {
                    self.misses.fetch_add(1, Relaxed);
                }
                return found;
            }
        }
    }
}
