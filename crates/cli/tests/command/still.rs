//! A run that stands still while it is looked at.

use crate::ran::Mark;
use procession_testkit::wait_until;
use rustix::process::{Pid, Signal, kill_process_group};
use std::process::Child;

/// A run that leads its process group and stands still, until this is dropped.
#[derive(Debug)]
pub(crate) struct StandingStill(Pid);

impl StandingStill {
    /// Stops the run; lets it go on as long as it is not what `seen` is to see of it.
    pub(crate) fn when(
        run: &Child,
        mark: &Mark,
        what: &str,
        mut seen: impl FnMut() -> bool,
    ) -> Self {
        let stopped = Self(Pid::from_child(run));
        wait_until(what, || {
            stopped.signal(Signal::STOP);
            wait_until("the run stands still", || mark.all_stand_still());
            let is_seen = seen();
            if !is_seen {
                stopped.signal(Signal::CONT);
            }
            is_seen
        });
        stopped
    }

    fn signal(&self, signal: Signal) {
        kill_process_group(self.0, signal).expect("the run has not ended");
    }
}

/// A test that fails lets it go on, too, to its end.
impl Drop for StandingStill {
    fn drop(&mut self) {
        let _ = kill_process_group(self.0, Signal::CONT);
    }
}
