//! Running the rows.
//!
//! The sides of a row run in turn (ours, first peer, second peer, ours, …), so that a machine that
//! becomes slower or busier meanwhile does so for all of them. What counts is the median; the least
//! and the greatest are shown beside it.

use crate::row::{Effort, Row, Run};
use crate::sample::Sample;

/// One row, run.
pub(crate) struct Measured {
    pub(crate) row: Row,
    /// Our side, if it is built.
    pub(crate) ours: Option<Side>,
    /// The peers, in the order of the row.
    pub(crate) peers: Vec<Side>,
}

/// All runs of one side, from the least figure to the greatest, or why there are none.
pub(crate) type Side = Result<Vec<Sample>, String>;

/// Runs all rows, and says on standard error where it is.
pub(crate) fn run(rows: impl Iterator<Item = Row>, effort: Effort) -> Vec<Measured> {
    rows.map(|row| measure(row, effort)).collect()
}

fn measure(row: Row, effort: Effort) -> Measured {
    let runs: Vec<Run> =
        row.ours.into_iter().chain(row.peers.iter().map(|peer| peer.run)).collect();
    let mut sides: Vec<Side> = runs.iter().map(|_| Ok(Vec::new())).collect();
    for turn in 1..=effort.repetitions() {
        eprintln!("{}: {turn} of {}", row.work, effort.repetitions());
        for (run, side) in runs.iter().zip(&mut sides) {
            if let Ok(samples) = side {
                match run(effort) {
                    Ok(sample) => samples.push(sample),
                    Err(error) => *side = Err(error.to_string()),
                }
            }
        }
    }
    for samples in sides.iter_mut().flatten() {
        samples.sort_by(|one, other| one.value.total_cmp(&other.value));
    }
    let mut sides = sides.into_iter();
    let ours = row.ours.and_then(|_| sides.next());
    Measured { ours, peers: sides.collect(), row }
}

/// The sample in the middle.
pub(crate) fn median(samples: &[Sample]) -> Option<&Sample> {
    samples.get(samples.len() / 2)
}

/// The sides that failed, each with its error.
pub(crate) fn failures(results: &[Measured]) -> Vec<String> {
    let mut failures = Vec::new();
    for measured in results {
        let names = measured.row.peers.iter().map(|peer| peer.name);
        let peers = names.zip(&measured.peers);
        for (name, side) in measured.ours.iter().map(|side| ("procession", side)).chain(peers) {
            if let Err(error) = side {
                failures.push(format!("{}, {name}: {error}", measured.row.work));
            }
        }
    }
    failures
}
