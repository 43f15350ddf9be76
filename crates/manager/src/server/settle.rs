//! What follows from a step: replies go out, those who waited are answered, and what nothing speaks for is dropped.

use super::connection::{Connection, Parked, State};
use super::engine::Engine;
use super::guest::Errand;
use super::ident::Ident;
use super::objects::Host;
use super::references::Counts;
use super::status;
use crate::hosted::store::Kept;
use crate::hosted::{Answer, Owner, Turn};
use crate::memory::offer::Offer;
use std::io::{ErrorKind, Write};
use std::rc::Rc;
use std::time::{Duration, Instant};

/// How long a peer may take to read its last words.
const LEAVING: Duration = Duration::from_secs(5);

impl Engine {
    /// Hands to the kernel what waits for the client. Says whether the connection lives on.
    pub(super) fn flush(&mut self, connection: &mut Connection) -> bool {
        if connection.stream.wants_write()
            && let Err(error) = connection.stream.flush()
        {
            return error.kind() == ErrorKind::WouldBlock && self.watch_output(connection, true);
        }
        if connection.output.is_empty() {
            self.reclaim(connection);
            return self.watch_output(connection, connection.stream.wants_write());
        }
        let before = connection.output.left();
        let Ok(all) = connection.output.send(&mut connection.stream) else { return false };
        let sent = before - connection.output.left();
        status::add(&self.words.bytes_written, sent as u64);
        let all = all && !connection.stream.wants_write();
        if all {
            connection.hand.extend(connection.output.clear());
            self.reclaim(connection);
        }
        self.watch_output(connection, !all)
    }

    /// Lends a connection a buffer for replies, if it has none of its own.
    pub(super) fn lend(&mut self, connection: &mut Connection) {
        if !connection.output.has_buffer() {
            connection.output = std::mem::take(&mut self.spare);
        }
    }

    fn reclaim(&mut self, connection: &mut Connection) {
        if connection.output.has_buffer() {
            self.spare = std::mem::take(&mut connection.output);
        }
    }

    /// Puts a connection back that was worked on, or ends it.
    pub(super) fn finish(&mut self, mut connection: Box<Connection>, alive: bool) {
        let is_sending = connection.is_sending();
        if let State::Leaving = connection.state
            && alive
            && !is_sending
        {
            if connection.is_at_rest() {
                return self.end(connection);
            }
            if !connection.has_goodbye {
                connection.has_goodbye = true;
                let _ = connection.stream.end();
                self.set_deadline(&mut connection, Some(self.now + LEAVING));
            }
        }
        if !alive {
            return self.end(connection);
        }
        let has_something = connection.is_readable || !connection.input.is_empty();
        if has_something && !is_sending && !connection.is_parked() {
            self.queue(&mut connection);
        }
        self.slots.put(connection);
    }

    pub(super) fn set_deadline(&mut self, connection: &mut Connection, when: Option<Instant>) {
        if let Some(old) = std::mem::replace(&mut connection.deadline, when) {
            self.deadlines.remove(old, connection.owner);
        }
        if let Some(new) = when {
            self.deadlines.insert(new, connection.owner);
        }
    }

    /// Answers whom the last step has woken, and drops what it left alone; and so on until nothing follows.
    pub(super) fn settle(&mut self) {
        loop {
            for (owner, answer) in std::mem::take(&mut self.woken) {
                self.answer_waiting(owner, answer);
            }
            for ident in self.objects.unpinned() {
                self.release(ident);
            }
            if self.woken.is_empty() {
                return;
            }
        }
    }

    fn answer_waiting(&mut self, owner: Owner, answer: Answer) {
        let Some(mut connection) = self.slots.take(owner) else { return };
        let State::Parked(Parked::Own(ident)) = connection.state else {
            return self.slots.put(connection);
        };
        if let Answer::Item(item) = answer {
            // A Unix socket refuses bytes for a client that is gone. One of TCP takes them.
            let is_gone = connection.is_hung_up
                || (!connection.stream.is_unix() && connection.stream.is_at_end());
            if is_gone {
                self.give_back(ident, item);
                return self.end(connection);
            }
            self.unpark(&mut connection, Some(ident));
            self.reply(&mut connection, ident, Answer::Item(item));
        } else {
            self.unpark(&mut connection, Some(ident));
            self.reply(&mut connection, ident, answer);
        }
        if let Some(lock) = self.objects.get(ident).and_then(|object| object.lock.as_ref()) {
            connection.has_lock(lock);
        }
        let alive = self.flush(&mut connection);
        self.finish(connection, alive);
    }

