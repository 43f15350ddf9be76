//! `Pool(4)` and `apply_async`. The tutorial's `03_pool.py`.

use super::work::{random, work};
use crate::say;
use procession::{Error, Pool};
use std::process::id;
use std::time::{Duration, Instant};

/// The tutorial has 3 seconds.
const LONG_TIME: Duration = Duration::from_millis(1500);

fn long_time_task(name: u32) {
    say!("Run child process {name} ({})", id());
    let start = Instant::now();
    work(random(LONG_TIME));
    say!("Task {name} runs {:.2} seconds.", start.elapsed().as_secs_f64());
}

pub(super) fn run() -> Result<(), Error> {
    say!("Parent process {}.", id());
    let p = Pool::new(4)?;
    let mut tasks = Vec::new();
    for i in 0..5 {
        tasks.push(p.apply_async(long_time_task, i)?);
    }
    say!("Waiting for subprocessing done...");
    p.close();
    p.join();
    // Beyond the tutorial: a task that failed says so, where it would be lost.
    for task in tasks {
        task.get()?;
    }
    say!("All subprocessing done");
    Ok(())
}
