//! Either side of the handshake, step by step.

use super::Error;
use super::digest::Digest;

/// The longest message of a handshake.
pub const LONGEST: usize = 256;

/// How many random bytes a side needs.
pub const NONCE: usize = 40;

const CHALLENGE: &[u8] = b"#CHALLENGE#";
const WELCOME: &[u8] = b"#WELCOME#";
pub(super) const FAILURE: &[u8] = b"#FAILURE#";
const PREFIX: &[u8] = b"{sha256}";
/// The challenges of CPython up to 3.11, and the shortest that any version takes.
const OLD_CHALLENGE: usize = 20;

/// Which hashes are good enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// What CPython from 3.8 on can do, which is MD5 up to 3.11.
    #[default]
    Any,
    /// No MD5: CPython from 3.12 on.
    Modern,
}

/// One side of a handshake.
///
/// # Examples
/// ```
/// use procession_wire::auth::{Handshake, Policy, Step};
///
/// // Random bytes in earnest.
/// let (mut server, challenge) = Handshake::server([1; 40], Policy::Any);
/// let mut client = Handshake::client([2; 40], Policy::Any);
/// let key = b"secret";
/// let Step::Say(response) = client.receive(key, &challenge)? else { panic!() };
/// let Step::Say(welcome) = server.receive(key, &response)? else { panic!() };
/// let Step::Say(challenge) = client.receive(key, &welcome)? else { panic!() };
/// let Step::Say(response) = server.receive(key, &challenge)? else { panic!() };
/// let Step::LastSay(welcome) = client.receive(key, &response)? else { panic!() };
/// assert_eq!(server.receive(key, &welcome)?, Step::Done);
/// # Ok::<(), procession_wire::auth::Error>(())
/// ```
#[derive(Debug)]
pub struct Handshake {
    /// Our challenge, as the peer gets it.
    challenge: [u8; PREFIX.len() + NONCE],
    policy: Policy,
    is_server: bool,
    awaits: Awaits,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaits {
    Challenge,
    Response,
    Welcome,
    Nothing,
}

/// What follows from a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this, and wait for the next message.
    Say(Vec<u8>),
    /// Send this; then the peer is known.
    LastSay(Vec<u8>),
    /// The peer is known.
    Done,
}

impl Handshake {
    fn new(nonce: [u8; NONCE], policy: Policy, is_server: bool, awaits: Awaits) -> Self {
        let mut challenge = [0; PREFIX.len() + NONCE];
        challenge[..PREFIX.len()].copy_from_slice(PREFIX);
        challenge[PREFIX.len()..].copy_from_slice(&nonce);
        Self { challenge, policy, is_server, awaits }
    }

    /// The side that has accepted the connection, and the message with which it begins. `nonce` must be random, and new.
    #[must_use]
    pub fn server(nonce: [u8; NONCE], policy: Policy) -> (Self, Vec<u8>) {
        let server = Self::new(nonce, policy, true, Awaits::Response);
        let challenge = server.challenge();
        (server, challenge)
    }

    /// The side that has connected; it waits for the first message. `nonce` must be random, and new.
    #[must_use]
    pub fn client(nonce: [u8; NONCE], policy: Policy) -> Self {
        Self::new(nonce, policy, false, Awaits::Challenge)
    }

    fn challenge(&self) -> Vec<u8> {
        [CHALLENGE, &self.challenge].concat()
    }

    /// Takes a message of the peer.
    ///
    /// # Errors
    /// If the peer does not know the key, or has said so of us, or does not follow the protocol. The handshake is over then;
    /// what the peer should be told is in [`Error::last_words`].
    pub fn receive(&mut self, key: &[u8], message: &[u8]) -> Result<Step, Error> {
        let awaits = std::mem::replace(&mut self.awaits, Awaits::Nothing);
        if message.len() > LONGEST {
            return Err(Error::TooLong(message.len()));
        }
        match awaits {
            Awaits::Challenge => {
                let challenge = message.strip_prefix(CHALLENGE).ok_or(Error::NoChallenge)?;
                let response = self.respond(key, challenge)?;
                self.awaits = Awaits::Welcome;
                Ok(Step::Say(response))
            }
            Awaits::Response => {
                self.verify(key, message)?;
                if !self.is_server {
                    return Ok(Step::LastSay(WELCOME.to_vec()));
                }
                self.awaits = Awaits::Challenge;
                Ok(Step::Say(WELCOME.to_vec()))
            }
            Awaits::Welcome if message != WELCOME => Err(Error::Refused),
            Awaits::Welcome if self.is_server => Ok(Step::Done),
            Awaits::Welcome => {
                self.awaits = Awaits::Response;
                Ok(Step::Say(self.challenge()))
            }
            Awaits::Nothing => Err(Error::Over),
        }
    }

    fn allow(&self, digest: Digest) -> Result<(), Error> {
        match (self.policy, digest) {
            (Policy::Modern, Digest::Md5) => Err(Error::Md5),
            _ => Ok(()),
        }
    }

    fn respond(&self, key: &[u8], challenge: &[u8]) -> Result<Vec<u8>, Error> {
        if challenge.len() < OLD_CHALLENGE {
            return Err(Error::ShortChallenge(challenge.len()));
        }
        if challenge.len() == OLD_CHALLENGE {
            self.allow(Digest::Md5)?;
            return Ok(Digest::Md5.hmac(key, challenge));
        }
        let (digest, _) = Digest::prefix_of(challenge).ok_or(Error::UnknownHash)?;
        self.allow(digest)?;
        Ok([digest.prefix(), &digest.hmac(key, challenge)].concat())
    }

    fn verify(&self, key: &[u8], response: &[u8]) -> Result<(), Error> {
        let (digest, mac) = Digest::of_response(response).ok_or(Error::WrongResponse)?;
        self.allow(digest)?;
        if digest.verify(key, &self.challenge, mac) { Ok(()) } else { Err(Error::WrongResponse) }
    }
}
