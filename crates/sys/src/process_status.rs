//! How a process ended.

use crate::signal_name::Signal;
use std::fmt;

/// How a process ended: with a code of its own, or by a signal.
///
/// Plain data, 4 bytes: the word that `waitpid` gives, so it can be sent and stored as it is.
///
/// | bits | what they say |
/// |---|---|
/// | 0-6 | the signal that killed it, or 0 |
/// | 7 | a core was written |
/// | 8-15 | the code that it exited with, if no signal killed it |
///
/// ```
/// use procession_sys::process_status::ExitStatus;
/// use procession_sys::signal_name::Signal;
///
/// let left = ExitStatus::exited(3);
/// assert_eq!((left.code(), left.signal(), left.exitcode()), (Some(3), None, 3));
/// let killed = ExitStatus::killed(Signal::KILL);
/// assert_eq!((killed.code(), killed.signal(), killed.exitcode()), (None, Some(Signal::KILL), -9));
/// assert_eq!(killed.to_string(), "killed by SIGKILL (9)");
/// assert_eq!(ExitStatus::from_raw(killed.to_raw()), killed);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct ExitStatus(i32);

const SIGNAL_BITS: i32 = 0x7f;
const CORE_BIT: i32 = 0x80;

impl ExitStatus {
    /// The status of a process that called `exit(code)`.
    pub const fn exited(code: u8) -> Self {
        Self((code as i32) << 8)
    }

    /// The status of a process that `signal` ended.
    pub const fn killed(signal: Signal) -> Self {
        Self(signal.as_raw() & SIGNAL_BITS)
    }

    /// The same, of a process that wrote a core.
    pub const fn dumped(signal: Signal) -> Self {
        Self(signal.as_raw() & SIGNAL_BITS | CORE_BIT)
    }

    /// From the word that `waitpid` gives for a process that has ended. Bits that say nothing about
    /// an end are dropped.
    pub const fn from_raw(raw: i32) -> Self {
        Self(raw & 0xffff)
    }

    /// The word that `waitpid` gives.
    pub const fn to_raw(self) -> i32 {
        self.0
    }

    /// Whether it ended by itself with code 0.
    pub const fn success(self) -> bool {
        self.0 & !CORE_BIT == 0
    }

    /// The code it exited with; `None` if a signal killed it.
    pub const fn code(self) -> Option<u8> {
        match self.0 & SIGNAL_BITS {
            0 => Some((self.0 >> 8) as u8),
            _ => None,
        }
    }

    /// The signal that killed it; `None` if it exited by itself.
    pub const fn signal(self) -> Option<Signal> {
        match self.0 & SIGNAL_BITS {
            0 => None,
            signal => Some(Signal::from_raw(signal)),
        }
    }

    /// Whether a core was written.
    pub const fn core_dumped(self) -> bool {
        self.0 & SIGNAL_BITS != 0 && self.0 & CORE_BIT != 0
    }

    /// The number that Python has for it: the code, or minus the signal.
    pub const fn exitcode(self) -> i32 {
        match self.signal() {
            Some(signal) => -signal.as_raw(),
            None => self.0 >> 8 & 0xff,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.signal() {
            None => write!(f, "exited with code {}", self.exitcode()),
            Some(signal) if self.core_dumped() => {
                write!(f, "killed by {signal} ({}), core dumped", signal.as_raw())
            }
            Some(signal) => write!(f, "killed by {signal} ({})", signal.as_raw()),
        }
    }
}
