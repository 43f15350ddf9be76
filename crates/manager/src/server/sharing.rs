//! Clients of this host in the server's memory: they are let in, find their objects, and ring.

use super::connection::Connection;
use super::engine::Engine;
use super::ident::Ident;
use super::objects::Host;
use super::reply;
use crate::hosted::{Answer, Turn};
use crate::memory::offer::Offer;
use procession_sys::{crash_point, peer};
use procession_wire::message::Request;
use procession_wire::value::Value;
use std::os::fd::BorrowedFd;

impl Engine {
    /// Sends the arena over a connection that is of no other use, or a refusal.
    pub(super) fn hand_over(&mut self, connection: &mut Connection) {
        // The descriptor goes around the buffer for replies, which is empty unless the client asked before it had
        // the last word of the handshake.
        if !self.flush(connection) || connection.is_sending() {
            return;
        }
        let socket = &connection.stream;
        let is_own =
            peer::uid(socket).is_ok_and(|user| user == rustix::process::geteuid().as_raw());
        let peer = peer::pid(socket).ok().flatten().filter(|_| socket.is_unix() && is_own);
        let epoll = &self.epoll;
        let mut is_watched = |pid| {
            let watch = |pidfd: BorrowedFd<'_>| Self::watch_process(epoll, pid, pidfd);
            self.processes.share(pid, watch).is_ok()
        };
        // Who is not told sees the end of the stream.
        let _ = match (&mut self.offer, peer) {
            (Some(offer), Some(pid)) if is_watched(pid) => offer.hand_over(socket, pid),
            _ => Offer::refuse(socket),
        };
    }

    /// Where an object lies, for a client that is in the family; `None` if not in the arena.
    pub(super) fn place_of(&mut self, ident: Ident) -> Value {
        let bells = self.offer.as_ref().map(Offer::bells);
        let (now, store, woken) = (self.now, &self.store, &mut self.woken);
        let mut turn = Turn { owner: 0, now, store, bells, woken };
        let place = self.objects.get_mut(ident).and_then(|object| object.share(&mut turn));
        let Some(place) = place else { return Value::None };
        crash_point!("manager.offer.placed");
        let code = place.code.map(String::from).unwrap_or_default();
        let server = self.offer.as_ref().map(Offer::seat);
        Value::Tuple(vec![
            place.handle.to_bits().into(),
            place.kind.into(),
            code.into(),
            server.into(),
        ])
    }

    /// Gives a client the payload for which it got a ticket.
    pub(super) fn claim(&mut self, connection: &mut Connection, request: &Request<'_>) {
        let claimed = || {
            let [name, ticket] = request.args.as_slice() else { return None };
            let (Ok(Value::Str(name)), Ok(ticket)) = (name.value(), ticket.value()) else {
                return None;
            };
            Some((Ident::parse(&name)?, u64::try_from(ticket.as_int()?).ok()?))
        };
        let found = claimed().and_then(|(ident, ticket)| {
            let Host::Own(hosted) = &mut self.objects.get_mut(ident)?.host else { return None };
            Some((ident, hosted.claim(ticket)?))
        });
        crash_point!("manager.ticket.claimed");
        match found {
            Some((ident, kept)) => self.reply(connection, ident, Answer::Payload(kept)),
            None => reply::traceback(connection, "KeyError: nothing is kept under that ticket"),
        }
    }

    /// Has every object looked at that was used without the server while somebody waits for it.
    pub(super) fn hear_bells(&mut self) {
        let Some(bells) = self.offer.as_ref().map(Offer::bells) else { return };
        for number in bells.rung() {
            let Some(ident) = self.objects.ringing(number) else { continue };
            let Some(object) = self.objects.get_mut(ident) else { continue };
            if let Host::Own(hosted) = &mut object.host {
                let (now, store, woken) = (self.now, &self.store, &mut self.woken);
                hosted.look(&mut Turn { owner: 0, now, store, bells: Some(bells), woken });
            }
        }
        self.settle();
    }
}
