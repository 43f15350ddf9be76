//! A test that hangs is ended, and says who waits for what.
//!
//! Without it a hang is a job that a CI server kills after hours, with nothing in the log. What has to wait for a processor
//! for a long time does not hang: in a hang everybody sleeps.

use crate::family;
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// So many times it is looked whether anybody runs.
const LOOKS: u32 = 40;
/// How long after each.
const PAUSE: Duration = Duration::from_millis(25);
/// What has not ended after so many times its limit runs in a circle.
const CIRCLE: u32 = 5;

/// Watches until it is dropped.
#[derive(Debug)]
#[must_use = "a watchdog that is dropped at once watches nothing"]
pub struct Watchdog {
    // Dropping the sender is the message. `None` only inside `drop`.
    leash: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Starts a watchdog: if the answer is not dropped within `limit`, and this process and all its descendants
/// sleep then, or at the latest after five times `limit`, it writes a picture of them to standard error, kills the
/// descendants and aborts this process.
///
/// ```
/// use std::time::Duration;
///
/// let watchdog = procession_testkit::watchdog(Duration::from_secs(60));
/// drop(watchdog);
/// ```
///
/// # After fork
/// The watchdog is a thread, and a forked child has none: it is not watched.
pub fn watchdog(limit: Duration) -> Watchdog {
    let test = thread::current().name().unwrap_or("a thread without a name").to_owned();
    let (leash, slipped) = mpsc::channel();
    let watch = move || {
        let is_held = |time| slipped.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
        let end = Instant::now() + CIRCLE * limit;
        let mut asleep = 0;
        let mut hangs = is_held(limit);
        while hangs && asleep < LOOKS && Instant::now() < end {
            asleep = if family::anybody_runs() { 0 } else { asleep + 1 };
            hangs = is_held(PAUSE);
        }
        if hangs {
            bark(&test, limit);
        }
    };
    let thread = thread::Builder::new().name("watchdog".into()).spawn(watch);
    Watchdog { leash: Some(leash), thread: Some(thread.expect("cannot start the watchdog")) }
}

fn bark(test: &str, limit: Duration) -> ! {
    // Not `eprintln!`, which the test harness may have captured.
    let picture = family::picture();
    let text = format!("\nwatchdog: `{test}` has not ended after {limit:?}; it hangs:\n{picture}");
    let _ = std::io::stderr().write_all(text.as_bytes());
    for member in family::descendants() {
        if let Some(pid) = Pid::from_raw(member.pid) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
    std::process::abort()
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.leash.take());
        // Joined, so that the thread is gone before the next test counts anything.
        self.thread.take().map(JoinHandle::join);
    }
}
