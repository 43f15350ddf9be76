//! `Process(target=run_proc, args=('test',))`. The tutorial's `02_process.py`.

use crate::say;
use procession::{Error, Process};
use std::process::id;

fn run_proc(name: String) {
    say!("Run child process {name} ({})...", id());
}

pub(super) fn run() -> Result<(), Error> {
    say!("Parent process {}", id());
    say!("Child process will start.");
    let p = Process::spawn(run_proc, "test".to_owned())?;
    p.join()?;
    say!("Child process end");
    Ok(())
}
