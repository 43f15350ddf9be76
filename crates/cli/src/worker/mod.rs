//! `procession worker`: takes tasks from a manager's queue, has a Python function or a Rust task run on each, and puts the
//! results into another queue.
//!
//! | what happens | what is put into the queue of results |
//! |---|---|
//! | the function returns | what it returns |
//! | it raises | the exception itself; where that cannot be pickled, a `RuntimeError` with its text. The traceback is on stderr |
//! | a Rust task panics, or cannot read what was put | a `RuntimeError` with what it says |
//! | the worker's process dies in it | a `RuntimeError` that says how. It is not tried again; another process does the next one |
//! | the manager goes | the result, once it is back |
//! | Ctrl-C or SIGTERM | the results of what has begun; a second one puts those tasks back instead |
//!
//! | room | what it holds |
//! |---|---|
//! | [`lane`] | one worker: a thread that speaks with the manager |
//! | [`hands`] | what does its tasks: a process of Python or of a Rust program, one after the other |
//! | [`tally`] | what all lanes did: the line of progress, the summary, and that they are to end |

mod hands;
mod lane;
mod tally;

use crate::stop::{Heard, Stop};
use crate::{key_file, print, say};
use clap::Args;
use lane::Lane;
use procession::manager::{Address, Manager, ManagerBuilder, TlsClient};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use tally::Tally;

/// What the command line says.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The manager: host:port, a path with a slash in it, or @name.
    #[arg(long, value_name = "ADDRESS")]
    connect: Address,
    /// The file with the manager's key; a newline at its end does not count.
    #[arg(long, value_name = "FILE")]
    authkey_file: PathBuf,
    /// How many tasks run at once, each in a process of its own; as many as there are CPUs unless given.
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    workers: Option<u16>,
    /// The name under which the manager has the queue of tasks.
    #[arg(long, value_name = "NAME", default_value = "get_task_queue")]
    tasks: String,
    /// The name under which the manager has the queue of results.
    #[arg(long, value_name = "NAME", default_value = "get_result_queue")]
    results: String,
    /// Ends when there was no task for so many seconds.
    #[arg(long, value_name = "SECONDS")]
    idle: Option<f64>,
    /// Speaks TLS, and believes a manager whose certificate one of these (PEM) has signed.
    #[arg(long, value_name = "FILE")]
    tls_ca: Option<PathBuf>,
    /// The name in the manager's certificate; the host of its address unless given.
    #[arg(long, value_name = "NAME", requires = "tls_ca")]
    tls_name: Option<String>,
    /// The Python interpreter, which has the package `procession`; else what PROCESSION_PYTHON names, else python3.
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
    /// Instead of Python: a Rust program, of this version of procession, whose main begins with procession::init_with.
    #[arg(long, value_name = "PROGRAM", conflicts_with = "python")]
    program: Option<PathBuf>,
    /// The Python function that is called with each task, module:function; with --program, the name of one of its tasks.
    function: String,
}

/// How often the line of progress is looked at.
const TICK: Duration = Duration::from_secs(1);

/// Works until it is told to end, or there is nothing to do.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Box<dyn Error>> {
    let stop = Stop::listen()?;
    let key = key_file::read(&arguments.authkey_file)?;
    let way = way(arguments)?;
    let idle = arguments.idle.map(Duration::try_from_secs_f64).transpose()?;
    let count = arguments.workers.map_or_else(procession::cpu_count, usize::from);
    let tally = Tally::new(count);
    let lanes: Vec<_> = (1..=count)
        .map(|number| Lane { number, arguments, way: &way, key: &key, idle, tally: &tally })
        .collect();
    thread::scope(|scope| {
        for lane in &lanes {
            let stop = &stop;
            scope.spawn(move || {
                let ended = lane.run();
                lane.tally.left(ended.err());
                stop.tell_end();
            });
        }
        while tally.working() > 0 {
            match stop.wait(Some(TICK))? {
                Heard::Signal => tally.stop(),
                Heard::Ended => {}
                Heard::Nothing => tally.show_progress(),
            }
        }
        Ok::<_, std::io::Error>(())
    })?;
    tally.erase();
    say!("{}", tally.summary());
    match tally.failure() {
        Some(error) => {
            print::complain(&error);
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

fn way(arguments: &Arguments) -> Result<ManagerBuilder, Box<dyn Error>> {
    let way = Manager::builder();
    let Some(ca) = &arguments.tls_ca else { return Ok(way) };
    let name = match (&arguments.tls_name, &arguments.connect) {
        (Some(name), _) => name.as_str(),
        (None, Address::Tcp(host, _)) => host,
        (None, _) => return Err("--tls-ca needs --tls-name for a manager on a Unix socket".into()),
    };
    Ok(way.tls(TlsClient::from_pem(&key_file::text(ca)?, name)?))
}
