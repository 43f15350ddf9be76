//! What a row is: our side, its peers, what is to be reached.

use crate::figure::Unit;
use crate::sample::Sample;
use std::error::Error;

/// What a side answers.
pub(crate) type Outcome = Result<Sample, Box<dyn Error>>;

/// One side of a row: runs once and measures itself.
pub(crate) type Run = fn(Effort) -> Outcome;

/// One kind of work, done by us and by others.
pub(crate) struct Row {
    /// What is measured, in words.
    pub(crate) work: &'static str,
    /// In what it is measured, and therefore which way is better.
    pub(crate) unit: Unit,
    /// Our side; `None` while it is not built.
    pub(crate) ours: Option<Run>,
    /// A figure that ours has to reach whatever the peers do.
    pub(crate) limit: Option<Target>,
    /// Who else does it.
    pub(crate) peers: Vec<Peer>,
}

/// Somebody else who does the same work.
pub(crate) struct Peer {
    /// What it is, with what a reader must know to judge it.
    pub(crate) name: &'static str,
    /// Its side.
    pub(crate) run: Run,
    /// Our figure is to be at least (for a rate) or at most (for a time) this many times its.
    pub(crate) target: Option<Target>,
}

/// What is to be reached, and why it is not.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// A factor beside a peer, a figure where it stands alone.
    pub(crate) value: f64,
    /// Printed when it is missed; empty as long as nobody knows.
    pub(crate) why: &'static str,
}

impl Peer {
    /// A peer to compare with, without a target.
    pub(crate) fn new(name: &'static str, run: Run) -> Self {
        Self { name, run, target: None }
    }

    /// A peer whose figure is to be reached `value` times.
    pub(crate) fn with_target(mut self, value: f64, why: &'static str) -> Self {
        self.target = Some(Target { value, why });
        self
    }
}

/// How much work to do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// Enough for figures.
    Full,
    /// Enough to show that it runs.
    Short,
}

impl Effort {
    /// How often to do something that a full run does `full` times.
    pub(crate) fn count(self, full: u64) -> u64 {
        match self {
            Self::Full => full,
            Self::Short => full.div_ceil(500).max(8).min(full),
        }
    }

    /// How often each side is run.
    pub(crate) fn repetitions(self) -> usize {
        match self {
            Self::Full => 7,
            Self::Short => 1,
        }
    }
}
