//! `Queue` and `JoinableQueue` in the arena: CPython's `queue.Queue` over the engine's.

use super::Place;
use super::line::Line;
use crate::hosted::call::{Answer, Call, Called, Fault, Hosted, Outcome, Owner, Turn};
use crate::hosted::queue::{EXPOSED, Request, most, patience};
use crate::hosted::raise;
use crate::hosted::store::{Kept, Store};
use crate::memory::TICKET;
use crate::memory::bells::Bells;
use procession_ipc::byte_queue::{Bounds, ByteQueue, Got, Item, is_large};
use procession_ipc::message::{PICKLE, Parcel};
use procession_ipc::{Doorbell, Error, Shareable};
use procession_sys::bytes::Bytes;
use procession_sys::{Deadline, crash_point};
use procession_wire::message::{Argument, Exception, Payload};
use procession_wire::value::Value;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// A queue in the arena, and the lines of those who wait for it through the server.
#[derive(Debug)]
pub(crate) struct ArenaQueue {
    queue: ByteQueue,
    number: u64,
    store: Rc<Store>,
    getters: VecDeque<Owner>,
    putters: VecDeque<(Owner, Rc<Kept>)>,
    joiners: Vec<Owner>,
    for_items: Line,
    for_room: Line,
    until_done: Line,
    /// Items that were taken for clients which they did not reach, the first to be got first. Those who share the queue
    /// do not see them here.
    returned: VecDeque<Rc<Kept>>,
    /// Somebody shares it.
    is_shared: bool,
    /// Payloads that name objects of the server, by the tickets that lie in the queue for them.
    tickets: HashMap<u64, Rc<Kept>>,
    last_ticket: u64,
}

/// What came of trying.
type Tried<T> = Result<Option<T>, Exception>;

fn raised(error: &Error) -> Exception {
    match error {
        Error::Closed { .. } => raise::shut_down(),
        Error::TaskDoneTooOften => raise::value_error(error.to_string()),
        error if error.is_out_of_memory() => raise::memory_error(error.to_string()),
        error => raise::runtime_error(error.to_string()),
    }
}

impl ArenaQueue {
    /// From the arguments of `Queue(maxsize=0)`.
    pub(crate) fn create(
        call: &Call<'_>,
        turn: &Turn<'_>,
        bells: &Rc<Bells>,
    ) -> Result<Box<dyn Hosted>, Fault> {
        let bounds = Bounds { items: most(call)? as u64, bytes: 0 };
        let queue = ByteQueue::new(bounds).map_err(|error| raised(&error))?;
        queue.speak_pickle();
        let number = bells.number();
        Ok(Box::new(Self {
            queue,
            number,
            store: Rc::clone(turn.store),
            getters: VecDeque::new(),
            putters: VecDeque::new(),
            joiners: Vec::new(),
            for_items: Line::new(bells, number),
            for_room: Line::new(bells, number),
            until_done: Line::new(bells, number),
            returned: VecDeque::new(),
            is_shared: false,
            tickets: HashMap::new(),
            last_ticket: 0,
        }))
    }

    /// Puts an item if there is room; whether there was.
    fn try_put(&mut self, item: &Rc<Kept>) -> Result<bool, Exception> {
        let pickle = item.payload().as_pickle();
        let put = if item.pins() {
            let ticket = self.last_ticket + 1;
            self.queue.put_one(TICKET, &ticket.to_ne_bytes(), Deadline::now()).inspect(|()| {
                crash_point!("manager.ticket.put");
                self.last_ticket = ticket;
                self.tickets.insert(ticket, Rc::clone(item));
            })
        } else if is_large(pickle.len()) {
            put_large(&self.queue, pickle)
        } else {
            self.queue.put_one(PICKLE, pickle, Deadline::now())
        };
        match put {
            Ok(()) => Ok(true),
            Err(error) if error.is_timeout() => Ok(false),
            Err(error) => Err(raised(&error)),
        }
    }

