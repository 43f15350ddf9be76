//! Accepting connections.

use super::address::Address;
use super::stream::Stream;
use super::tls::TlsServer;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen, socket_with,
};
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// How many peers may wait to be accepted; the kernel cuts it to its own limit.
const BACKLOG: i32 = 4096;

/// A bound socket that accepts connections, without waiting. A Unix socket's path is removed when it is dropped.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    tls: Option<TlsServer>,
    address: Address,
    _file: Option<Unlink>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The path of a socket, which goes with the process that bound it, and not with a child that was forked from that.
#[derive(Debug)]
struct Unlink(PathBuf, u32);

impl Drop for Unlink {
    fn drop(&mut self) {
        if self.1 == std::process::id() {
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

fn unix(address: &SocketAddrUnix) -> io::Result<UnixListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    bind(&socket, address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

/// Binds a path; one that a dead server left behind, where nobody answers, is taken over.
fn unix_path(path: &Path) -> io::Result<UnixListener> {
    let address = SocketAddrUnix::new(path)?;
    match unix(&address) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let nobody = std::os::unix::net::UnixStream::connect(path)
                .is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
            if !nobody {
                return Err(error);
            }
            std::fs::remove_file(path)?;
            unix(&address)
        }
        done => done,
    }
}

impl Listener {
    /// Binds and listens.
    ///
    /// # Errors
    /// What the kernel says: `AddrInUse` where somebody listens, `PermissionDenied` among others.
    pub fn bind(address: &Address, tls: Option<TlsServer>) -> io::Result<Self> {
        let (socket, file) = match address {
            Address::Tcp(host, port) => {
                let host = if host.is_empty() { "0.0.0.0" } else { host };
                let listener = TcpListener::bind((host, *port))?;
                listener.set_nonblocking(true)?;
                // A second call only changes how many may wait.
                listen(&listener, BACKLOG)?;
                (Socket::Tcp(listener), None)
            }
            Address::Unix(path) => (
                Socket::Unix(unix_path(path)?),
                Some(Unlink(std::path::absolute(path)?, std::process::id())),
            ),
            Address::Abstract(name) => {
                (Socket::Unix(unix(&SocketAddrUnix::new_abstract_name(name)?)?), None)
            }
        };
        let address = match &socket {
            Socket::Tcp(listener) => listener.local_addr()?.into(),
            Socket::Unix(_) => address.clone(),
        };
        Ok(Self { socket, tls, address, _file: file })
    }

    /// Where it listens: with the port that the kernel chose, if port 0 was asked for.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Accepts one connection, which does not wait either.
    ///
    /// # Errors
    /// `WouldBlock` if there is none; the kernel's refusal, such as too many open files.
    pub fn accept(&self) -> io::Result<Stream> {
        let stream = match &self.socket {
            Socket::Tcp(listener) => Stream::accepted_tcp(listener.accept()?.0, self.tls.as_ref())?,
            Socket::Unix(listener) => {
                Stream::accepted_unix(listener.accept()?.0, self.tls.as_ref())?
            }
        };
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(listener) => listener.as_fd(),
            Socket::Unix(listener) => listener.as_fd(),
        }
    }
}
