//! What the tutorial has `time.sleep` and `random` for: work that takes a while.

use std::hash::{BuildHasher, RandomState};
use std::thread;
use std::time::Duration;

/// Works for so long.
#[expect(clippy::disallowed_methods, reason = "the sleep is the work here; nothing is waited for")]
pub(super) fn work(time: Duration) {
    thread::sleep(time);
}

/// A random part of the time, up to all of it.
pub(super) fn random(time: Duration) -> Duration {
    time.mul_f64(any_number() as f64 / u64::MAX as f64)
}

/// A random number, `most` at most.
pub(super) fn random_number(most: u64) -> u64 {
    any_number() % (most + 1)
}

fn any_number() -> u64 {
    // The standard library seeds its hash maps from the kernel's random numbers.
    RandomState::new().hash_one(std::process::id())
}