    /// Takes an item if there is one.
    fn try_get(&mut self) -> Tried<Rc<Kept>> {
        if let Some(item) = self.returned.pop_front() {
            return Ok(Some(item));
        }
        let mut bytes = Vec::new();
        let parcel;
        let (format, pickle) = match self.queue.get(&mut bytes, None, Deadline::now()) {
            Ok(Got::Message { format, .. }) => (format, bytes.as_slice()),
            Ok(Got::Parcel(got)) => {
                parcel = got;
                (parcel.format(), parcel.bytes())
            }
            Err(error) if error.is_timeout() => return Ok(None),
            Err(error) => return Err(raised(&error)),
        };
        match format {
            PICKLE => {
                let payload = Payload::from_pickle(pickle)
                    .map_err(|error| raise::value_error(error.to_string()))?;
                Ok(Some(self.store.keep_taken(payload)))
            }
            TICKET => {
                let ticket = pickle.try_into().map_or(0, u64::from_ne_bytes);
                let lost = || raise::runtime_error("a ticket without a payload is in the queue");
                self.tickets.remove(&ticket).map(Some).ok_or_else(lost)
            }
            other => Err(raise::value_error(format!("a message of format {other} is no pickle"))),
        }
    }

    fn put(
        &mut self,
        item: &Argument<'_>,
        block: bool,
        timeout: Option<f64>,
        turn: &mut Turn<'_>,
    ) -> Called {
        let item = turn.store.keep(item)?;
        if self.try_put(&item)? {
            return Ok(Value::None.into());
        }
        let timeout = patience(block, timeout)?;
        if timeout == Some(0.0) {
            return Err(raise::full().into());
        }
        self.putters.push_back((turn.owner, item));
        self.settle(turn)?;
        Ok(Outcome::Wait(turn.deadline(timeout)))
    }

    fn get(&mut self, block: bool, timeout: Option<f64>, turn: &mut Turn<'_>) -> Called {
        if let Some(item) = self.try_get()? {
            return Ok(Outcome::Done(Answer::Item(item)));
        }
        let timeout = patience(block, timeout)?;
        if timeout == Some(0.0) {
            return Err(raise::empty().into());
        }
        self.getters.push_back(turn.owner);
        self.settle(turn)?;
        Ok(Outcome::Wait(turn.deadline(timeout)))
    }

    /// Has bells hang for the lines in which somebody stands. If that fails, the caller waits for nothing.
    fn settle(&mut self, turn: &Turn<'_>) -> Result<(), Exception> {
        self.hang_bells().inspect_err(|_| self.forget(turn.owner)).map_err(|error| raised(&error))
    }

    fn hang_bells(&mut self) -> Result<(), Error> {
        let queue = &self.queue;
        let hang = || Doorbell::hang(queue.held());
        let wants_room = !self.putters.is_empty() || (self.is_shared && !self.returned.is_empty());
        self.for_items.settle(!self.getters.is_empty(), hang, |bell| queue.show_items(bell))?;
        self.for_room.settle(wants_room, hang, |bell| queue.show_room(bell))?;
        self.until_done.settle(
            !self.joiners.is_empty(),
            || Doorbell::hang_for_joiner(queue.held()),
            |bell| queue.show_done(bell),
        )
    }

    fn forget(&mut self, owner: Owner) {
        self.getters.retain(|getter| *getter != owner);
        self.putters.retain(|(putter, _)| *putter != owner);
        self.joiners.retain(|joiner| *joiner != owner);
    }

    /// Takes down the bells at which nobody waits any more.
    fn tidy(&mut self) {
        // A bell that is to hang does already, so nothing is asked of the kernel that it could refuse.
        let _ = self.hang_bells();
    }

    fn serve_getters(&mut self, turn: &mut Turn<'_>) {
        while let Some(getter) = self.getters.front().copied() {
            let answer = match self.try_get() {
                Ok(Some(item)) => Answer::Item(item),
                Ok(None) => return,
                Err(error) => Answer::Raise(error),
            };
            self.getters.pop_front();
            turn.wake(getter, answer);
        }
    }

    fn serve_putters(&mut self, turn: &mut Turn<'_>) {
        while let Some((putter, item)) = self.putters.pop_front() {
            let answer = match self.try_put(&item) {
                Ok(true) => Answer::Value(Value::None),
                Ok(false) => return self.putters.push_front((putter, item)),
                Err(error) => Answer::Raise(error),
            };
            turn.wake(putter, answer);
        }
    }

