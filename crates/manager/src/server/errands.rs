//! The server's side of the guest.

use super::connection::{Connection, Parked, State};
use super::engine::Engine;
use super::guest::{Errand, Made, Notice};
use super::ident::Ident;
use super::objects::{Host, Object};
use super::reply;
use crate::hosted::Owner;
use procession_wire::frame;

const DESERTED: &str = "RuntimeError: the program that hosts this object in the server has ended";

impl Engine {
    /// Tells the guest something that it need not answer.
    pub(super) fn tell_guest(&self, errand: Errand) {
        if let Some(desk) = &self.desk {
            desk.send(errand);
        }
    }

    /// Has the guest do something for a connection, which waits for it.
    pub(super) fn send_guest(
        &mut self,
        connection: &mut Connection,
        errand: Errand,
        parked: Parked,
    ) {
        match &self.desk {
            Some(desk) if !desk.is_deserted() => {
                desk.send(errand);
                connection.is_guests = true;
                self.set_deadline(connection, None);
                self.park(connection, parked);
            }
            _ => reply::traceback(connection, DESERTED),
        }
    }

    /// Does what the guest has left word of.
    pub(super) fn hear_guest(&mut self) {
        let Some(desk) = &self.desk else { return };
        let (notices, is_deserted) = (desk.notices(), desk.is_deserted());
        for notice in notices {
            match notice {
                Notice::Answer { connection, reply, made } => {
                    self.answer_for_guest(connection, &reply, made);
                }
                Notice::Hold(name) => self.hold(&name),
                Notice::Release(name) => self.let_go(&name),
                Notice::Refuse(name) => self.take_back(&name),
            }
            self.settle();
        }
        if is_deserted {
            for owner in self.slots.owners() {
                self.answer_deserted(owner);
            }
            self.drop_guests_references();
            self.settle();
        }
    }

    fn answer_for_guest(&mut self, owner: Owner, reply: &[u8], made: Option<Made>) {
        let connection = self.slots.take(owner);
        let made = made.and_then(|made| self.take_up(made));
        match connection {
            Some(mut connection) if connection.waits_for_guest() => {
                if let Some(ident) = made {
                    self.count_reference(&mut connection, ident);
                }
                self.lend(&mut connection);
                frame::append(connection.output.bytes(), |to| to.extend_from_slice(reply));
                self.end_errand(connection);
            }
            Some(connection) => self.slots.put(connection),
            None => {}
        }
        // If nobody was there to get it.
        if let Some(ident) = made {
            self.release(ident);
        }
    }

    fn answer_deserted(&mut self, owner: Owner) {
        let Some(mut connection) = self.slots.take(owner) else { return };
        if connection.waits_for_guest() {
            self.lend(&mut connection);
            reply::traceback(&mut connection, DESERTED);
            self.end_errand(connection);
        } else {
            self.slots.put(connection);
        }
    }

    fn end_errand(&mut self, mut connection: Box<Connection>) {
        let ident = match &connection.state {
            State::Parked(Parked::Guest { ident, .. }) => *ident,
            _ => None,
        };
        self.unpark(&mut connection, ident);
        let alive = self.flush(&mut connection);
        self.finish(connection, alive);
    }

    /// An object that the guest has made, or one that it had.
    fn take_up(&mut self, made: Made) -> Option<Ident> {
        let ident = Ident::parse(&made.ident)?;
        if self.objects.get(ident).is_none() {
            let object = Object::guest(made.typeid.into(), made.exposed);
            self.objects.insert_as(ident, object);
        }
        if let Some(object) = self.objects.get_mut(ident) {
            object.given += 1;
        }
        Some(ident)
    }

    /// The guest could not adopt that object.
    fn take_back(&mut self, name: &str) {
        let Some(wanted) = Ident::parse(name) else { return };
        for owner in self.slots.owners() {
            if let Some(connection) = self.slots.get_mut(owner)
                && let State::Parked(Parked::Guest { ident: Some(ident), adopted }) =
                    &mut connection.state
                && *ident == wanted
                && let Some(hosted) = adopted.take()
                && let Some(object) = self.objects.get_mut(wanted)
            {
                object.host = Host::Own(hosted);
            }
        }
    }

    fn hold(&mut self, name: &str) {
        let ident = Ident::parse(name);
        if let Some(ident) = ident
            && let Some(object) = self.objects.get_mut(ident)
        {
            object.count();
            self.guests_counts.add(ident);
        }
    }

    fn let_go(&mut self, name: &str) {
        let Some(ident) = Ident::parse(name).filter(|ident| self.guests_counts.take(*ident)) else {
            return;
        };
        if let Some(object) = self.objects.get_mut(ident) {
            object.take(1);
        }
        self.release(ident);
    }

    fn drop_guests_references(&mut self) {
        let counts = std::mem::take(&mut self.guests_counts);
        self.drop_references(counts);
    }
}
