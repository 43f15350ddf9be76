//! One measurement: wall time and the CPU time of the whole family.
//!
//! CPU time is read from `/proc` for this process and all below it, living and reaped, so that work
//! done by another process is not free. It comes in hundredths of a second.

use procession_testkit::family::{self, Member};
use std::time::{Duration, Instant};

/// Clock ticks of `/proc` in a second; a constant of the Linux ABI on our architectures.
const TICKS: f64 = 100.0;

/// What one run of one side took.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    /// The figure, in the unit of the row.
    pub(crate) value: f64,
    /// Wall time in seconds.
    pub(crate) wall: f64,
    /// CPU time in seconds, of all processes together.
    pub(crate) cpu: f64,
    /// Something to say beside the figure.
    pub(crate) note: String,
}

/// Measures from its creation to one of the calls that make a sample.
pub(crate) struct Stopwatch {
    start: Instant,
    cpu: f64,
}

impl Stopwatch {
    /// Starts.
    pub(crate) fn start() -> Self {
        let cpu = family_cpu();
        Self { start: Instant::now(), cpu }
    }

    /// The work is done: `count` pieces of it, in pieces a second.
    pub(crate) fn rate(self, count: u64) -> Sample {
        let wall = self.start.elapsed().as_secs_f64();
        self.sample(count as f64 / wall, wall, String::new())
    }

    /// The work is done: `count` pieces of it, in seconds a piece.
    pub(crate) fn seconds_each(self, count: u64) -> Sample {
        let wall = self.start.elapsed().as_secs_f64();
        self.sample(wall / count as f64, wall, String::new())
    }

    /// The work is done, and each piece was timed: the middle one in seconds, with the 99th percentile.
    pub(crate) fn middle(self, mut pieces: Vec<Duration>) -> Sample {
        let wall = self.start.elapsed().as_secs_f64();
        pieces.sort_unstable();
        let at = |percent: usize| {
            let index = (pieces.len() * percent / 100).min(pieces.len().saturating_sub(1));
            pieces.get(index).map_or(f64::NAN, Duration::as_secs_f64)
        };
        self.sample(at(50), wall, format!("p99 {}", crate::figure::Unit::Seconds.show(at(99))))
    }

    /// The work is done; what is measured is the CPU time itself, in seconds.
    pub(crate) fn cpu(self) -> Sample {
        let wall = self.start.elapsed().as_secs_f64();
        let mut sample = self.sample(0.0, wall, String::new());
        sample.value = sample.cpu;
        sample
    }

    fn sample(&self, value: f64, wall: f64, note: String) -> Sample {
        Sample { value, wall, cpu: (family_cpu() - self.cpu).max(0.0), note }
    }
}

impl Sample {
    /// A figure that took no time worth reporting.
    pub(crate) fn figure(value: f64) -> Self {
        Self { value, wall: 0.0, cpu: 0.0, note: String::new() }
    }
}

/// Times one call.
pub(crate) fn timed<T>(call: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let value = call();
    (start.elapsed(), value)
}

/// CPU time in seconds that this process and all below it have used.
fn family_cpu() -> f64 {
    let myself = Member::read(std::process::id() as i32);
    let members = myself.into_iter().chain(family::descendants());
    members.map(|member| member.cpu_ticks).sum::<u64>() as f64 / TICKS
}
