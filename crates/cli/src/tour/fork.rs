//! `os.fork()`: both processes go on from here. The tutorial's `01_fork.py`.

use crate::say;
use procession::{Error, Fork, ForkError, fork};
use std::os::unix::process::parent_id;
use std::process::{exit, id};

pub(super) fn run() -> Result<(), Error> {
    say!("Process ({}) start...", parent_id());
    let forked = fork()?;
    match forked {
        Fork::Child => {
            say!("I am child process ({}) and my parent is {}", id(), parent_id());
            exit(0)
        }
        Fork::Parent(pid) => say!("I ({}) just created a child process ({pid})", id()),
    }
    // Beyond the tutorial: nobody else takes the child's status.
    forked.join().map_err(ForkError::Kernel)?;
    Ok(())
}
