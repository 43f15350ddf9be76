//! Messages with descriptors: SEQPACKET sockets and SCM_RIGHTS.
//!
//! A message arrives whole or not at all, so there is no framing; an end of file says that the other side is gone.
//! Every descriptor made here is closed by `exec`.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

/// The most descriptors that one message carries.
pub const MOST: usize = 8;

/// A message that arrived.
#[derive(Debug)]
pub struct Received {
    /// How many bytes of the buffer it fills.
    pub len: usize,
    /// The descriptors that came with it, in the sender's order.
    pub fds: Vec<OwnedFd>,
}

/// Two connected ends.
///
/// # Errors
///
/// When the process or the system has no more descriptors.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message; waits while the receiver's buffer is full.
///
/// # Errors
///
/// `BrokenPipe` (never a signal) when the other end is gone; the kernel's refusal of a message that is too large.
///
/// # Panics
///
/// With more than [`MOST`] descriptors.
pub fn send(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    assert!(fds.len() <= MOST, "a message carries at most {MOST} descriptors");
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() {
        let fits = control.push(SendAncillaryMessage::ScmRights(fds));
        debug_assert!(fits, "the space is made for {MOST}");
    }
    let parts = [io::IoSlice::new(bytes)];
    loop {
        match sendmsg(&socket, &parts, &mut control, SendFlags::NOSIGNAL) {
            Err(rustix::io::Errno::INTR) => {}
            done => return Ok(done.map(drop)?),
        }
    }
}

/// Receives one message into `buffer`; waits for one. `None` is the end: nobody holds the other end any more.
///
/// # Errors
///
/// `InvalidData` if bytes or descriptors did not fit; `WouldBlock` on a non-blocking socket without a message.
pub fn recv(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Option<Received>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [io::IoSliceMut::new(buffer)];
    let got = loop {
        match recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            // A peer that died with unread messages resets the connection: that is an end, too.
            Err(rustix::io::Errno::CONNRESET) => return Ok(None),
            done => break done?,
        }
    };
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a message on a control socket was cut: too many bytes, or no room for its descriptors",
        ));
    }
    Ok((got.bytes != 0 || !fds.is_empty()).then_some(Received { len: got.bytes, fds }))
}

/// Whether `fd` is an end of such a pair. What else may be behind a descriptor is no business of ours.
#[must_use]
pub fn is_seqpacket(fd: impl AsFd) -> bool {
    rustix::net::sockopt::socket_type(fd).is_ok_and(|kind| kind == SocketType::SEQPACKET)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn message_and_descriptors_arrive_in_order() {
        let (here, there) = pair().expect("pair");
        let (mut reader, writer) = io::pipe().expect("pipe");
        let (mut second, other) = io::pipe().expect("pipe");
        send(&here, b"two", &[writer.as_fd(), other.as_fd()]).expect("send");
        drop((writer, other));
        let mut buffer = [0; 16];
        let got = recv(&there, &mut buffer).expect("recv").expect("a message");
        assert_eq!(&buffer[..got.len], b"two");
        assert_eq!(got.fds.len(), 2);
        let mut fds = got.fds.into_iter().map(std::fs::File::from);
        fds.next().expect("first").write_all(b"a").expect("write");
        fds.next().expect("second").write_all(b"b").expect("write");
        let (mut a, mut b) = (String::new(), String::new());
        reader.read_to_string(&mut a).expect("read");
        second.read_to_string(&mut b).expect("read");
        assert_eq!((a.as_str(), b.as_str()), ("a", "b"));
    }

    #[test]
    fn end_is_none_and_sending_to_nobody_is_an_error() {
        let (here, there) = pair().expect("pair");
        drop(there);
        assert!(recv(&here, &mut [0; 4]).expect("recv").is_none());
        assert_eq!(send(&here, b"x", &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn message_that_does_not_fit_is_refused() {
        let (here, there) = pair().expect("pair");
        send(&here, b"too long", &[]).expect("send");
        assert_eq!(recv(&there, &mut [0; 4]).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn only_our_kind_of_socket_is_recognised() {
        let (here, _there) = pair().expect("pair");
        assert!(is_seqpacket(&here));
        assert!(!is_seqpacket(std::fs::File::open("/dev/null").expect("open")));
    }
}
