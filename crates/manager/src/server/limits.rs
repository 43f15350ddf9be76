//! What a server allows its clients to take.

use std::time::Duration;

/// What a server allows its clients to take. Whoever meets a limit is told which one, and its value.
///
/// | limit | default |
/// |---|---|
/// | `connections` | 10 000 |
/// | `handshakes` | 256 |
/// | `handshake_timeout` | 20 s |
/// | `message` | 1 GiB |
/// | `memory` | half of the machine's |
///
/// ```
/// use procession_manager::server::Limits;
/// let limits = Limits { connections: 100, ..Limits::default() };
/// assert!(limits.memory > 0);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many connections are served at once. The process needs a descriptor for each.
    pub connections: usize,
    /// How many more may be on their way there. The oldest of these makes room for a new one.
    pub handshakes: usize,
    /// How long one of these may take.
    pub handshake_timeout: Duration,
    /// The bytes of one message.
    pub message: u64,
    /// The bytes of all that is stored or on its way.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let bytes = procession_sys::pid::physical_memory();
        Self {
            connections: 10_000,
            handshakes: 256,
            handshake_timeout: Duration::from_secs(20),
            message: 1 << 30,
            memory: usize::try_from(bytes / 2).unwrap_or(usize::MAX),
        }
    }
}
