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
        let waits = self.waits.fetch_add(1, Relaxed);
        let published = peer.load(Relaxed);
        if published == 0 || (self.misses.load(Relaxed) >= MISSES && !waits.is_multiple_of(PROBE)) {
            return false;
        }
        let elsewhere = || peer.load(Relaxed) != cpu::current() + 1;
        if !elsewhere() {
            // The peer needs this processor: its turn, and then one look.
            std::thread::yield_now();
            return done();
        }
        let start = Instant::now();
        loop {
            for _ in 0..32 {
                if done() {
                    self.misses.store(0, Relaxed);
                    return true;
                }
                spin_hint();
            }
            if start.elapsed() >= budget || !elsewhere() {
                self.misses.fetch_add(1, Relaxed);
                return false;
            }
        }
    }
}
