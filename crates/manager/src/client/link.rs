//! One connection to a manager: the key has been shown, requests go out and answers come in.
//!
//! The socket never waits; this does, for whichever of reading and writing goes on first. A manager that cannot get rid of its
//! answers reads no requests, so both go on at once.

use super::error::ManagerError;
use super::settings::Settings;
use crate::transport::Stream;
use procession_sys::Deadline;
use procession_sys::ready::{self, Watch};
use procession_wire::auth::{Handshake, NONCE, Policy, Step};
use procession_wire::frame::{self, Decoded, Decoder};
use rustix::rand::{GetRandomFlags, getrandom};
use std::fmt::Display;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;

/// How much is read at once.
const CHUNK: usize = 64 << 10;
/// How many answers that nobody waits for may be on their way.
const OWED: usize = 256;

/// A connection on which the handshake is over.
#[derive(Debug)]
pub(super) struct Link {
    stream: Stream,
    peer: String,
    decoder: Decoder,
    /// What was read, and not looked at from `start` up to `end`.
    inbox: Box<[u8]>,
    start: usize,
    end: usize,
    /// How many answers will come that nobody waits for.
    owed: usize,
}

impl Link {
    /// The socket, for what is no request.
    pub(super) fn socket(&self) -> &Stream {
        &self.stream
    }

    /// Connects and shows the key.
    pub(super) fn open(settings: &Settings) -> Result<Self, ManagerError> {
        let peer = || settings.peer.clone();
        let connect = |source| ManagerError::Connect { peer: peer(), source };
        let timeout = settings.connect_timeout;
        let deadline = Deadline::after(timeout);
        let stream = Stream::connect(&settings.address, settings.tls.as_ref(), Some(timeout))
            .map_err(connect)?;
        stream.set_nonblocking(true).map_err(connect)?;
        let mut link = Self {
            stream,
            peer: peer(),
            decoder: Decoder::new(u64::MAX),
            inbox: vec![0; CHUNK].into(),
            start: 0,
            end: 0,
            owed: 0,
        };
        match link.shake_hands(&settings.key, deadline) {
            Err(ManagerError::Lost { peer, reason }) => {
                let kind = if deadline.expired() { ErrorKind::TimedOut } else { ErrorKind::Other };
                Err(ManagerError::Connect { peer, source: io::Error::new(kind, reason) })
            }
            done => done.map(|()| link),
        }
    }

    fn shake_hands(&mut self, key: &[u8], deadline: Deadline) -> Result<(), ManagerError> {
        let mut nonce = [0; NONCE];
        let filled = getrandom(&mut nonce, GetRandomFlags::empty());
        if filled != Ok(NONCE) {
            return Err(self.lost("the kernel has no random bytes"));
        }
        let mut handshake = Handshake::client(nonce, Policy::Any);
        let mut out = Vec::new();
        loop {
            let step = self.next(deadline, |message| handshake.receive(key, message))?;
            let refused = |reason: &dyn Display| ManagerError::Refused {
                peer: self.peer.clone(),
                reason: reason.to_string(),
            };
            let (words, last) = match step {
                Ok(Step::Say(words)) => (words, None),
                Ok(Step::LastSay(words)) => (words, Some(Ok(()))),
                Ok(Step::Done) => return Ok(()),
                Err(error) => match error.last_words() {
                    Some(words) => (words.to_vec(), Some(Err(refused(&error)))),
                    None => return Err(refused(&error)),
                },
            };
            out.clear();
            frame::append(&mut out, |to| to.extend_from_slice(&words));
            self.send(&out, deadline)?;
            if let Some(done) = last {
                return done;
            }
        }
    }

    /// Whether the other side has closed it, as far as is known without waiting.
    pub(super) fn is_at_end(&self) -> bool {
        self.stream.is_at_end()
    }

