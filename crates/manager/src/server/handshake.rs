//! Who does not know the key is told so, and nothing else.

use super::connection::{Connection, State};
use super::engine::Engine;
use super::status;
use crate::hosted::Owner;
use crate::transport::Stream;
use procession_wire::auth::{Handshake, NONCE, Policy, Step};
use procession_wire::frame;
use rustix::rand::{GetRandomFlags, getrandom};

/// Random bytes for one challenge; none, and the connection is refused, if the kernel has none.
fn nonce() -> Option<[u8; NONCE]> {
    let mut nonce = [0; NONCE];
    let got = getrandom(&mut nonce, GetRandomFlags::empty()).ok()?;
    (got == NONCE).then_some(nonce)
}

fn say(connection: &mut Connection, words: &[u8]) {
    frame::append(connection.output.bytes(), |to| to.extend_from_slice(words));
}

impl Engine {
    /// Takes up a connection, which begins with our challenge.
    pub(super) fn challenge(&mut self, owner: Owner, stream: Stream) -> Option<Box<Connection>> {
        let (handshake, challenge) = Handshake::server(nonce()?, Policy::Any);
        let mut connection = Box::new(Connection::new(owner, stream, handshake));
        self.lend(&mut connection);
        say(&mut connection, &challenge);
        Some(connection)
    }

    /// The next step of the handshake.
    pub(super) fn shake_hands(&mut self, connection: &mut Connection, message: &[u8]) {
        let State::Handshake(handshake) = &mut connection.state else { return };
        match handshake.receive(&self.key, message) {
            Ok(Step::Say(words)) => say(connection, &words),
            Ok(Step::LastSay(words)) => {
                say(connection, &words);
                connection.is_known(self.limits.message);
            }
            Ok(Step::Done) => connection.is_known(self.limits.message),
            Err(error) => {
                status::add(&self.words.refused, 1);
                if let Some(words) = error.last_words() {
                    say(connection, words);
                }
                connection.state = State::Leaving;
            }
        }
    }
}
