//! The `procession` command: a tour of the library, a look at the families of this host, and a manager with its workers.
//!
//! | room | command |
//! |---|---|
//! | [`tour`] | `procession tour [chapter]`, and `procession` alone: the tutorial on real processes |
//! | [`ps`] | `procession ps`: which families live here, and what they share |
//! | [`doctor`] | `procession doctor`: what this host lacks, and what that costs |
//! | [`serve`] | `procession serve`: a manager for any machine |
//! | [`worker`] | `procession worker`: takes tasks from a manager and has a function run on them |
//! | [`key_file`], [`stop`] | the key of a manager, and Ctrl-C, for these two |
//! | [`mod@print`] | printing to a reader that may be gone |
#![forbid(unsafe_code)]

mod doctor;
mod key_file;
mod print;
mod ps;
mod serve;
mod stop;
mod tour;
mod worker;

use clap::{Parser, Subcommand};
use std::error::Error;
use std::process::ExitCode;

/// Parallel work in processes: Python's multiprocessing vocabulary on an engine written in Rust.
///
/// Without a command: the whole tour.
#[derive(Debug, Parser)]
#[command(name = "procession", version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the chapters of the tutorial, each on real processes.
    Tour {
        /// One chapter instead of all of them.
        chapter: Option<tour::Chapter>,
    },
    /// Show the families of this host: members, queues with depth, locks with holder, memory.
    ///
    /// Shows the families whose processes you may look into: your own, or all for root.
    Ps {
        /// Print one JSON document for a program to read.
        #[arg(long)]
        json: bool,
    },
    /// Host queues, locks, dicts and the others for any machine, until Ctrl-C.
    ///
    /// Any Python program can connect: it needs multiprocessing.managers and the key, and nothing of procession.
    Serve(serve::Arguments),
    /// Take tasks from a manager's queue, run a Python function or a Rust task on each, put the results into another queue.
    ///
    /// The manager may be `procession serve` or one that Python runs. What the function returns is put as it is; an exception
    /// that it raises is put as the exception; for a task whose process died a RuntimeError is put. When the manager goes
    /// the worker waits for it to come back. Ctrl-C ends it when what has begun is done; once more puts that back.
    Worker(worker::Arguments),
    /// Say what this host lacks and what that costs; exit with 1 if procession cannot work here.
    Doctor,
}

fn main() -> ExitCode {
    // The first line: a process of the tour, started as a copy of this program, never returns from it.
    procession::init();
    let command = Arguments::parse().command.unwrap_or(Command::Tour { chapter: None });
    run(command).unwrap_or_else(|error| {
        print::complain(&error);
        ExitCode::FAILURE
    })
}

fn run(command: Command) -> Result<ExitCode, Box<dyn Error>> {
    match command {
        Command::Tour { chapter } => tour::run(chapter)?,
        Command::Ps { json } => ps::run(json)?,
        Command::Serve(arguments) => serve::run(&arguments)?,
        Command::Worker(arguments) => return worker::run(&arguments),
        Command::Doctor => return Ok(doctor::run()),
    }
    Ok(ExitCode::SUCCESS)
}
