//! What all lanes did, and that they are to end.

use crate::print;
use std::fmt::Display;
use std::io::IsTerminal;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How often a line of progress is printed where lines stay.
const LINE: Duration = Duration::from_secs(10);

/// What all lanes did, and that they are to end.
#[derive(Debug)]
pub(super) struct Tally {
    start: Instant,
    counts: Mutex<Counts>,
    changed: Condvar,
}

#[derive(Debug)]
struct Counts {
    working: usize,
    busy: usize,
    done: u64,
    raised: u64,
    lost: u64,
    reconnected: u64,
    /// How often somebody asked for the end.
    stops: u32,
    failure: Option<String>,
    /// What the last line of progress said, and when.
    shown: (u64, Instant),
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    Returned,
    Raised,
    /// With its process.
    Lost,
}

impl Tally {
    pub(super) fn new(working: usize) -> Self {
        let start = Instant::now();
        let counts = Counts {
            working,
            busy: 0,
            done: 0,
            raised: 0,
            lost: 0,
            reconnected: 0,
            stops: 0,
            failure: None,
            shown: (0, start),
        };
        Self { start, counts: Mutex::new(counts), changed: Condvar::new() }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn begun(&self) {
        self.counts().busy += 1;
    }

    /// A task ended; `None` if it was put back.
    pub(super) fn ended(&self, ended: Option<Ended>) {
        let mut counts = self.counts();
        counts.busy -= 1;
        let Some(ended) = ended else { return };
        counts.done += 1;
        counts.raised += u64::from(ended == Ended::Raised);
        counts.lost += u64::from(ended == Ended::Lost);
    }

    pub(super) fn reconnected(&self) {
        self.counts().reconnected += 1;
    }

    /// A lane works no more. After a failure the others stop, too.
    pub(super) fn left(&self, failure: Option<String>) {
        let mut counts = self.counts();
        counts.working -= 1;
        if failure.is_some() {
            counts.stops = counts.stops.max(1);
            counts.failure = counts.failure.take().or(failure);
        }
        drop(counts);
        self.changed.notify_all();
    }

    pub(super) fn working(&self) -> usize {
        self.counts().working
    }

    pub(super) fn failure(&self) -> Option<String> {
        self.counts().failure.clone()
    }

    /// Somebody asks for the end: what has begun goes on; the second time that ends, too.
    pub(super) fn stop(&self) {
        let mut counts = self.counts();
        counts.stops += 1;
        let (stops, busy) = (counts.stops, counts.busy);
        drop(counts);
        self.changed.notify_all();
        if stops == 1 && busy > 0 {
            self.complain(&format_args!(
                "waiting for {busy} tasks that have begun; once more puts them back"
            ));
        }
    }

    pub(super) fn must_stop(&self) -> bool {
        self.counts().stops > 0
    }

    pub(super) fn must_hurry(&self) -> bool {
        self.counts().stops > 1
    }

    /// Waits for so long, or until it is to stop.
    pub(super) fn pause(&self, time: Duration) {
        let is_on = |counts: &mut Counts| counts.stops == 0;
        drop(self.changed.wait_timeout_while(self.counts(), time, is_on));
    }

    /// Complains, on a line of its own.
    pub(super) fn complain(&self, error: &dyn Display) {
        self.erase();
        print::complain(error);
    }

    /// Takes the line of progress away, if there is one.
    pub(super) fn erase(&self) {
        if std::io::stderr().is_terminal() {
            print::rewrite(&"");
        }
    }

    /// Shows how far it is: on a terminal on one line again and again, else now and then on a line of its own.
    pub(super) fn show_progress(&self) {
        let mut counts = self.counts();
        let (shown, when) = counts.shown;
        let is_terminal = std::io::stderr().is_terminal();
        if counts.done == shown || (!is_terminal && when.elapsed() < LINE) {
            return;
        }
        let rate = (counts.done - shown) as f64 / when.elapsed().as_secs_f64();
        let line = format!("{} done, {} running, {rate:.1}/s", counts.done, counts.busy);
        counts.shown = (counts.done, Instant::now());
        drop(counts);
        if is_terminal {
            print::rewrite(&line);
        } else {
            print::complain(&line);
        }
    }

    pub(super) fn summary(&self) -> String {
        let counts = self.counts();
        let Counts { done, raised, lost, reconnected, .. } = *counts;
        let seconds = self.start.elapsed().as_secs_f64();
        format!(
            "{done} tasks in {seconds:.1} s: {} returned, {raised} raised, {lost} lost with their process; \
             connected again {reconnected} times",
            done - raised - lost
        )
    }
}
