//! Locks and shared data between the threads of one process. What a death does is in `deaths.rs`.

mod barrier;
mod condition;
mod data;
mod locks;
mod travel;

use procession_ipc::Event;
use procession_testkit::guard_after;
use std::time::Duration;

const SHORT: Duration = Duration::from_millis(20);

/// The guard of each test; the family is made before it counts.
fn guard() -> impl Sized {
    guard_after(|| drop(Event::new().unwrap()))
}
