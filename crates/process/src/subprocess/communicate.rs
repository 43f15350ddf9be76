//! Writing all input and reading all output of children at once, in one thread.
//!
//! A pipe holds 64 KiB: a parent that writes first and reads later, and a child that does the same,
//! wait for each other for ever. Here nobody waits on one pipe. All of them are polled together with
//! the pidfds, and no end of ours ever blocks.
//!
//! | what is ready | what is done |
//! |---|---|
//! | stdin | write what fits; close it when all is written, or when nobody reads any more |
//! | stdout, stderr | read what is there; close it at its end |
//! | the pidfd: the child has ended | read what the pipes hold at this moment, close all three |
//!
//! The last line is what frees us from grandchildren that keep a pipe open. What the child wrote is
//! in the pipe before it ends, so none of it is lost; the amount is counted once, so a grandchild
//! that writes without end keeps nobody either.

use procession_sys::Deadline;
use procession_sys::pidfd::Pidfd;
use procession_sys::pipe_end;
use procession_sys::ready::{self, Watch};
use std::io::{self, ErrorKind, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;

/// How much is read from one pipe before the others have their turn.
const TURN: u64 = 1 << 18;

/// Our ends of a child's pipes, and what is on its way.
#[derive(Debug, Default)]
pub(super) struct Pipes {
    stdin: Option<PipeWriter>,
    input: Vec<u8>,
    sent: usize,
    pub(super) stdout: Stream,
    pub(super) stderr: Stream,
}

/// Our end of a pipe that a child writes to, and what came through it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pipe: Option<PipeReader>,
    pub(super) read: Vec<u8>,
}

/// A child that takes part.
pub(super) struct Party<'a> {
    pub(super) pidfd: &'a Pidfd,
    pub(super) pipes: &'a mut Pipes,
}

impl Party<'_> {
    /// What there is to wait for; nothing once its pipes are closed.
    fn watches(&self) -> impl Iterator<Item = (End, Watch<'_>)> {
        let pipes = &self.pipes;
        let stdin = pipes.stdin.as_ref().map(|end| (End::Stdin, Watch::writable(end.as_fd())));
        let stdout = pipes.stdout.watch().map(|watch| (End::Stdout, watch));
        let stderr = pipes.stderr.watch().map(|watch| (End::Stderr, watch));
        let child = (End::Child, Watch::readable(self.pidfd.as_fd()));
        let child = pipes.is_open().then_some(child);
        [stdin, stdout, stderr, child].into_iter().flatten()
    }
}

#[derive(Clone, Copy)]
enum End {
    Stdin,
    Stdout,
    Stderr,
    Child,
}

impl Pipes {
    pub(super) fn new(
        stdin: Option<PipeWriter>,
        stdout: Option<PipeReader>,
        stderr: Option<PipeReader>,
    ) -> Self {
        let stream = |pipe| Stream { pipe, read: Vec::new() };
        let (stdout, stderr) = (stream(stdout), stream(stderr));
        Self { stdin, stdout, stderr, ..Self::default() }
    }

    /// Adds input behind what is not sent yet; `false` if there is no pipe for it.
    pub(super) fn give(&mut self, input: Vec<u8>) -> bool {
        if self.stdin.is_none() {
            return input.is_empty();
        }
        match self.sent == self.input.len() {
            true => (self.input, self.sent) = (input, 0),
            false => self.input.extend(input),
        }
        true
    }

    fn is_open(&self) -> bool {
        self.stdin.is_some() || self.stdout.pipe.is_some() || self.stderr.pipe.is_some()
    }

    fn set_nonblocking(&self) -> io::Result<()> {
        self.stdin.iter().try_for_each(|end| pipe_end::set_nonblocking(end, true))?;
        let mut outputs = [&self.stdout.pipe, &self.stderr.pipe].into_iter().flatten();
        outputs.try_for_each(|end| pipe_end::set_nonblocking(end, true))
    }

    fn write_some(&mut self) -> io::Result<()> {
        let Some(mut stdin) = self.stdin.as_ref() else {
            return Ok(());
        };
        while self.sent < self.input.len() {
            match stdin.write(&self.input[self.sent..]) {
                Ok(written) => self.sent += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Nobody reads it any more: the child is free to ignore its input.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => break,
                Err(error) => return Err(error),
            }
        }
        self.close_stdin();
        Ok(())
    }

    pub(super) fn close_stdin(&mut self) {
        (self.stdin, self.input, self.sent) = (None, Vec::new(), 0);
    }

    /// Gives the pipe away, as it was made: its writes wait.
    pub(super) fn take_stdin(&mut self) -> Option<PipeWriter> {
        self.stdin.take().inspect(|pipe| drop(pipe_end::set_nonblocking(pipe, false)))
    }

    /// The child has ended: takes what it left.
    fn finish(&mut self) -> io::Result<()> {
        self.close_stdin();
        self.stdout.finish()?;
        self.stderr.finish()
    }
}

impl Stream {
    fn read_some(&mut self, at_most: u64) -> io::Result<()> {
        let Some(pipe) = self.pipe.as_ref() else {
            return Ok(());
        };
        match pipe.take(at_most).read_to_end(&mut self.read) {
            Ok(read) if (read as u64) < at_most => self.pipe = None,
            Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(pipe) = &self.pipe {
            let left = pipe_end::bytes_waiting(pipe)?;
            self.read_some(left)?;
        }
        self.pipe = None;
        Ok(())
    }

    fn watch(&self) -> Option<Watch<'_>> {
        self.pipe.as_ref().map(|pipe| Watch::readable(pipe.as_fd()))
    }

    /// Gives the pipe away, as it was made: its reads wait.
    pub(super) fn take(&mut self) -> Option<PipeReader> {
        self.pipe.take().inspect(|pipe| drop(pipe_end::set_nonblocking(pipe, false)))
    }
}

/// Moves everything there is to move until all pipes are closed; `false` if the deadline came first.
pub(super) fn exchange(parties: &mut [Party<'_>], deadline: Deadline) -> io::Result<bool> {
    parties.iter().try_for_each(|party| party.pipes.set_nonblocking())?;
    while parties.iter().any(|party| party.pipes.is_open()) {
        for (index, end) in wait(parties, deadline)? {
            let pipes = &mut parties[index].pipes;
            match end {
                End::Stdin => pipes.write_some()?,
                End::Stdout => pipes.stdout.read_some(TURN)?,
                End::Stderr => pipes.stderr.read_some(TURN)?,
                End::Child => pipes.finish()?,
            }
        }
        // Not only when nothing is ready: a child that writes without end is always ready.
        if deadline.expired() {
            return Ok(parties.iter().all(|party| !party.pipes.is_open()));
        }
    }
    Ok(true)
}

/// Which ends are ready, each child's pidfd after its pipes.
fn wait(parties: &[Party<'_>], deadline: Deadline) -> io::Result<Vec<(usize, End)>> {
    let (mut ends, mut watches) = (Vec::new(), Vec::new());
    for (index, party) in parties.iter().enumerate() {
        for (end, watch) in party.watches() {
            ends.push((index, end));
            watches.push(watch);
        }
    }
    ready::wait(&mut watches, deadline)?;
    let ready = ends.into_iter().zip(&watches).filter(|(_, watch)| watch.ready());
    Ok(ready.map(|(end, _)| end).collect())
}
