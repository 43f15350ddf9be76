//! The bytes of one connection.

use super::address::Address;
use super::tls::{TlsClient, TlsServer};
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with, sockopt,
};
use rustls::Connection;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// How long a silent peer is believed to be there: then the kernel asks, and three times more.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(30);
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMES: u32 = 3;

/// One connection, with or without TLS.
///
/// It waits, or with [`Stream::set_nonblocking`] returns `WouldBlock` from every read and write that would. Under TLS a
/// write may be taken while its bytes still wait to go out: [`Write::flush`] sends them, and
/// [`Stream::wants_write`] says whether there are any.
#[derive(Debug)]
pub struct Stream {
    socket: Socket,
    session: Option<Box<Connection>>,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

macro_rules! with {
    ($socket:expr, $name:ident => $act:expr) => {
        match $socket {
            Socket::Tcp($name) => $act,
            Socket::Unix($name) => $act,
        }
    };
}

impl Socket {
    fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        sockopt::set_socket_keepalive(&stream, true)?;
        sockopt::set_tcp_keepidle(&stream, KEEP_ALIVE_AFTER)?;
        sockopt::set_tcp_keepintvl(&stream, KEEP_ALIVE_EVERY)?;
        sockopt::set_tcp_keepcnt(&stream, KEEP_ALIVE_TIMES)?;
        Ok(Self::Tcp(stream))
    }
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        with!(self, socket => {
            let mut socket = socket;
            socket.read(buffer)
        })
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        with!(self, socket => {
            let mut socket = socket;
            socket.write(bytes)
        })
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        with!(self, socket => {
            let mut socket = socket;
            socket.write_vectored(parts)
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn tcp(host: &str, port: u16, timeout: Option<Duration>) -> io::Result<TcpStream> {
    use std::net::ToSocketAddrs;
    let Some(timeout) = timeout else { return TcpStream::connect((host, port)) };
    let mut last = io::Error::new(ErrorKind::NotFound, format!("{host:?} has no address"));
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, timeout) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

impl Stream {
    /// Connects, with TLS above it if `tls` is given; waits for the other side at most `timeout` at each of its addresses.
    /// The handshake of TLS comes with the first read or write.
    ///
    /// # Errors
    /// What the kernel says, `TimedOut` among it.
    pub fn connect(
        address: &Address,
        tls: Option<&TlsClient>,
        timeout: Option<Duration>,
    ) -> io::Result<Self> {
        let socket = match address {
            Address::Tcp(host, port) => {
                let host = if host.is_empty() { "localhost" } else { host };
                Socket::tcp(tcp(host, *port, timeout)?)?
            }
            Address::Unix(path) => Socket::Unix(UnixStream::connect(path)?),
            Address::Abstract(name) => {
                let kind = SocketType::STREAM;
                let socket = socket_with(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None)?;
                connect(&socket, &SocketAddrUnix::new_abstract_name(name)?)?;
                Socket::Unix(socket.into())
            }
        };
        let session = tls.map(TlsClient::session).transpose()?;
        Ok(Self { socket, session: session.map(|session| Box::new(session.into())) })
    }

    pub(super) fn accepted_tcp(stream: TcpStream, tls: Option<&TlsServer>) -> io::Result<Self> {
        Self::accepted(Socket::tcp(stream)?, tls)
    }

    pub(super) fn accepted_unix(stream: UnixStream, tls: Option<&TlsServer>) -> io::Result<Self> {
        Self::accepted(Socket::Unix(stream), tls)
    }

    fn accepted(socket: Socket, tls: Option<&TlsServer>) -> io::Result<Self> {
        let session = tls.map(TlsServer::session).transpose()?;
        Ok(Self { socket, session: session.map(|session| Box::new(session.into())) })
    }

    /// Whether reads and writes return `WouldBlock` instead of waiting.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        with!(&self.socket, socket => socket.set_nonblocking(nonblocking))
    }

    /// How long a read waits before it fails with `WouldBlock`; `None` is for ever.
    ///
    /// # Errors
    /// What the kernel says; a timeout of zero is refused.
    pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        with!(&self.socket, socket => socket.set_read_timeout(timeout))
    }

    /// How long a write waits before it fails with `WouldBlock`; `None` is for ever.
    ///
    /// # Errors
    /// What the kernel says; a timeout of zero is refused.
    pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        with!(&self.socket, socket => socket.set_write_timeout(timeout))
    }

    /// Who is at the other end, for messages to people: a host and a port, or the word `unix`.
    #[must_use]
    pub fn peer(&self) -> String {
        match &self.socket {
            Socket::Tcp(stream) => stream
                .peer_addr()
                .map_or_else(|_| "tcp".to_owned(), |address| Address::from(address).to_string()),
            Socket::Unix(_) => "unix".to_owned(),
        }
    }

    /// Whether both ends are on a Unix socket.
    #[must_use]
    pub fn is_unix(&self) -> bool {
        matches!(self.socket, Socket::Unix(_))
    }

    /// Whether it speaks TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.session.is_some()
    }

    /// Whether bytes wait inside for the socket to take them. Only under TLS.
    #[must_use]
    pub fn wants_write(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.wants_write())
    }

    /// Sends what waits, and tells the peer that nothing more will come.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn end(&mut self) -> io::Result<()> {
        if let Some(session) = &mut self.session {
            session.send_close_notify();
        }
        self.flush()?;
        with!(&self.socket, socket => socket.shutdown(Shutdown::Write))
    }

    /// Whether the peer has closed its side and nothing more can be read. Asks the kernel and takes nothing.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        use rustix::net::{RecvFlags, recv};
        let mut byte = [0_u8; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        match recv(&self.socket, &mut byte, flags) {
            Ok((read, _)) => read == 0,
            Err(error) => !matches!(error, rustix::io::Errno::AGAIN | rustix::io::Errno::INTR),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(session) = &mut self.session else { return (&self.socket).read(buffer) };
        loop {
            match session.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // The peer closed the socket without the closing words of TLS; above, messages have lengths.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                done => return done,
            }
            // A handshake needs both directions, whichever was asked for.
            while session.wants_write() {
                session.write_tls(&mut &self.socket)?;
            }
            session.read_tls(&mut &self.socket)?;
            session
                .process_new_packets()
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.session.is_none() {
            return (&self.socket).write(bytes);
        }
        loop {
            let session = self.session.as_mut();
            let taken = session.map_or(Ok(0), |session| session.writer().write(bytes))?;
            match self.flush() {
                // Taken is taken: what has not gone out yet goes with the next flush.
                Err(error) if error.kind() == ErrorKind::WouldBlock && taken > 0 => {
                    return Ok(taken);
                }
                Err(error) => return Err(error),
                // It was full, and now there is room.
                Ok(()) if taken == 0 && !bytes.is_empty() => {}
                Ok(()) => return Ok(taken),
            }
        }
    }

    fn write_vectored(&mut self, parts: &[io::IoSlice<'_>]) -> io::Result<usize> {
        if self.session.is_none() {
            return (&self.socket).write_vectored(parts);
        }
        let first = parts.iter().find(|part| !part.is_empty());
        first.map_or(Ok(0), |part| self.write(part))
    }

    fn flush(&mut self) -> io::Result<()> {
        let Some(session) = &mut self.session else { return Ok(()) };
        loop {
            while session.wants_write() {
                session.write_tls(&mut &self.socket)?;
            }
            if !session.is_handshaking() {
                return Ok(());
            }
            if session.read_tls(&mut &self.socket)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            session
                .process_new_packets()
                .map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        with!(self, socket => socket.as_fd())
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}