    /// Sends one request, waits for its answer, and has it read.
    pub(super) fn ask<R>(
        &mut self,
        request: &[u8],
        deadline: Deadline,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, ManagerError> {
        self.send(request, deadline)?;
        self.next(deadline, read)
    }

    /// Sends a request of which nobody needs the answer.
    pub(super) fn tell(&mut self, request: &[u8], deadline: Deadline) -> Result<(), ManagerError> {
        if self.owed >= OWED {
            while self.owed > 0 {
                self.next_of_all(deadline, |_| ())?;
                self.owed -= 1;
            }
        }
        self.send(request, deadline)?;
        self.owed += 1;
        Ok(())
    }

    /// Sends requests, one behind the other, and has each answer read as it comes.
    pub(super) fn exchange(
        &mut self,
        mut requests: &[u8],
        count: usize,
        deadline: Deadline,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), ManagerError> {
        let mut left = count;
        loop {
            requests = &requests[self.write(requests)?..];
            while left > 0 && self.whole(&mut each)? {
                left -= 1;
            }
            if left == 0 {
                return Ok(());
            }
            if !self.read()? {
                self.wait(!requests.is_empty(), deadline)?;
            }
        }
    }

    /// Waits for the next answer that somebody waits for.
    fn next<R>(
        &mut self,
        deadline: Deadline,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, ManagerError> {
        while self.owed > 0 {
            self.next_of_all(deadline, |_| ())?;
            self.owed -= 1;
        }
        self.next_of_all(deadline, read)
    }

    fn next_of_all<R>(
        &mut self,
        deadline: Deadline,
        read: impl FnOnce(&[u8]) -> R,
    ) -> Result<R, ManagerError> {
        let mut read = Some(read);
        let mut result = None;
        // What was asked for a moment ago is not there yet: it is waited for, and not looked for in vain before. TLS may have it
        // in buffers of its own.
        let mut looks = self.stream.is_tls();
        loop {
            self.whole(&mut |message| result = read.take().map(|read| read(message)))?;
            if let Some(result) = result {
                return Ok(result);
            }
            if !looks || !self.read()? {
                self.wait(false, deadline)?;
            }
            looks = true;
        }
    }

    /// Has the next message read, if all of it is there; whether it is.
    fn whole(&mut self, read: &mut dyn FnMut(&[u8])) -> Result<bool, ManagerError> {
        let mut input = &self.inbox[self.start..self.end];
        let decoded = self.decoder.decode(&mut input);
        self.start = self.end - input.len();
        match decoded {
            Decoded::Message(message) => read(message),
            Decoded::Pending => return Ok(false),
            Decoded::TooLong(length) => {
                let reason = format!("it begins a message of {length} bytes");
                return Err(ManagerError::Protocol { peer: self.peer.clone(), reason });
            }
        }
        Ok(true)
    }

    /// Reads once, when nothing is left; whether something came.
    fn read(&mut self) -> Result<bool, ManagerError> {
        self.start = 0;
        self.end = 0;
        match self.stream.read(&mut self.inbox) {
            Ok(0) => Err(self.lost("the other side has closed it")),
            Ok(count) => {
                self.end = count;
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(self.lost(error)),
        }
    }

    fn send(&mut self, mut bytes: &[u8], deadline: Deadline) -> Result<(), ManagerError> {
        loop {
            bytes = &bytes[self.write(bytes)?..];
            if bytes.is_empty() && !self.stream.wants_write() {
                return Ok(());
            }
            self.wait(true, deadline)?;
        }
    }

    /// Writes what the socket takes now; how much that was.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, ManagerError> {
        let mut written = 0;
        while written < bytes.len() || self.stream.wants_write() {
            let done = match bytes.get(written..) {
                Some([]) | None => self.stream.flush().map(|()| 0),
                Some(rest) => self.stream.write(rest),
            };
            match done {
                Ok(count) => written += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(self.lost(error)),
            }
        }
        Ok(written)
    }

    /// Waits until the socket has something to read, or takes something.
    fn wait(&self, writes: bool, deadline: Deadline) -> Result<(), ManagerError> {
        let socket = self.stream.as_fd();
        let mut watches = vec![Watch::readable(socket)];
        if writes || self.stream.wants_write() {
            watches.push(Watch::writable(socket));
        }
        match ready::wait(&mut watches, deadline) {
            Ok(0) => Err(self.lost("it did not answer in time")),
            Ok(_) => Ok(()),
            Err(error) => Err(self.lost(error)),
        }
    }

    fn lost(&self, reason: impl Display) -> ManagerError {
        ManagerError::Lost { peer: self.peer.clone(), reason: reason.to_string() }
    }
}
