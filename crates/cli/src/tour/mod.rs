//! The tutorial, chapter by chapter, on real processes.
//!
//! Each file is the mirror of one of the tutorial's programs, with the same names, and prints what that
//! one prints.
//!
//! | room | chapter |
//! |---|---|
//! | [`fork`] | one process becomes two |
//! | [`process`] | a function runs in a process of its own |
//! | [`pool`] | many tasks, few processes |
//! | [`call`] | another program, and its exit code |
//! | [`communicate`] | another program, its input and output |
//! | [`queue`] | processes tell each other |
//! | [`shared`] | processes see the same memory |
//! | [`lock`] | and take turns with it |
//! | [`distributed`] | one process serves, and others work for it, on any machine |
//! | [`work`] | what the tutorial has `time.sleep` for |
//! | [`nslookup`] | the program of two chapters, or another one |

mod call;
mod communicate;
mod distributed;
mod fork;
mod lock;
mod nslookup;
mod pool;
mod process;
mod queue;
mod shared;
mod work;

use crate::say;
use clap::ValueEnum;
use procession::Error;

/// A chapter of the tutorial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Chapter {
    /// One process becomes two.
    Fork,
    /// A function runs in a process of its own.
    Process,
    /// Many tasks, few processes.
    Pool,
    /// Another program, and its exit code.
    #[value(alias = "call")]
    Subprocess,
    /// Another program, its input and its output.
    Communicate,
    /// Processes tell each other.
    Queue,
    /// Value and Array: processes see the same memory.
    #[value(alias = "shared")]
    SharedMemory,
    /// Processes take turns.
    Lock,
    /// One process serves, others work for it.
    #[value(alias = "manager")]
    Distributed,
}

/// Runs one chapter, or all.
pub(crate) fn run(chapter: Option<Chapter>) -> Result<(), Error> {
    if let Some(chapter) = chapter {
        return chapter.run();
    }
    for (index, chapter) in Chapter::value_variants().iter().enumerate() {
        if index > 0 {
            say!("");
        }
        chapter.run()?;
    }
    Ok(())
}

impl Chapter {
    fn run(self) -> Result<(), Error> {
        say!("### {}", self.title());
        match self {
            Self::Fork => fork::run(),
            Self::Process => process::run(),
            Self::Pool => pool::run(),
            Self::Subprocess => call::run(),
            Self::Communicate => communicate::run(),
            Self::Queue => queue::run(),
            Self::SharedMemory => shared::run(),
            Self::Lock => lock::run(),
            Self::Distributed => distributed::run(),
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Fork => "Fork: one process becomes two",
            Self::Process => "Process: a function runs in a process of its own",
            Self::Pool => "Pool: many tasks, few processes",
            Self::Subprocess => "Subprocess: another program, and its exit code",
            Self::Communicate => "Communicate: another program, its input and its output",
            Self::Queue => "Queue: processes tell each other",
            Self::SharedMemory => "Shared memory: Value and Array",
            Self::Lock => "Lock: processes take turns",
            Self::Distributed => "Distributed: one process serves, others work for it",
        }
    }
}
