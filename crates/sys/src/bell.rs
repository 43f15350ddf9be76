//! Doorbells: a descriptor that becomes readable when a process that knows its name rings.
//!
//! An abstract datagram socket. It needs no descriptor in the ringer beforehand, no file, and no
//! right but to be in the same network namespace; it is gone with the process that made it. Anybody
//! may ring: a ring says only "look again".

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, bind, recv,
    sendto, socket_with,
};
use std::io;

/// A doorbell that this process hears.
#[derive(Debug)]
pub struct Bell {
    socket: OwnedFd,
}

fn dgram() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?)
}

impl Bell {
    /// Hangs up a bell of that name.
    ///
    /// # Errors
    /// `EADDRINUSE` if there is one already; `EMFILE` without a free descriptor.
    pub fn hang(name: &[u8]) -> io::Result<Self> {
        let socket = dgram()?;
        bind(&socket, &SocketAddrUnix::new_abstract_name(name)?)?;
        Ok(Self { socket })
    }

    /// Silences it: not readable until the next ring.
    pub fn silence(&self) {
        let mut byte = [0_u8; 1];
        while recv(&self.socket, &mut byte, RecvFlags::DONTWAIT).is_ok() {}
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// Rings the bells of those names; a bell that nobody hears is no error, nor is one that is ringing
/// already.
pub fn ring<'a>(names: impl Iterator<Item = &'a [u8]>) {
    let Ok(socket) = dgram() else { return };
    for name in names {
        if let Ok(address) = SocketAddrUnix::new_abstract_name(name) {
            let _ = sendto(&socket, b"!", SendFlags::DONTWAIT | SendFlags::NOSIGNAL, &address);
        }
    }
}
