//! The hashes that CPython has for this, and the prefixes that name them.

use hmac::{Hmac, KeyInit, Mac, SimpleHmac};

/// A hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digest {
    Md5,
    Sha256,
    Sha384,
    Sha3_256,
    Sha3_384,
}

const ALL: [(&[u8], Digest); 5] = [
    (b"{md5}", Digest::Md5),
    (b"{sha256}", Digest::Sha256),
    (b"{sha384}", Digest::Sha384),
    (b"{sha3_256}", Digest::Sha3_256),
    (b"{sha3_384}", Digest::Sha3_384),
];

/// As long as an HMAC-MD5.
const MD5_LENGTH: usize = 16;

fn mac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> M {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("an HMAC takes keys of any length");
    mac.update(message);
    mac
}

/// What to do with an HMAC, whatever its hash is.
macro_rules! with_mac {
    ($digest:expr, $key:expr, $message:expr, $mac:ident => $result:expr) => {
        match $digest {
            Digest::Md5 => {
                let $mac = mac::<Hmac<md5::Md5>>($key, $message);
                $result
            }
            Digest::Sha256 => {
                let $mac = mac::<Hmac<sha2::Sha256>>($key, $message);
                $result
            }
            Digest::Sha384 => {
                let $mac = mac::<Hmac<sha2::Sha384>>($key, $message);
                $result
            }
            Digest::Sha3_256 => {
                let $mac = mac::<SimpleHmac<sha3::Sha3_256>>($key, $message);
                $result
            }
            Digest::Sha3_384 => {
                let $mac = mac::<SimpleHmac<sha3::Sha3_384>>($key, $message);
                $result
            }
        }
    };
}

impl Digest {
    /// The hash that a message begins with, and what follows.
    pub(super) fn prefix_of(message: &[u8]) -> Option<(Self, &[u8])> {
        ALL.iter().find_map(|(prefix, digest)| Some((*digest, message.strip_prefix(*prefix)?)))
    }

    /// The hash of a response, and the HMAC in it. Without a prefix it is MD5.
    pub(super) fn of_response(response: &[u8]) -> Option<(Self, &[u8])> {
        if response.len() == MD5_LENGTH {
            return Some((Self::Md5, response));
        }
        Self::prefix_of(response)
    }

    pub(super) fn prefix(self) -> &'static [u8] {
        ALL.iter().find(|(_, digest)| *digest == self).map_or(&[], |(prefix, _)| prefix)
    }

    pub(super) fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        with_mac!(self, key, message, mac => mac.finalize().into_bytes().to_vec())
    }

    /// Whether `given` is the HMAC; the time that it takes does not tell where they differ.
    pub(super) fn verify(self, key: &[u8], message: &[u8], given: &[u8]) -> bool {
        with_mac!(self, key, message, mac => mac.verify_slice(given).is_ok())
    }
}
