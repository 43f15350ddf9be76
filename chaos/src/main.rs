//! Kills members of a family with SIGKILL at random times, replaces them, and counts what is left.
//!
//! ```text
//! cargo xtask chaos [--kills N] [--seed N]
//! ```
//!
//! | room | holds |
//! |---|---|
//! | `phases` | whom to kill, and when |
//! | `crew` | members started, killed, settled; the books at the end |
//! | `member` | what members do |
//! | `board` | what survives them |
//! | `note` | messages that show whether they are whole |
//! | `remains` | what the arena keeps that was not there before |
//! | `report` | what was done and what held |
#![forbid(unsafe_code)]

mod board;
mod crew;
mod member;
mod note;
mod phases;
mod random;
mod remains;
mod report;

use phases::Whom;
use procession_ipc::byte_queue::Bounds;
use procession_shm::family;
use procession_testkit::LeakCheck;
use procession_testkit::fact::holds_within;
use remains::Inventory;
use report::Report;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// So many kills, and then a new queue.
const ROUND: u64 = 150;

fn main() -> ExitCode {
    procession::init();
    let kills = argument("--kills").unwrap_or(300);
    let seed = argument("--seed").unwrap_or_else(|| {
        std::time::UNIX_EPOCH.elapsed().map_or(1, |since| since.as_micros() as u64 % 1_000_000_007)
    });
    println!("seed                 {seed}");
    let limit = Duration::from_secs(120 + kills / 2);
    let _watchdog = procession_testkit::watchdog(limit);
    let mut report = Report::default();
    phases::storm(1, Bounds::default(), seed, Whom::ButZygotes, &mut report);
    let leaks = LeakCheck::take();
    let used = || family().map_or(0, |family| family.arena().usage().0);
    let (before, seats) = (used(), seats());
    let inventory = family().map(Inventory::take);
    let start = Instant::now();
    let mut round = 0;
    while report.kills() < kills && report.held() {
        let seed = seed.wrapping_add(round * 1_000_003);
        let bounds = match round % 4 {
            2 => Bounds { items: 500, bytes: 0 },
            3 => Bounds { items: 0, bytes: 1 << 20 },
            _ => Bounds::default(),
        };
        let left = (kills - report.kills()).min(ROUND);
        phases::storm(left / 2, bounds, seed, Whom::ButZygotes, &mut report);
        phases::calm(left.div_ceil(3), bounds, seed, &mut report);
        phases::storm_without_zygotes(left / 6, seed, &mut report);
        round += 1;
    }
    let took = start.elapsed();
    let is_back = || {
        let _ = family().map(|family| family.look_for_deaths());
        used() <= before && crate::seats() <= seats
    };
    if !holds_within(Duration::from_secs(20), is_back) {
        report.violation("the arena does not get its memory or its seats back");
        if let (Ok(inventory), Ok(family)) = (&inventory, family()) {
            inventory.added(family).iter().for_each(|line| println!("left in the arena    {line}"));
        }
    }
    let left = leaks.left_after(Duration::from_secs(10));
    left.iter().for_each(|left| report.violation(&format!("left behind: {left}")));
    report.print();
    println!(
        "arena in use         {before} bytes before, {} after; seats {seats} and {}",
        used(),
        crate::seats()
    );
    println!(
        "left behind          {} processes, zombies, descriptors, mappings and names",
        left.len()
    );
    println!("took                 {took:.1?}, {round} rounds");
    if report.held() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn seats() -> usize {
    family().map_or(0, |family| family.members().len())
}

fn argument(name: &str) -> Option<u64> {
    let mut args = std::env::args().skip_while(|arg| arg != name);
    args.nth(1)?.parse().ok()
}
