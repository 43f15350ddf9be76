//! Ctrl-C and SIGTERM, for commands that run until they are told to end.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Hears Ctrl-C and SIGTERM from when it is made until the program ends.
#[derive(Debug)]
pub(crate) struct Stop {
    heard: UnixStream,
    bell: UnixStream,
}

/// What ended a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Ctrl-C or SIGTERM.
    Signal,
    /// A part of the program that has ended.
    Ended,
    /// The time was up.
    Nothing,
}

/// What a part of the program writes when it ends; the handlers of signals write something else.
const ENDED: u8 = b'e';

impl Stop {
    pub(crate) fn listen() -> io::Result<Self> {
        let (heard, bell) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM] {
            pipe::register(signal, bell.try_clone()?)?;
        }
        Ok(Self { heard, bell })
    }

    /// Waits for a signal or the end of a part, at most so long.
    pub(crate) fn wait(&self, timeout: Option<Duration>) -> io::Result<Heard> {
        self.heard.set_read_timeout(timeout)?;
        let mut byte = [0];
        loop {
            match (&self.heard).read(&mut byte) {
                Ok(_) if byte[0] == ENDED => return Ok(Heard::Ended),
                Ok(_) => return Ok(Heard::Signal),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Heard::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// A part of the program has ended; who waits is told.
    pub(crate) fn tell_end(&self) {
        // It cannot fail: both ends are open, and nobody tells so much.
        let _ = (&self.bell).write(&[ENDED]);
    }
}
