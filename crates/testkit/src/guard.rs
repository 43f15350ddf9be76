//! The first line of a test.

use crate::leaks::LeakCheck;
use crate::watchdog::{Watchdog, watchdog};
use std::time::Duration;

/// How long a guarded test may take before it is looked at whether it hangs. Generous: a loaded machine is no bug.
pub const LIMIT: Duration = Duration::from_secs(120);

/// The watchdog and the leak check of one test.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct Guard {
    // Dropped in this order: the leak check itself runs under the watchdog.
    leaks: LeakCheck,
    _watchdog: Watchdog,
}

impl Guard {
    /// Lets a leak pass whose description contains `text`; see [`LeakCheck::allow`].
    pub fn allow(&mut self, text: &str) {
        self.leaks.allow(text);
    }
}

/// Guards a test from here to the end of its scope: it must not hang, see [`watchdog`], and leave nothing.
///
/// ```
/// let _guard = procession_testkit::guard();
/// assert!(std::process::Command::new("true").status()?.success());
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
/// The guard panics when it is dropped, if something was left and the test did not fail already.
pub fn guard() -> Guard {
    guard_after(|| ())
}

/// Guards a test as [`guard`] does, after `warm_up` has made what this process makes once and keeps,
/// such as its zygote: that is part of the snapshot and no leak. `warm_up` runs when it is the turn
/// of this test, so that what it starts is not taken for a leak of another.
///
/// # Panics
/// As [`guard`].
pub fn guard_after(warm_up: impl FnOnce()) -> Guard {
    // The turn first: a test that waits for the others does not hang, and they are watched.
    let leaks = LeakCheck::take_after(|| {
        let _watchdog = watchdog(LIMIT);
        warm_up();
    });
    Guard { leaks, _watchdog: watchdog(LIMIT) }
}
