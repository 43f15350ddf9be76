//! A deadline: the instant at which a wait gives up.
//!
//! Waits take an instant and never a duration, so that a wait which is interrupted, woken for
//! nothing, or made of several steps does not start its time anew.

use std::time::{Duration, Instant};

/// An instant of the monotonic clock, or never.
///
/// ```
/// use procession_sys::Deadline;
/// use std::time::Duration;
///
/// assert!(Deadline::now().expired());
/// assert_eq!(Deadline::never().remaining(), None);
/// assert!(Deadline::after(Duration::from_secs(60)).remaining() > Some(Duration::from_secs(50)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(When);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// Needs no look at the clock.
    Past,
    At(Instant),
    Never,
}

impl Deadline {
    /// A deadline that never comes.
    pub const fn never() -> Self {
        Self(When::Never)
    }

    /// A deadline that has come: a wait with it looks once and returns.
    pub const fn now() -> Self {
        Self(When::Past)
    }

    /// The instant `after` from now; an instant that the clock cannot name is never.
    pub fn after(after: Duration) -> Self {
        Self(Instant::now().checked_add(after).map_or(When::Never, When::At))
    }

    /// The earlier of this deadline and the instant `after` from now.
    pub fn within(self, after: Duration) -> Self {
        match (self.0, Self::after(after).0) {
            (When::Past, _) => self,
            (When::At(mine), When::At(other)) => Self(When::At(mine.min(other))),
            (When::At(_), _) => self,
            (When::Never, other) => Self(other),
        }
    }

    /// How long it still is; `None` if it never comes, zero if it has come.
    pub fn remaining(self) -> Option<Duration> {
        match self.0 {
            When::Past => Some(Duration::ZERO),
            When::At(at) => Some(at.saturating_duration_since(Instant::now())),
            When::Never => None,
        }
    }

    /// Whether it has come.
    pub fn expired(self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }
}

impl From<Duration> for Deadline {
    fn from(after: Duration) -> Self {
        Self::after(after)
    }
}

impl From<Option<Duration>> for Deadline {
    /// `None` waits for ever, as a `timeout=None` does in Python.
    fn from(timeout: Option<Duration>) -> Self {
        timeout.map_or(Self::never(), Self::after)
    }
}
