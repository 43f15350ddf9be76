//! How a client comes into the server's family.
//!
//! The descriptor of the arena comes over a connection of its own, so that no other has to be read in a way that keeps
//! descriptors. Where anything is in the way the client goes on over the socket: there is nothing here that must succeed.

use procession_shm::{Family, MemberId};
use procession_sys::ready::{self, Watch};
use procession_sys::{Deadline, crash_point, fd_pass};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// `(None, 'arena', (), {})`, as a message.
const REQUEST: &[u8] = b"\0\0\0\x0f\x80\x04(N\x8c\x05arena)}t.";
/// No reply is longer.
const MOST: usize = 4096;

/// Why a client does not share the server's memory.
#[derive(Debug, thiserror::Error)]
pub enum NotShared {
    /// The server keeps its memory to itself, or from this process.
    #[error(
        "the manager does not share its memory with this process: it was told not to, or belongs to \
         another user, or is in another container"
    )]
    Refused,
    /// What came is no answer.
    #[error("the manager does not know how to share its memory")]
    Unknown,
    /// The connection failed.
    #[error("cannot ask the manager for its memory: {0}")]
    Connection(#[from] io::Error),
    /// This process cannot use the memory.
    #[error("cannot use the manager's memory: {0}")]
    Memory(#[from] procession_shm::Error),
}

/// Asks a manager for its memory and joins its family.
///
/// `socket` is a connection to its Unix socket on which the key has been shown and nothing else said; it is of no
/// use afterwards. This process keeps a family of its own, in which it makes what it makes.
///
/// # Errors
/// [`NotShared`]: go on over the socket.
pub fn join(socket: impl AsFd, deadline: Deadline) -> Result<&'static Family, NotShared> {
    procession_shm::family()?;
    fd_pass::send(&socket, REQUEST, &[])?;
    crash_point!("manager.join.asked");
    let (reply, descriptor) = receive(socket.as_fd(), deadline)?;
    crash_point!("manager.join.received");
    let reply: (String, Option<(u64, u64)>) =
        procession_wire::pickle::from_slice(&reply).map_err(|_| NotShared::Unknown)?;
    match (reply, descriptor) {
        ((kind, Some((_, seat))), Some(descriptor)) if kind == "#RETURN" => {
            let family = procession_shm::join(descriptor, MemberId::from_word(seat))?;
            family.stand_alone();
            crash_point!("manager.join.joined");
            Ok(family)
        }
        ((kind, None), None) if kind == "#RETURN" => Err(NotShared::Refused),
        _ => Err(NotShared::Unknown),
    }
}

/// One message, and the descriptor that came with it.
fn receive(
    socket: BorrowedFd<'_>,
    deadline: Deadline,
) -> Result<(Vec<u8>, Option<OwnedFd>), NotShared> {
    let (mut bytes, mut descriptor) = (Vec::new(), None);
    let mut buffer = [0; MOST];
    loop {
        if ready::wait(&mut [Watch::readable(socket)], deadline)? == 0 {
            return Err(io::Error::from(io::ErrorKind::TimedOut).into());
        }
        let Some(received) = fd_pass::recv(socket, &mut buffer)? else {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        };
        bytes.extend_from_slice(&buffer[..received.len]);
        descriptor = received.fds.into_iter().next().or(descriptor);
        let Some((length, rest)) = bytes.split_first_chunk() else { continue };
        match usize::try_from(i32::from_be_bytes(*length)) {
            Ok(length) if length <= MOST && rest.len() < length => {}
            Ok(length) if rest.len() == length => return Ok((rest.to_vec(), descriptor)),
            _ => return Err(NotShared::Unknown),
        }
    }
}
