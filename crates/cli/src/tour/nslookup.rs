//! `nslookup`, the program that two chapters run, where it exists; else another that does.

use crate::say;
use procession::subprocess::{Command, Error, SpawnError};
use std::time::Duration;

/// How long the program may take: without a network `nslookup` tries for a long time.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Calls `run` with `wanted`, or with `instead` if the program does not exist, and shows the command as
/// a shell would have it.
pub(super) fn with_either<R>(
    wanted: &[&str],
    instead: &[&str],
    run: impl Fn(Command) -> Result<R, Error>,
) -> Result<R, Error> {
    say!("$ {}", wanted.join(" "));
    match run(wanted.iter().collect()) {
        Err(Error::Spawn(SpawnError::MissingProgram { .. })) => {
            say!("({} is not installed here; the same with {})", wanted[0], instead[0]);
            say!("$ {}", instead.join(" "));
            run(instead.iter().collect())
        }
        result => result,
    }
}
