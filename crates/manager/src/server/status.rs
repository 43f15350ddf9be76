//! How a server is doing, in numbers that any thread may read.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! numbers {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// How a server was doing at one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Status {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// One word for each number. Only the server's thread writes; each word stands for itself.
        #[derive(Debug, Default)]
        pub(super) struct Words {
            $(pub(super) $name: AtomicU64,)*
        }

        impl Words {
            fn read(&self) -> Status {
                Status { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

numbers! {
    /// Connections that are open, in whatever state.
    connections,
    /// Connections that are not served yet.
    handshakes,
    /// Connections that wait in a call, or for the guest.
    waiting,
    /// Objects, registered ones included.
    objects,
    /// Calls that were carried out since the start.
    calls,
    /// Peers that did not know the key, since the start.
    refused,
    /// Bytes that came from clients since the start.
    bytes_read,
    /// Bytes that went to clients since the start.
    bytes_written,
    /// Bytes that are stored or on their way.
    bytes_stored,
}

/// The numbers of a server, also while it runs and after it has ended.
#[derive(Clone, Debug, Default)]
pub struct Counters(pub(super) Arc<Words>);

impl Counters {
    /// The numbers of this moment.
    #[must_use]
    pub fn read(&self) -> Status {
        self.0.read()
    }
}

/// Adds to a word of which this thread is the only writer.
pub(super) fn add(word: &AtomicU64, more: u64) {
    word.store(word.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}

/// Sets such a word.
pub(super) fn set(word: &AtomicU64, to: usize) {
    word.store(to as u64, Ordering::Relaxed);
}