    /// Puts what came back to the end of the ring, if there are others who are to have it too.
    fn put_back(&mut self) {
        while self.is_shared
            && let Some(item) = self.returned.pop_front()
        {
            if !self.try_put(&item).unwrap_or(false) {
                return self.returned.push_front(item);
            }
            // It was counted when it was put first.
            let _ = self.queue.task_done();
        }
    }

    fn shutdown(&mut self, immediate: bool, turn: &mut Turn<'_>) {
        self.queue.shut();
        if immediate {
            for _ in self.returned.drain(..) {
                let _ = self.queue.task_done();
            }
            let mut bytes = Vec::new();
            while self.queue.get(&mut bytes, None, Deadline::now()).is_ok() {
                let _ = self.queue.task_done();
            }
            self.tickets.clear();
        }
        self.look(turn);
    }
}

/// Puts a pickle that is not copied into the ring.
fn put_large(queue: &ByteQueue, pickle: &[u8]) -> Result<(), Error> {
    let parcel = Parcel::gather(queue.held().family(), PICKLE, &[Bytes::Still(pickle)], 1)?;
    queue.put(&[Item::Parcel(&parcel)], Deadline::now()).map_err(|(_, error)| error)?;
    parcel.keep();
    Ok(())
}

impl Hosted for ArenaQueue {
    fn exposed(&self) -> &'static [&'static str] {
        EXPOSED
    }

    fn call(&mut self, call: &Call<'_>, turn: &mut Turn<'_>) -> Called {
        match Request::of(call)? {
            Request::Put(item, block, timeout) => self.put(item, block, timeout, turn),
            Request::Get(block, timeout) => self.get(block, timeout, turn),
            Request::Shutdown(immediate) => {
                self.shutdown(immediate, turn);
                Ok(Value::None.into())
            }
            Request::Plain("qsize") => {
                let inside = usize::try_from(self.queue.len()).unwrap_or(usize::MAX);
                Ok(Value::from(inside.saturating_add(self.returned.len())).into())
            }
            Request::Plain("empty") => {
                let is_empty = self.queue.is_empty() && self.returned.is_empty();
                Ok(Value::Bool(is_empty).into())
            }
            Request::Plain("full") => Ok(Value::Bool(self.queue.is_full()).into()),
            Request::Plain("task_done") => {
                self.queue.task_done().map_err(|error| raised(&error))?;
                Ok(Value::None.into())
            }
            Request::Plain("join") if self.queue.unfinished() == 0 => Ok(Value::None.into()),
            Request::Plain("join") => {
                self.joiners.push(turn.owner);
                self.settle(turn)?;
                Ok(Outcome::Wait(None))
            }
            Request::Plain(_) => Err(Fault::NoMethod),
        }
    }

    fn expire(&mut self, owner: Owner, _turn: &mut Turn<'_>) -> Option<Answer> {
        let is_getter = self.getters.contains(&owner);
        self.forget(owner);
        self.tidy();
        Some(Answer::Raise(if is_getter { raise::empty() } else { raise::full() }))
    }

    fn leave(&mut self, owner: Owner, _turn: &mut Turn<'_>) {
        self.forget(owner);
        self.tidy();
    }

    fn give_back(&mut self, item: Rc<Kept>, turn: &mut Turn<'_>) {
        self.returned.push_front(item);
        self.look(turn);
    }

    fn repr(&self, address: &str) -> Result<String, Fault> {
        Ok(format!("<queue.Queue object at 0x{address}>"))
    }

    fn share(&mut self, turn: &mut Turn<'_>) -> Option<Place> {
        self.is_shared = true;
        self.look(turn);
        Some(Place { handle: self.queue.handle(), kind: "Queue", code: None })
    }

    fn number(&self) -> Option<u64> {
        Some(self.number)
    }

    fn look(&mut self, turn: &mut Turn<'_>) {
        self.serve_getters(turn);
        self.put_back();
        self.serve_putters(turn);
        if self.queue.unfinished() == 0 {
            for joiner in self.joiners.drain(..) {
                turn.wake(joiner, Answer::Value(Value::None));
            }
        }
        self.tidy();
    }

    fn claim(&mut self, ticket: u64) -> Option<Rc<Kept>> {
        self.tickets.remove(&ticket)
    }
}
