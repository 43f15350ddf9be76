//! procession and its peers, measured side by side in one run.
//!
//! `cargo xtask bench` runs every row several times, our side and the peers in turn, and writes the
//! medians with their spread to `docs/benchmarks.md`. `--short` only shows that everything runs.
//!
//! | room | what it holds |
//! |---|---|
//! | [`row`] | what a row is: our side, its peers, what is to be reached |
//! | [`sample`] | one measurement: wall time and the CPU time of the whole family |
//! | [`harness`] | running the rows, sides in turn |
//! | [`table`], [`figure`], [`machine`] | the page: Markdown, units, facts about the machine |
//! | [`child`] | this program again, as the other process of a peer |
//! | [`ipc_channel_peer`], [`pipe_peer`] | the two peers that connect two processes |
//! | [`stock_manager`] | the peer that is CPython's |
//! | [`our_queue`] | our side of the rows about queues |
//! | [`queue`], [`latency`], [`spawn`], [`pool`], [`lock`], [`memory`], [`manager`] | the rows, and our side of the others |
#![forbid(unsafe_code)]

mod child;
mod figure;
mod harness;
mod ipc_channel_peer;
mod latency;
mod lock;
mod machine;
mod manager;
mod memory;
mod our_queue;
mod pipe_peer;
mod pool;
mod queue;
mod row;
mod sample;
mod spawn;
mod stock_manager;
mod table;

use row::{Effort, Row};
use std::path::Path;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask bench [--short] [--only TEXT]

  --short      each side once with small counts; nothing is written
  --only TEXT  only the rows with TEXT in their name; nothing is written
";

/// How the section begins that another program keeps.
const PYTHON: &str = "<!-- written by `cargo xtask bench python` from here -->";

fn main() -> ExitCode {
    // Each of the two takes over in its own children, which it knows by a variable of the
    // environment that the other's children do not have, and does not return there.
    procession::init();
    procspawn::init();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let (effort, only) = match args.as_slice() {
        [child::FLAG, role, rest @ ..] => return child::play(role, rest),
        [] => (Effort::Full, ""),
        ["--short"] => (Effort::Short, ""),
        ["--only", text] => (Effort::Full, *text),
        ["--short", "--only", text] => (Effort::Short, *text),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    run(effort, only)
}

fn run(effort: Effort, only: &str) -> ExitCode {
    // Before anything runs, because the benchmarks are load themselves.
    let machine = machine::facts(effort.repetitions());
    let results = harness::run(rows().into_iter().filter(|row| row.work.contains(only)), effort);
    let page = table::page(&results, effort, &machine);
    println!("\n{page}");
    if effort == Effort::Full && only.is_empty() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/benchmarks.md");
        let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
        let page = page + &python_section(&path);
        if let Err(error) = made.and_then(|()| std::fs::write(&path, page)) {
            eprintln!("cannot write {}: {error}", path.display());
            return ExitCode::FAILURE;
        }
    }
    match harness::failures(&results).as_slice() {
        [] => ExitCode::SUCCESS,
        failures => {
            eprintln!("did not run:\n  {}", failures.join("\n  "));
            ExitCode::FAILURE
        }
    }
}

/// The end of the page that is there, which `cargo xtask bench python` writes.
fn python_section(page: &Path) -> String {
    let text = std::fs::read_to_string(page).unwrap_or_default();
    text.find(PYTHON).map_or_else(String::new, |at| format!("\n{}", &text[at..]))
}

fn rows() -> Vec<Row> {
    [
        queue::rows(),
        latency::rows(),
        spawn::rows(),
        pool::rows(),
        lock::rows(),
        memory::rows(),
        manager::rows(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
