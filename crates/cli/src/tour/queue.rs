//! One process writes, one reads. The tutorial's `06_queue.py`.

use super::work::{random, work};
use crate::say;
use procession::{Error, JoinableQueue, Process};
use std::process::id;
use std::time::Duration;

/// The tutorial has 1 second.
const PAUSE: Duration = Duration::from_millis(400);
/// How long a reader that lives may need for three lines.
const PATIENCE: Duration = Duration::from_secs(10);

fn write(q: JoinableQueue<String>) {
    say!("Process to write: {}", id());
    for value in ["A", "B", "C"] {
        say!("Put {value} to queue...");
        q.put(&value.to_owned()).expect("the queue is open");
        work(random(PAUSE));
    }
}

fn read(q: JoinableQueue<String>) {
    say!("Process to read: {}", id());
    loop {
        let value = q.get().expect("the queue is open");
        say!("Get {value} from queue.");
        q.task_done().expect("an item was got");
    }
}

pub(super) fn run() -> Result<(), Error> {
    let q = JoinableQueue::new()?;
    let pw = Process::spawn(write, q.clone())?;
    let pr = Process::spawn(read, q.clone())?;
    let written = pw.join();
    // The tutorial's `Queue` may lose the last line here; a `JoinableQueue` knows when all is read.
    let all_read = q.join_timeout(PATIENCE);
    // The reader's loop has no end, so it cannot be waited for: it is terminated.
    pr.terminate()?;
    written?;
    Ok(all_read?)
}
