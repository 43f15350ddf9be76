//! What a server is to serve, and to whom.

use super::Server;
use super::limits::Limits;
use crate::hosted::typeid::Type;
use crate::transport::{Address, TlsServer};
use procession_wire::value::Value;
use std::collections::BTreeMap;
use std::io;

/// What a server is to serve, and to whom. [`bind`](Self::bind) makes it one.
///
/// ```
/// use procession_manager::Type;
/// use procession_manager::server::Server;
///
/// let server = Server::builder()
///     .authkey(b"secret")
///     .register("get_task_queue", Type::Queue, vec![])
///     .register("get_small_queue", Type::Queue, vec![10.into()])
///     .bind(&"127.0.0.1:0".parse()?)?;
/// let stopper = server.stopper();
/// let running = std::thread::spawn(move || server.run());
/// stopper.stop();
/// running.join().unwrap()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Builder {
    pub(super) key: Option<Vec<u8>>,
    pub(super) limits: Limits,
    pub(super) tls: Option<TlsServer>,
    pub(super) names: BTreeMap<String, Registration>,
    pub(super) has_guest: bool,
    pub(super) shares_memory: bool,
}

/// What stands behind a name.
#[derive(Clone, Debug)]
pub(super) enum Registration {
    /// A new object each time, with these methods or all.
    New(Type, Option<Vec<String>>),
    /// One object for all.
    Shared(Type, Vec<Value>),
    /// Whatever the guest makes of it.
    Guest,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BindError {
    /// Anybody who reaches the address could use it.
    #[error(
        "will not serve {0}, which other machines can reach, without an authkey: give one, or serve a loopback address or a Unix socket"
    )]
    NoKey(Address),
    /// The address cannot be had.
    #[error("cannot listen on {0}: {1}")]
    Listen(Address, #[source] io::Error),
    /// The arguments of a registered object do not fit its type.
    #[error("cannot register {name:?}: {kind} says {reason}")]
    Register {
        /// The registered name.
        name: String,
        /// Its type.
        kind: Type,
        /// What is wrong.
        reason: String,
    },
    /// The system has no room.
    #[error("cannot prepare a server: {0}")]
    System(#[from] io::Error),
}

impl Default for Builder {
    fn default() -> Self {
        let all =
            Type::ALL.iter().map(|kind| (kind.name().to_owned(), Registration::New(*kind, None)));
        Self {
            key: None,
            limits: Limits::default(),
            tls: None,
            names: all.collect(),
            has_guest: false,
            shares_memory: true,
        }
    }
}

impl Builder {
    /// The key that clients must know. Without one the key is empty, and only this machine is served.
    #[must_use]
    pub fn authkey(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// What clients may take.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Speaks TLS below the protocol. Stock CPython cannot connect then.
    #[must_use]
    pub fn tls(mut self, tls: TlsServer) -> Self {
        self.tls = Some(tls);
        self
    }

    /// One object for all who ask for `name`, made at the start from `args`, which lives as long as the server.
    #[must_use]
    pub fn register(mut self, name: impl Into<String>, kind: Type, args: Vec<Value>) -> Self {
        self.names.insert(name.into(), Registration::Shared(kind, args));
        self
    }

    /// A new object, of the client's arguments, for each who asks for `name`. Without this, every type is there under its
    /// own name.
    #[must_use]
    pub fn offer(mut self, name: impl Into<String>, kind: Type) -> Self {
        self.names.insert(name.into(), Registration::New(kind, None));
        self
    }

    /// As [`offer`](Self::offer), and clients may call these methods only.
    #[must_use]
    pub fn offer_exposing(
        mut self,
        name: impl Into<String>,
        kind: Type,
        exposed: Vec<String>,
    ) -> Self {
        self.names.insert(name.into(), Registration::New(kind, Some(exposed)));
        self
    }

    /// Forgets every name so far: only what is named after this is there.
    #[must_use]
    pub fn nothing(mut self) -> Self {
        self.names.clear();
        self
    }

    /// What the guest makes, for each who asks for `name`. The program takes its end from [`Server::errands`].
    #[must_use]
    pub fn guest(mut self, name: impl Into<String>) -> Self {
        self.names.insert(name.into(), Registration::Guest);
        self.with_guest()
    }

    /// Has a guest, also where no name is the guest's: it adopts objects.
    #[must_use]
    pub fn with_guest(mut self) -> Self {
        self.has_guest = true;
        self
    }

    /// Whether clients of ours that come over a Unix socket, and belong to the same user, are handed the memory in which
    /// queues, locks, values and arrays lie, to use them there; they are, unless this says otherwise. A server at another
    /// address, or with TLS, shares nothing.
    ///
    /// Whoever has the memory can write what it likes there, as a thread of this program could.
    #[must_use]
    pub fn share_memory(mut self, shares: bool) -> Self {
        self.shares_memory = shares;
        self
    }

    /// Binds the address and listens. Nobody is answered before [`Server::run`].
    ///
    /// # Errors
    /// [`BindError`]: an address that other machines can reach and no key, an address that is taken, arguments that do not fit.
    pub fn bind(self, address: &Address) -> Result<Server, BindError> {
        Server::bind(self, address)
    }
}