    /// A connection waits from here on, and keeps the object in which it does.
    pub(super) fn park(&mut self, connection: &mut Connection, parked: Parked) {
        if let Parked::Own(ident) | Parked::Guest { ident: Some(ident), .. } = &parked {
            self.objects.wait(*ident);
        }
        self.waiting += 1;
        connection.state = State::Parked(parked);
    }

    /// It waits no longer. What it waited in may go.
    pub(super) fn unpark(&mut self, connection: &mut Connection, ident: Option<Ident>) {
        self.waiting -= 1;
        self.set_deadline(connection, None);
        let served = if connection.is_served { State::Serving } else { State::Leaving };
        connection.state = served;
        if let Some(ident) = ident {
            self.objects.waited(ident);
            self.release(ident);
        }
    }

    /// An item that did not reach its client.
    pub(super) fn give_back(&mut self, queue: Ident, item: Rc<Kept>) {
        let Some(object) = self.objects.get_mut(queue) else { return };
        if let Host::Own(hosted) = &mut object.host {
            let (now, store, woken) = (self.now, &self.store, &mut self.woken);
            let bells = self.offer.as_ref().map(Offer::bells);
            hosted.give_back(item, &mut Turn { owner: 0, now, store, bells, woken });
        }
    }

    /// The deadline of a call has come.
    pub(super) fn expire_call(&mut self, owner: Owner) {
        let parked = self.slots.get_mut(owner).map(|connection| &connection.state);
        let Some(State::Parked(Parked::Own(ident))) = parked else { return };
        let Some(object) = self.objects.get_mut(*ident) else { return };
        if let Host::Own(hosted) = &mut object.host {
            let (now, store, woken) = (self.now, &self.store, &mut self.woken);
            let bells = self.offer.as_ref().map(Offer::bells);
            let answer = hosted.expire(owner, &mut Turn { owner, now, store, bells, woken });
            self.woken.extend(answer.map(|answer| (owner, answer)));
        }
    }

    /// Drops an object for which nothing speaks any more.
    pub(super) fn release(&mut self, ident: Ident) {
        for (ident, times) in self.objects.release(ident) {
            self.tell_guest(Errand::Forget { ident: ident.to_string(), times });
        }
    }

    /// Drops what somebody counted who is gone.
    pub(super) fn drop_references(&mut self, counts: Counts) {
        for (ident, count) in counts.into_all() {
            if let Some(object) = self.objects.get_mut(ident) {
                object.take(count);
            }
            self.release(ident);
        }
    }

    /// A connection is gone, and takes along what it has. What follows from that is left to [`Self::settle`].
    pub(super) fn end(&mut self, mut connection: Box<Connection>) {
        let owner = connection.owner;
        self.forget(&connection.stream);
        let _ = connection.stream.end();
        self.set_deadline(&mut connection, None);
        self.young.remove(&owner);
        self.served -= usize::from(connection.is_served);
        self.store.free(connection.charged);
        let has_tail_inside = connection.stream.wants_write();
        for (queue, item) in connection.output.undelivered(has_tail_inside) {
            self.give_back(queue, item);
        }
        if let State::Parked(Parked::Own(ident)) = connection.state {
            if let Some(object) = self.objects.get_mut(ident)
                && let Host::Own(hosted) = &mut object.host
            {
                let (now, store, woken) = (self.now, &self.store, &mut self.woken);
                let bells = self.offer.as_ref().map(Offer::bells);
                hosted.leave(owner, &mut Turn { owner, now, store, bells, woken });
            }
            self.unpark(&mut connection, Some(ident));
        } else if let State::Parked(Parked::Guest { ident, .. }) = connection.state {
            self.unpark(&mut connection, ident);
        }
        for lock in connection.locks.drain(..) {
            let (now, store, woken) = (self.now, &self.store, &mut self.woken);
            let bells = self.offer.as_ref().map(Offer::bells);
            lock.borrow_mut().leave(owner, &mut Turn { owner, now, store, bells, woken });
        }
        self.drop_references(std::mem::take(&mut connection.counts));
        if connection.is_guests {
            self.tell_guest(Errand::Ended { connection: owner });
        }
        self.slots.close(owner);
    }

    /// A process is gone, and takes along what it counted.
    pub(super) fn bury(&mut self, pid: super::processes::Pid) {
        if let Some(offer) = &mut self.offer {
            offer.ended(pid);
        }
        if let Some(watched) = self.processes.ended(pid) {
            self.forget(&watched);
            self.drop_references(watched.counts);
            self.settle();
        }
    }
}
