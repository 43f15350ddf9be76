//! Sleeping on a 32-bit word in shared memory, and waking who sleeps there.
//!
//! Always the shared form: `FUTEX_PRIVATE_FLAG` cannot cross a process. Under `--cfg loom` the same
//! functions run on loom's mutex and condition variable, so that loom finds a lost wake as a
//! deadlock.

use crate::Deadline;
use crate::atomic::AtomicU32;

/// How a [`wait`] ended. A wake is no promise that what was waited for has happened: look again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// Woken, or the word had another value, or for no reason at all.
    Maybe,
    /// A signal handler ran in this thread.
    Interrupted,
    /// The deadline came.
    TimedOut,
}

/// Sleeps while `word` has the value `expected`, until a wake, a signal or the deadline.
#[cfg(not(loom))]
pub fn wait(word: &AtomicU32, expected: u32, deadline: Deadline) -> Woken {
    use rustix::io::Errno;
    use rustix::thread::futex;

    let timeout = match deadline.remaining() {
        None => None,
        Some(left) if left.is_zero() => return Woken::TimedOut,
        Some(left) => rustix::time::Timespec::try_from(left).ok(),
    };
    match futex::wait(word, futex::Flags::empty(), expected, timeout.as_ref()) {
        Err(Errno::TIMEDOUT) => Woken::TimedOut,
        Err(Errno::INTR) => Woken::Interrupted,
        _ => Woken::Maybe,
    }
}

/// Wakes at most `count` of those who sleep on `word`; says how many it woke.
#[cfg(not(loom))]
pub fn wake(word: &AtomicU32, count: u32) -> usize {
    use rustix::thread::futex;
    // The only errors of FUTEX_WAKE are a bad address and a bad operation; a reference is neither.
    futex::wake(word, futex::Flags::empty(), count).unwrap_or(0)
}

/// Wakes all who sleep on `word`.
pub fn wake_all(word: &AtomicU32) -> usize {
    wake(word, i32::MAX as u32)
}

#[cfg(loom)]
pub use model::{wait, wake};

#[cfg(loom)]
mod model {
    use super::{AtomicU32, Deadline, Woken};
    use loom::sync::{Arc, Condvar, Mutex};
    use std::collections::HashMap;

    loom::lazy_static! {
        static ref BEDS: Mutex<HashMap<usize, Arc<Condvar>>> = Mutex::new(HashMap::new());
    }

    /// Sleeps on `word`; a deadline never comes in a model.
    pub fn wait(word: &AtomicU32, expected: u32, deadline: Deadline) -> Woken {
        if deadline.expired() {
            return Woken::TimedOut;
        }
        let mut beds = BEDS.lock().unwrap();
        if word.load(loom::sync::atomic::Ordering::SeqCst) != expected {
            return Woken::Maybe;
        }
        let bed = Arc::clone(
            beds.entry(std::ptr::from_ref(word) as usize)
                .or_insert_with(|| Arc::new(Condvar::new())),
        );
        drop(bed.wait(beds).unwrap());
        Woken::Maybe
    }

    /// Wakes one or all of the sleepers on `word`.
    pub fn wake(word: &AtomicU32, count: u32) -> usize {
        let beds = BEDS.lock().unwrap();
        if let Some(bed) = beds.get(&(std::ptr::from_ref(word) as usize)) {
            if count == 1 {
                bed.notify_one();
            } else {
                bed.notify_all();
            }
        }
        0
    }
}
