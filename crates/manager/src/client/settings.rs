//! How a manager is reached.

use super::error::ManagerError;
use super::manager::Manager;
use crate::transport::address::NotAnAddress;
use crate::transport::{Address, TlsClient};
use std::fmt;
use std::io;
use std::time::Duration;

/// How a manager is reached, and as whom.
pub(super) struct Settings {
    pub(super) address: Address,
    /// The address as errors name it.
    pub(super) peer: String,
    pub(super) key: Vec<u8>,
    pub(super) tls: Option<TlsClient>,
    pub(super) connect_timeout: Duration,
    pub(super) answer_timeout: Duration,
    pub(super) name: String,
}

/// Without the key.
impl fmt::Debug for Settings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Settings")
            .field("address", &self.address)
            .field("tls", &self.tls.is_some())
            .field("connect_timeout", &self.connect_timeout)
            .field("answer_timeout", &self.answer_timeout)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A manager that is to be connected to; see [`Manager::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing is connected before `connect`"]
pub struct ManagerBuilder {
    tls: Option<TlsClient>,
    connect_timeout: Duration,
    answer_timeout: Duration,
    name: String,
}

impl Default for ManagerBuilder {
    fn default() -> Self {
        Self {
            tls: None,
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(60),
            name: "procession".to_owned(),
        }
    }
}

impl ManagerBuilder {
    /// How long a connection may take to be made, the showing of keys included: 10 s unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long the manager may take to answer, beyond what a call waits for there; then the connection counts as lost: 60 s
    /// unless set. Calls that may wait for ever, such as [`Queue::get`](super::Queue::get), may.
    pub fn answer_timeout(mut self, timeout: Duration) -> Self {
        self.answer_timeout = timeout;
        self
    }

    /// Speaks TLS. Only a manager of ours does; the key is asked for above it all the same.
    pub fn tls(mut self, tls: TlsClient) -> Self {
        self.tls = Some(tls);
        self
    }

    /// The name by which the manager knows this client.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Connects: `authkey` is shown, and the manager shows that it has the same.
    ///
    /// # Errors
    /// As [`Manager::connect`].
    pub fn connect<A>(self, address: A, authkey: impl AsRef<[u8]>) -> Result<Manager, ManagerError>
    where
        A: TryInto<Address>,
        NotAnAddress: From<A::Error>,
    {
        let address = address.try_into().map_err(|error| {
            let source = NotAnAddress::from(error);
            let peer = source.text().to_owned();
            ManagerError::Connect {
                peer,
                source: io::Error::new(io::ErrorKind::InvalidInput, source),
            }
        })?;
        Manager::open(Settings {
            peer: address.to_string(),
            address,
            key: authkey.as_ref().to_vec(),
            tls: self.tls,
            connect_timeout: self.connect_timeout,
            answer_timeout: self.answer_timeout,
            name: self.name,
        })
    }
}
