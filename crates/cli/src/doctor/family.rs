//! Whether a small family works: its memory, its processes, the end of its orphans.

use super::Finding;
use crate::ps::bytes;
use procession::inspect::families;
use procession::{Connection, Error, Process, Queue, StartMethod, duplex};
use std::time::{Duration, Instant};

/// Long enough for a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn findings() -> Vec<Finding> {
    let memory = memory();
    let methods = [
        ("start by zygote", StartMethod::Zygote),
        ("start by exec", StartMethod::Exec),
        ("start by fork", StartMethod::Fork),
    ];
    let starts = methods.map(|(what, method)| start(what, method));
    [memory].into_iter().chain(starts).chain([orphans()]).collect()
}

fn memory() -> Finding {
    let what = "a family's memory";
    let tried = || -> Result<u32, Error> {
        let queue = Queue::new()?;
        queue.put(&7)?;
        Ok(queue.get_timeout(PATIENCE)?)
    };
    let set = std::env::var("PROCESSION_ARENA");
    let set = set.map_or("not set".to_owned(), |text| format!("`{text}`"));
    match tried() {
        Ok(7) => {
            let limit = limit().map_or("unknown".to_owned(), bytes);
            Finding::well(what, format!("limit {limit} (PROCESSION_ARENA is {set})"))
        }
        Ok(other) => Finding::broken(what, format!("7 went into a queue, and {other} came out")),
        Err(error) => Finding::broken(what, format!("{error} (PROCESSION_ARENA is {set})")),
    }
}

/// The limit of this process's own family, as the others see it.
fn limit() -> Option<u64> {
    let me = std::process::id();
    let mut readable = families().ok()?.into_iter().flatten();
    let mine = readable
        .find(|family| family.is_local && family.members.iter().any(|member| member.pid == me));
    mine.map(|family| family.memory.limit)
}

fn start(what: &'static str, method: StartMethod) -> Finding {
    let tried = || {
        let begun = Instant::now();
        let builder = Process::builder().start_method(method);
        builder.spawn(|number: u32| number + 1, 1)?.join_timeout(PATIENCE)?;
        Ok::<_, Error>(begun.elapsed())
    };
    // The first zygote start makes the zygote; the second is what a start costs.
    match tried().and_then(|_| tried()) {
        Ok(time) => Finding::well(what, format!("{:.1} ms from start to result", millis(time))),
        Err(error) if method == StartMethod::Zygote => Finding::broken(what, error.to_string()),
        Err(error) => Finding::degraded(what, error.to_string()),
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Starts a process that starts another, kills the first, and looks whether the second ends.
fn orphans() -> Finding {
    let what = "orphans";
    let tried = || -> Result<bool, Error> {
        let (mine, theirs) = duplex::<u32>()?;
        let middle = Process::spawn(start_another, theirs)?;
        let started = mine.recv_timeout(PATIENCE);
        middle.kill()?;
        started?;
        // The pipe closes when nobody is left who has its other end.
        Ok(mine.recv_timeout(PATIENCE).is_err_and(|error| error.is_closed()))
    };
    match tried() {
        Ok(true) => Finding::well(what, "end with their parent"),
        Ok(false) => Finding::degraded(what, "may outlive a parent that is killed"),
        Err(error) => Finding::broken(what, error.to_string()),
    }
}

fn start_another(end: Connection<u32>) {
    let another = Process::spawn(
        |end: Connection<u32>| {
            let told = end.send(&std::process::id());
            // Nothing comes: it is killed here, or its parent's end closes the pipe.
            told.and_then(|()| end.recv()).map(drop).unwrap_or_default();
        },
        end,
    );
    if let Ok(another) = another {
        let _ = another.join();
    }
}
