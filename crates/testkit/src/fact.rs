//! Waiting on a fact.
//!
//! A test that sleeps is slow when the machine is fast and wrong when it is slow. Where the fact has
//! a descriptor or a futex, wait on that; this room is for facts that have neither, such as what
//! `/proc` says. It looks again every few milliseconds, with `poll(2)` as its clock.

use rustix::event::{PollFd, Timespec, poll};
use std::time::{Duration, Instant};

/// How long [`wait_until`] waits.
pub const LIMIT: Duration = Duration::from_secs(100);

const TICK: Duration = Duration::from_millis(2);

/// Waits until `holds` says yes.
///
/// ```
/// let mut left = 3;
/// procession_testkit::wait_until("the countdown has ended", || {
///     left -= 1;
///     left == 0
/// });
/// ```
///
/// # Panics
/// If it still says no after [`LIMIT`]; `what` is the fact, in words.
pub fn wait_until(what: &str, holds: impl FnMut() -> bool) {
    assert!(holds_within(LIMIT, holds), "waited {LIMIT:?} in vain until {what}");
}

/// Looks whether `holds` says yes, again and again, until it does or the time is over; says whether
/// it did. It looks at least once.
pub fn holds_within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if start.elapsed() >= limit {
            return false;
        }
        pause(&mut [], TICK);
    }
}

/// Waits for an event on one of `fds`, at most for `limit`; an error or a signal only ends it early.
pub(crate) fn pause(fds: &mut [PollFd<'_>], limit: Duration) {
    let timeout = Timespec::try_from(limit).ok();
    // The caller looks at the fact itself afterwards, so what poll(2) saw does not matter.
    let _ = poll(fds, timeout.as_ref());
}
