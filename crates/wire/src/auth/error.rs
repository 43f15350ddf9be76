//! Why a handshake failed.

/// Why a handshake failed. Nothing that the peer sent is in it, and nothing of the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The peer's response is wrong.
    #[error(
        "the peer does not know the authkey: its response to our challenge is wrong; give both sides the same key"
    )]
    WrongResponse,
    /// The peer says that our response is wrong.
    #[error(
        "the peer refused our response to its challenge: it has another authkey; give both sides the same key"
    )]
    Refused,
    /// The peer wants, or gave, a response by a hash that is not known.
    #[error("the peer asks for a hash other than md5, sha256, sha384, sha3_256 and sha3_384")]
    UnknownHash,
    /// The peer wants, or gave, a response by MD5, which [`Policy::Modern`](super::Policy::Modern) refuses.
    #[error(
        "the peer knows MD5 only (CPython up to 3.11), which is refused here; allow MD5 for it, or update it"
    )]
    Md5,
    /// The peer's challenge could be guessed.
    #[error("the peer's challenge has {0} bytes, which is fewer than 20")]
    ShortChallenge(usize),
    /// What came is not a challenge.
    #[error(
        "the peer sent no challenge where one was expected: it does not speak multiprocessing's protocol, or has no authkey"
    )]
    NoChallenge,
    /// What came is too long.
    #[error("the peer sent {0} bytes where a handshake has at most 256")]
    TooLong(usize),
    /// More came after the end.
    #[error("the handshake is over")]
    Over,
}

impl Error {
    /// What the peer is to be told before the connection is closed; nothing if it is at fault in another way than by its key.
    #[must_use]
    pub fn last_words(self) -> Option<&'static [u8]> {
        match self {
            Self::WrongResponse | Self::Md5 => Some(super::handshake::FAILURE),
            _ => None,
        }
    }
}
