//! This program again, as the other process of a peer.
//!
//! A child ends with its parent, however that ends: the kernel kills it when the parent's thread is
//! gone, it looks whether it came too late for that, and dropping its handle kills and reaps it.

use crate::{ipc_channel_peer, manager, pipe_peer};
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use std::error::Error;
use std::io;
use std::process::{self, Command, ExitCode, Stdio};

/// The first argument of a child.
pub(crate) const FLAG: &str = "--child";

/// What a child does; it gets the arguments that [`Child::start`] was given.
type Role = fn(&[&str]) -> Result<(), Box<dyn Error>>;

/// The parts that a child can play.
const ROLES: &[(&str, Role)] = &[
    (pipe_peer::READER, pipe_peer::read_frames),
    (pipe_peer::ECHO, pipe_peer::echo),
    (ipc_channel_peer::NUMBERS, ipc_channel_peer::receive_numbers),
    (ipc_channel_peer::BYTES, ipc_channel_peer::receive_bytes),
    (ipc_channel_peer::SHARED, ipc_channel_peer::receive_shared),
    (ipc_channel_peer::ECHO, ipc_channel_peer::echo),
    (manager::SERVER, manager::serve),
];

/// A running child with pipes to its standard input and output.
pub(crate) struct Child(process::Child);

impl Child {
    /// Starts this program in the given role.
    pub(crate) fn start(role: &str, args: &[&str]) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([FLAG, role, &process::id().to_string()]).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map(Self)
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// The writing end of its standard input, once.
    pub(crate) fn input(&mut self) -> io::Result<process::ChildStdin> {
        self.0.stdin.take().ok_or_else(|| io::Error::other("the input of this child is taken"))
    }

    /// The reading end of its standard output, once.
    pub(crate) fn output(&mut self) -> io::Result<process::ChildStdout> {
        self.0.stdout.take().ok_or_else(|| io::Error::other("the output of this child is taken"))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; both calls are then harmless.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a child runs instead of `main`; the first argument is the pid of its parent.
pub(crate) fn play(role: &str, args: &[&str]) -> ExitCode {
    let found = ROLES.iter().find(|(name, _)| *name == role);
    let played = match (found, args.split_first()) {
        (Some((_, play)), Some((parent, rest))) => end_with(parent).and_then(|()| play(rest)),
        _ => Err(format!("no such role, or no parent: {role}").into()),
    };
    match played {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("child {role}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn end_with(parent: &str) -> Result<(), Box<dyn Error>> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have died before the line above.
    match getppid().map(|pid| pid.as_raw_nonzero().to_string()) {
        Some(pid) if pid == parent => Ok(()),
        _ => Err("the parent is gone".into()),
    }
}
