//! The bytes of one connection: messages in, replies out.

use super::connection::{Connection, State};
use super::engine::Engine;
use super::status;
use crate::hosted::{Owner, raise};
use procession_wire::frame::{Decoded, Decoder};
use std::io::{ErrorKind, Read};

/// How much memory is kept for messages that come in pieces.
const MEMORY: usize = 16 << 20;

/// How much may wait to be sent before the next request is looked at.
const OUTPUT: usize = 256 << 10;

impl Engine {
    /// A connection's turn: it sends what waits, reads once, and has carried out what it asks for.
    pub(super) fn serve(&mut self, owner: Owner) {
        let Some(mut connection) = self.slots.take(owner) else { return };
        connection.is_queued = false;
        let alive = self.advance(&mut connection);
        self.finish(connection, alive);
        self.settle();
    }

    /// Says whether the connection lives on.
    fn advance(&mut self, connection: &mut Connection) -> bool {
        if !self.flush(connection) {
            return false;
        }
        if connection.is_sending() || connection.is_parked() {
            return !connection.is_hung_up;
        }
        self.lend(connection);
        if !connection.input.is_empty() {
            let mut input = std::mem::take(&mut connection.input);
            let rest = self.carry_out(connection, &input).len();
            if rest > 0 {
                input.drain(..input.len() - rest);
                connection.input = input;
            }
        } else if connection.is_readable {
            let count = match connection.stream.read(&mut self.scratch) {
                Ok(count) if count > 0 => count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    connection.is_readable = false;
                    return self.flush(connection);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Ok(_) | Err(_) => return false,
            };
            status::add(&self.words.bytes_read, count as u64);
            // A socket that did not fill the buffer is empty, but TLS has buffers of its own. The end is read too.
            let is_empty = count < self.scratch.len() && !connection.stream.is_tls();
            connection.is_readable = !is_empty || connection.is_hung_up;
            // It has seen what it was handed, and counted its own references.
            connection.hand.clear();
            let scratch = std::mem::take(&mut self.scratch);
            let rest = self.carry_out(connection, &scratch[..count]);
            connection.input.extend_from_slice(rest);
            self.scratch = scratch;
        }
        self.charge(connection);
        self.flush(connection) && !(connection.is_hung_up && connection.is_parked())
    }

    /// Carries out the messages in `bytes`, as far as they are complete and the connection listens. Returns what it did not
    /// listen to.
    fn carry_out<'a>(&mut self, connection: &mut Connection, mut bytes: &'a [u8]) -> &'a [u8] {
        let limit = connection.decoder.limit();
        let mut decoder = std::mem::replace(&mut connection.decoder, Decoder::new(limit));
        while !bytes.is_empty() && connection.listens() && connection.output.left() < OUTPUT {
            let mut rest = bytes;
            match decoder.decode(&mut rest) {
                Decoded::Message(message) => self.message(connection, message),
                Decoded::TooLong(length) => self.refuse_length(connection, length),
                Decoded::Pending => {}
            }
            bytes = &bytes[bytes.len() - rest.len()..];
            decoder.set_limit(connection.decoder.limit());
        }
        if decoder.is_between() {
            self.keep_memory(decoder);
        } else {
            let fits = |length| decoder.kept() < length && length <= self.memory.capacity();
            if decoder.expects().is_some_and(fits) {
                decoder.move_to(std::mem::take(&mut self.memory));
            }
            connection.decoder = decoder;
        }
        match connection.state {
            State::Leaving => &[],
            _ => bytes,
        }
    }

    /// Keeps the memory of a message that came in pieces for the next one: fresh memory costs more than what is put there.
    fn keep_memory(&mut self, decoder: Decoder) {
        let memory = decoder.into_memory();
        if (self.memory.capacity()..=MEMORY).contains(&memory.capacity()) {
            self.memory = memory;
        }
    }

    fn message(&mut self, connection: &mut Connection, message: &[u8]) {
        match connection.state {
            State::Handshake(_) => self.shake_hands(connection, message),
            // As in stock, where reading an empty message looks like the end of the stream.
            _ if message.is_empty() => connection.state = State::Leaving,
            State::Known => self.control(connection, message),
            _ => self.request(connection, message),
        }
    }

    fn refuse_length(&mut self, connection: &mut Connection, length: u64) {
        if let State::Handshake(_) = connection.state {
            connection.state = State::Leaving;
            return;
        }
        let limit = connection.decoder.limit();
        let text = format!("a message of {length} bytes exceeds the server's limit of {limit}");
        self.raise(connection, raise::value_error(text));
    }

    /// Has the store count what is kept of what has come. If there is no room for a message, it is not kept; whole ones that
    /// have been read and not looked at are, and counted when there is.
    fn charge(&mut self, connection: &mut Connection) {
        let (kept, charged) = (connection.kept(), connection.charged);
        if kept == charged || matches!(connection.state, State::Handshake(_)) {
            return;
        }
        self.store.free(charged);
        connection.charged = kept;
        if let Err(full) = self.store.take(kept) {
            connection.charged = 0;
            if connection.input.is_empty() {
                connection.decoder.abandon();
                self.raise(connection, full);
            }
        }
    }
}
