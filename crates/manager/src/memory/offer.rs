//! How the server lets a client into its family, and buries it.

use super::bells::Bells;
use procession_shm::{Family, MemberId, MemberState};
use procession_sys::{crash_point, fd_pass};
use std::collections::HashMap;
use std::io;
use std::os::fd::AsFd;
use std::rc::Rc;

/// A process, by its number while it is watched.
type Pid = i32;

/// The memory of a server that shares it.
#[derive(Debug)]
pub(crate) struct Offer {
    family: &'static Family,
    bells: Rc<Bells>,
    /// The seats that processes were given, taken or not.
    seats: HashMap<Pid, Vec<MemberId>>,
}

/// `(kind, value)` as a message.
fn message(value: Option<(u64, u64)>) -> io::Result<Vec<u8>> {
    let pickle = procession_wire::pickle::to_vec(&("#RETURN", value)).map_err(io::Error::other)?;
    let length = i32::try_from(pickle.len()).map_err(io::Error::other)?;
    Ok([&length.to_be_bytes(), pickle.as_slice()].concat())
}

impl Offer {
    /// That of this process's own family, which is founded if there is none.
    ///
    /// # Errors
    /// Of the arena; of the kernel, without a free descriptor.
    pub(crate) fn new() -> io::Result<Self> {
        let family = procession_shm::family().map_err(io::Error::other)?;
        Ok(Self { family, bells: Rc::new(Bells::new(family)?), seats: HashMap::new() })
    }

    /// The number of the arena, which clients are told.
    pub(crate) fn number(&self) -> u64 {
        self.family.arena().id()
    }

    /// The server's own seat, by which clients see whether it lives.
    pub(crate) fn seat(&self) -> u64 {
        self.family.me().to_word()
    }

    /// Where the server hears of objects that others use without it.
    pub(crate) fn bells(&self) -> &Rc<Bells> {
        &self.bells
    }

    /// Sends the arena to the process `pid` at the other end of `socket`, with a seat. The process must be watched, and its
    /// end be told to [`ended`](Self::ended).
    ///
    /// # Errors
    /// Of the socket. That there is no seat is not one: the client is told no.
    pub(crate) fn hand_over(&mut self, socket: impl AsFd, pid: Pid) -> io::Result<()> {
        self.family.look_for_deaths();
        let Ok(seat) = self.family.reserve() else { return Self::refuse(socket) };
        self.seats.entry(pid).or_default().push(seat);
        let reply = message(Some((self.number(), seat.to_word())))?;
        crash_point!("manager.offer.reserved");
        fd_pass::send(socket, &reply, &[self.family.fd()])?;
        crash_point!("manager.offer.sent");
        Ok(())
    }

    /// Tells a client that it is not let in.
    ///
    /// # Errors
    /// Of the socket.
    pub(crate) fn refuse(socket: impl AsFd) -> io::Result<()> {
        fd_pass::send(socket, &message(None)?, &[])
    }

    /// That process has ended: what it held in the arena goes back.
    pub(crate) fn ended(&mut self, pid: Pid) {
        crash_point!("manager.offer.before_bury");
        for seat in self.seats.remove(&pid).unwrap_or_default() {
            match self.family.state(seat) {
                MemberState::Reserved => self.family.release(seat),
                MemberState::Alive | MemberState::Dying => self.family.bury(seat),
                MemberState::Free | MemberState::Ended => {}
            }
        }
    }
}
