//! Other programs as children: the vocabulary of Python's `subprocess`.
//!
//! | wanted | here |
//! |---|---|
//! | run it, see how it ended | [`call`], or [`check_call`] to make a failure an error |
//! | run it, take its output | [`check_output`], or [`run`] for all that it left behind |
//! | with input, with a timeout | `run(Command::new("cat").input("x").timeout(t))`: a [`Run`] |
//! | talk to it while it runs | [`Command::spawn`], which gives a [`Popen`] |
//! | `a \| b \| c` | [`Pipeline`] |
//!
//! What goes wrong elsewhere: a parent that forks stands still for 36 ms a gigabyte; a reader thread
//! waits for ever on a pipe that a grandchild has kept; a killed child stays as a zombie. Here a
//! start is a `posix_spawn`, both directions of all pipes are polled by the caller's own thread, and
//! whoever is dropped early is reaped at the next start. No thread, no `SIGCHLD` handler.
//!
//! The rule for pipes: **they are read until their end, or until the child has ended and what it
//! left in them has been read; whichever comes first.** What a grandchild writes after that is lost
//! to us, and a grandchild that keeps a pipe open keeps nobody waiting. Who wants to hear
//! grandchildren takes the pipe ([`Popen::take_stdout`]) and reads it to its end.
//!
//! After fork, only the process that started a child can wait for it; another gets
//! [`Error::StatusLost`].
//!
//! Deliberately not here: a pseudo-terminal, and text (output is bytes; `String::from_utf8` knows
//! what to do with those that are none).

mod command;
mod command_line;
mod communicate;
mod error;
mod orphans;
mod pipeline;
mod popen;
mod redirect;
mod run;

pub use command::Command;
pub use error::{CalledProcessError, Error, TimeoutExpired};
pub use pipeline::{CompletedPipeline, Pipeline};
pub use popen::Popen;
pub use procession_sys::process_status::ExitStatus;
pub use procession_sys::signal_name::Signal;
pub use procession_sys::spawn::{Group, SpawnError};
pub use redirect::Redirect;
pub use run::{CompletedProcess, Run, call, check_call, check_output, run};
