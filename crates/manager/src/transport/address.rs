//! Where a manager is.

use std::convert::Infallible;
use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::str::FromStr;

/// Where a manager is.
///
/// | written | means |
/// |---|---|
/// | `host:port`, `[::1]:port`, `:port` | TCP; without a host, every address of this machine |
/// | `/run/work.sock`, `./work.sock`, `unix:work.sock` | a Unix socket at that path |
/// | `@work`, `unix:@work` | a Unix socket of that name in Linux's abstract namespace |
///
/// ```
/// use procession_manager::transport::Address;
/// let address: Address = "127.0.0.1:8888".parse()?;
/// assert_eq!(address, Address::Tcp("127.0.0.1".to_owned(), 8888));
/// assert_eq!("@work".parse(), Ok(Address::Abstract(b"work".to_vec())));
/// assert_eq!(address.to_string(), "127.0.0.1:8888");
/// assert!("somewhere".parse::<Address>().is_err());
/// # Ok::<(), procession_manager::transport::address::NotAnAddress>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// A host, by name or number, and a port. An empty host is every address of this machine.
    Tcp(String, u16),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// A Unix socket's name in Linux's abstract namespace, without the leading zero byte.
    Abstract(Vec<u8>),
}

/// A text that is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no address: write host:port, a path with a slash in it, or @name")]
pub struct NotAnAddress(String);

impl NotAnAddress {
    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl From<Infallible> for NotAnAddress {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

impl Address {
    /// Whether only this machine can reach it. A name counts if everything that it stands for is local.
    #[must_use]
    pub fn is_local(&self) -> bool {
        match self {
            Self::Unix(_) | Self::Abstract(_) => true,
            Self::Tcp(host, _) if host.is_empty() => false,
            Self::Tcp(host, port) => match host.parse::<IpAddr>() {
                Ok(number) => number.is_loopback(),
                Err(_) => (host.as_str(), *port).to_socket_addrs().is_ok_and(|mut found| {
                    found.next().is_some_and(|first| first.ip().is_loopback())
                        && found.all(|address| address.ip().is_loopback())
                }),
            },
        }
    }
}

impl FromStr for Address {
    type Err = NotAnAddress;

    fn from_str(text: &str) -> Result<Self, NotAnAddress> {
        let wrong = || NotAnAddress(text.to_owned());
        let (text, must_be_unix) = match text.strip_prefix("unix:") {
            Some(rest) => (rest, true),
            None => (text, false),
        };
        if let Some(name) = text.strip_prefix('@') {
            return Ok(Self::Abstract(name.as_bytes().to_vec()));
        }
        if (must_be_unix && !text.is_empty()) || text.contains('/') {
            return Ok(Self::Unix(text.into()));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let host = match host.strip_prefix('[') {
            Some(number) => number.strip_suffix(']').ok_or_else(wrong)?,
            None if host.contains(':') => return Err(wrong()),
            None => host,
        };
        Ok(Self::Tcp(host.to_owned(), port))
    }
}

impl TryFrom<&str> for Address {
    type Error = NotAnAddress;

    fn try_from(text: &str) -> Result<Self, NotAnAddress> {
        text.parse()
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Self {
        address.clone()
    }
}

impl From<(&str, u16)> for Address {
    fn from((host, port): (&str, u16)) -> Self {
        Self::Tcp(host.to_owned(), port)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(out, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(out, "{host}:{port}"),
            Self::Unix(path) if path.to_string_lossy().contains('/') => {
                write!(out, "{}", path.display())
            }
            Self::Unix(path) => write!(out, "unix:{}", path.display()),
            Self::Abstract(name) => write!(out, "@{}", String::from_utf8_lossy(name)),
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address.ip().to_string(), address.port())
    }
}
