//! Clients of the same host in the server's memory, beside others who are not.
//!
//! A client that is killed has to be a process, and the arena stays with a process for its life; so there is no harness here: each
//! scenario is this program again, with a server in a thread, and its clients are this program a third time.

mod client;
mod crashes;
#[path = "../server/raw.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod raw;
#[path = "../server/running.rs"]
#[expect(dead_code, reason = "other tests need the rest of it")]
mod running;
mod scenarios;
mod typed;

use std::process::Command;

/// Which scenario, or which client, this process is.
const ROLE: &str = "PROCESSION_ROLE";

fn again(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.env(ROLE, role);
    command
}

fn main() {
    if let Ok(role) = std::env::var(ROLE) {
        let all = scenarios::ALL.iter().chain(client::ROLES);
        let (_, run) = all.copied().find(|(name, _)| *name == role).expect("a role");
        return run();
    }
    // As the harness does: a word on the command line chooses among the names.
    let word = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    for (name, _) in scenarios::ALL.iter().filter(|(name, _)| name.contains(&word)) {
        let _guard = procession_testkit::guard();
        let status = again(name).status().expect("cannot start this program again");
        assert!(status.success(), "{name}: {status}");
        println!("test {name} ... ok");
    }
}
