//! One connection: where it stands, what of it is half read and half written, and what its client has.

use super::ident::Ident;
use super::output::Output;
use super::references::Counts;
use crate::hosted::Hosted;
use crate::hosted::Owner;
use crate::hosted::lock::Shared;
use crate::hosted::store::Kept;
use crate::transport::Stream;
use procession_wire::auth::Handshake;
use procession_wire::frame::Decoder;
use std::rc::Rc;
use std::time::Instant;

/// The longest message of a peer that has not shown the key.
const HANDSHAKE: u64 = 256;

/// Where a connection stands; the README has the picture.
#[derive(Debug)]
pub(super) enum State {
    /// It is to show the key.
    Handshake(Box<Handshake>),
    /// It has, and may send one control request.
    Known,
    /// It calls.
    Serving,
    /// It waits in a call.
    Parked(Parked),
    /// It has been told its last; what it still says is thrown away.
    Leaving,
}

/// What a connection waits for.
#[derive(Debug)]
pub(super) enum Parked {
    /// An object of the server.
    Own(Ident),
    /// The guest: for a new object, or for one of its own.
    Guest {
        ident: Option<Ident>,
        /// What the object was before the guest adopted it, until the guest has counted what is in it.
        adopted: Option<Box<dyn Hosted>>,
    },
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) owner: Owner,
    pub(super) stream: Stream,
    pub(super) state: State,
    /// It is, or was, served.
    pub(super) is_served: bool,
    /// The client said `hello`.
    pub(super) is_ours: bool,
    /// The guest has seen it.
    pub(super) is_guests: bool,
    /// It stands in the line of those that have something to do.
    pub(super) is_queued: bool,
    /// There may be something to read.
    pub(super) is_readable: bool,
    /// It has been told that nothing more will come.
    pub(super) has_goodbye: bool,
    /// The peer will send nothing more.
    pub(super) is_hung_up: bool,
    /// The loop is told when the socket takes more.
    pub(super) watches_output: bool,
    /// What has come of a message that is not complete.
    pub(super) decoder: Decoder,
    /// What stands behind a message that had to be the last for now: mostly nothing.
    pub(super) input: Vec<u8>,
    /// How much of both the store has counted.
    pub(super) charged: usize,
    pub(super) output: Output,
    /// When it is looked at next without having said anything.
    pub(super) deadline: Option<Instant>,
    /// The locks that it has.
    pub(super) locks: Vec<Shared>,
    /// What it was handed last, if that names objects.
    pub(super) hand: Vec<Rc<Kept>>,
    /// What was counted over it, if it is ours.
    pub(super) counts: Counts,
}

impl Connection {
    pub(super) fn new(owner: Owner, stream: Stream, handshake: Handshake) -> Self {
        Self {
            owner,
            stream,
            state: State::Handshake(Box::new(handshake)),
            is_served: false,
            is_ours: false,
            is_guests: false,
            is_queued: false,
            is_readable: false,
            has_goodbye: false,
            is_hung_up: false,
            watches_output: false,
            decoder: Decoder::new(HANDSHAKE),
            input: Vec::new(),
            charged: 0,
            output: Output::default(),
            deadline: None,
            locks: Vec::new(),
            hand: Vec::new(),
            counts: Counts::default(),
        }
    }

    pub(super) fn is_parked(&self) -> bool {
        matches!(self.state, State::Parked(_))
    }

    pub(super) fn waits_for_guest(&self) -> bool {
        matches!(self.state, State::Parked(Parked::Guest { .. }))
    }

    /// Whether its next message may be carried out.
    pub(super) fn listens(&self) -> bool {
        matches!(self.state, State::Handshake(_) | State::Known | State::Serving)
    }

    /// Whether something waits until the socket takes more.
    pub(super) fn is_sending(&self) -> bool {
        !self.output.is_empty() || self.stream.wants_write()
    }

    /// Whether everything that has come from it is done with.
    pub(super) fn is_at_rest(&self) -> bool {
        self.input.is_empty() && self.decoder.is_between()
    }

    /// What it keeps in memory of what has come.
    pub(super) fn kept(&self) -> usize {
        self.input.len() + self.decoder.kept()
    }

    /// From here on it sends requests, of at most `limit` bytes.
    pub(super) fn is_known(&mut self, limit: u64) {
        self.state = State::Known;
        self.decoder.set_limit(limit);
    }

    /// It has that lock now, or has it no longer.
    pub(super) fn has_lock(&mut self, lock: &Shared) {
        let known = self.locks.iter().position(|known| Rc::ptr_eq(known, lock));
        match (lock.borrow().is_held_by(self.owner), known) {
            (true, None) => self.locks.push(Rc::clone(lock)),
            (false, Some(place)) => drop(self.locks.swap_remove(place)),
            _ => {}
        }
    }
}
