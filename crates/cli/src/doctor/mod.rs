//! What this host lacks, and what that costs.
//!
//! | room | asks |
//! |---|---|
//! | [`kernel`] | whether the kernel has what all is built on: each thing is tried |
//! | [`surroundings`] | `/proc`, namespaces, processors |
//! | [`limits`] | descriptors, processes, addresses, memory |
//! | [`family`] | whether a small family works: memory, processes, the end of orphans |

mod family;
mod kernel;
mod limits;
mod surroundings;

use crate::say;
use std::process::ExitCode;

/// What was found about one thing.
struct Finding {
    what: &'static str,
    verdict: Verdict,
    says: String,
}

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Well,
    Degraded,
    Broken,
}

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Degraded => "degraded",
            Self::Broken => "broken",
        }
    }
}

impl Finding {
    fn well(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Well, says: says.into() }
    }

    fn degraded(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Degraded, says: says.into() }
    }

    fn broken(what: &'static str, says: impl Into<String>) -> Self {
        Self { what, verdict: Verdict::Broken, says: says.into() }
    }
}

/// Examines the host; success unless procession cannot work here.
pub(crate) fn run() -> ExitCode {
    let rooms = [kernel::findings, surroundings::findings, limits::findings, family::findings];
    let mut worst = Verdict::Well;
    for finding in rooms.iter().flat_map(|findings| findings()) {
        say!("{:<9} {:<18} {}", finding.verdict.word(), finding.what, finding.says);
        worst = worst.max(finding.verdict);
    }
    say!("");
    say!(
        "{}",
        match worst {
            Verdict::Well => "procession works here",
            Verdict::Degraded => "procession works here, with what is degraded above",
            Verdict::Broken => "procession cannot work here",
        }
    );
    if worst == Verdict::Broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
