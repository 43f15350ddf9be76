//! The loop: it sleeps until something happens, and does what is to be done, each connection a little.
//!
//! Every socket is watched edge-triggered, once, so that a call costs one wait, one read and one write: a read that does not
//! fill its buffer has emptied the socket ([epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html)), and whether a
//! socket takes more is asked only after it did not.

use super::connection::{Connection, State};
use super::deadlines::Deadlines;
use super::door::Name;
use super::guest::Desk;
use super::limits::Limits;
use super::objects::Objects;
use super::output::Output;
use super::processes::{Pid, Processes};
use super::references::Counts;
use super::slots::Slots;
use super::status::{self, Words};
use super::waker::Waker;
use crate::hosted::store::Store;
use crate::hosted::{Answer, Owner};
use crate::memory::offer::Offer;
use crate::transport::{Listener, Stream};
use procession_wire::message::Scanner;
use procession_wire::value::Value;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::io::Errno;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What an event is about, if it is no connection.
const LISTENER: u64 = u64::MAX;
const WAKER: u64 = u64::MAX - 1;
const BELLS: u64 = u64::MAX - 2;
/// The end of a process, whose number stands below this bit.
const PROCESS: u64 = 1 << 63;

/// The listener among those who wait until some instant. No connection has this number.
const LISTENER_PAUSED: Owner = 0;
/// How long nobody is accepted after the system had no descriptor left.
const PAUSE: Duration = Duration::from_millis(100);

/// How many events are taken at once, and connections accepted.
const EVENTS: usize = 256;
const ACCEPTS: usize = 64;

/// A signal that comes between two waits interrupts neither: so it is seen after this time at most.
const PATIENCE: Duration = Duration::from_secs(1);

/// How much is read at once.
const SCRATCH: usize = 256 << 10;

/// A server while it runs.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) epoll: OwnedFd,
    listener: Listener,
    waker: Arc<Waker>,
    pub(super) words: Arc<Words>,
    pub(super) key: Vec<u8>,
    pub(super) limits: Limits,
    /// Where the server is, as a proxy says it.
    pub(super) address: Value,
    pub(super) slots: Slots,
    /// Those that are not served yet, in the order of their coming.
    pub(super) young: BTreeSet<Owner>,
    /// How many are served.
    pub(super) served: usize,
    /// How many of them wait in a call.
    pub(super) waiting: usize,
    pub(super) deadlines: Deadlines,
    ready: VecDeque<Owner>,
    pub(super) store: Rc<Store>,
    pub(super) objects: Objects,
    pub(super) names: HashMap<Box<str>, Name>,
    pub(super) processes: Processes,
    pub(super) desk: Option<Desk>,
    /// The memory that clients of this host share.
    pub(super) offer: Option<Offer>,
    /// Who has waited and is to be answered.
    pub(super) woken: Vec<(Owner, Answer)>,
    /// The references of the guest's own.
    pub(super) guests_counts: Counts,
    /// What connections lend while they are worked on.
    pub(super) scratch: Vec<u8>,
    pub(super) memory: Vec<u8>,
    pub(super) spare: Output,
    pub(super) scanner: Scanner,
    pub(super) now: Instant,
    pub(super) is_over: bool,
}

/// What an engine is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) listener: Listener,
    pub(super) waker: Arc<Waker>,
    pub(super) words: Arc<Words>,
    pub(super) key: Vec<u8>,
    pub(super) limits: Limits,
    pub(super) address: Value,
    pub(super) store: Rc<Store>,
    pub(super) objects: Objects,
    pub(super) names: HashMap<Box<str>, Name>,
    pub(super) desk: Option<Desk>,
    pub(super) offer: Option<Offer>,
}

impl Engine {
    pub(super) fn new(parts: Parts) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let level = EventFlags::IN;
        epoll::add(&epoll, &parts.listener, EventData::new_u64(LISTENER), level)?;
        epoll::add(&epoll, &parts.waker, EventData::new_u64(WAKER), level)?;
        if let Some(offer) = &parts.offer {
            epoll::add(&epoll, offer.bells().as_ref(), EventData::new_u64(BELLS), level)?;
        }
        Ok(Self {
            epoll,
            listener: parts.listener,
            waker: parts.waker,
            words: parts.words,
            key: parts.key,
            limits: parts.limits,
            address: parts.address,
            slots: Slots::default(),
            young: BTreeSet::new(),
            served: 0,
            waiting: 0,
            deadlines: Deadlines::default(),
            ready: VecDeque::new(),
            store: parts.store,
            objects: parts.objects,
            names: parts.names,
            processes: Processes::default(),
            desk: parts.desk,
            offer: parts.offer,
            woken: Vec::new(),
            guests_counts: Counts::default(),
            scratch: vec![0; SCRATCH],
            memory: Vec::new(),
            spare: Output::default(),
            scanner: Scanner::new(),
            now: Instant::now(),
            is_over: false,
        })
    }

    /// Until it is over, or `interrupted` says so, if it is given.
    pub(super) fn run(
        mut self,
        mut interrupted: Option<&mut dyn FnMut() -> bool>,
    ) -> io::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        let mut asks_again_at = self.now;
        while !self.is_over {
            self.count();
            let is_interrupted = self.sleep(&mut events, interrupted.is_some())?;
            self.now = Instant::now();
            if let Some(interrupted) = &mut interrupted
                && (is_interrupted || self.now >= asks_again_at)
            {
                asks_again_at = self.now + PATIENCE;
                self.is_over |= interrupted();
            }
            for event in events.drain(..) {
                self.hear(event)?;
            }
            while let Some(owner) = self.deadlines.pop_due(self.now) {
                if owner == LISTENER_PAUSED {
                    self.watch_listener(EventFlags::IN)?;
                } else {
                    self.expire(owner);
                }
            }
            // Whoever comes into the line meanwhile has its turn after those who have been heard of then.
            for _ in 0..self.ready.len() {
                if let Some(owner) = self.ready.pop_front() {
                    self.serve(owner);
                }
            }
        }
        for owner in self.slots.owners() {
            if let Some(connection) = self.slots.take(owner) {
                self.end(connection);
            }
        }
        self.count();
        Ok(())
    }

    /// Says whether a signal has come instead.
    fn sleep(&self, events: &mut Vec<Event>, minds_signals: bool) -> io::Result<bool> {
        let until_first = |first: Instant| first.saturating_duration_since(Instant::now());
        let wait = match self.deadlines.first().map(until_first) {
            _ if !self.ready.is_empty() => Some(Duration::ZERO),
            first if minds_signals => Some(first.map_or(PATIENCE, |first| first.min(PATIENCE))),
            first => first,
        };
        let wait = wait.map(|wait| Timespec::try_from(wait).unwrap_or_default());
        match epoll::wait(&self.epoll, spare_capacity(events), wait.as_ref()) {
            Ok(_) => Ok(false),
            Err(Errno::INTR) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    fn hear(&mut self, event: Event) -> io::Result<()> {
        match event.data.u64() {
            LISTENER => self.accept()?,
            WAKER => {
                self.waker.awake();
                self.is_over |= self.waker.must_stop();
                self.hear_guest();
            }
            BELLS => self.hear_bells(),
            process if process & PROCESS != 0 => self.bury((process & !PROCESS) as Pid),
            owner => {
                let Some(connection) = self.slots.get_mut(owner) else { return Ok(()) };
                let gone = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
                connection.is_hung_up |= { event.flags }.intersects(gone);
                connection.is_readable |= { event.flags }.intersects(gone | EventFlags::IN);
                if !connection.is_queued {
                    connection.is_queued = true;
                    self.ready.push_back(owner);
                }
            }
        }
        Ok(())
    }

    /// A connection has something to do when its turn comes.
    pub(super) fn queue(&mut self, connection: &mut Connection) {
        if !connection.is_queued {
            connection.is_queued = true;
            self.ready.push_back(connection.owner);
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            match self.listener.accept() {
                Ok(stream) => self.welcome(stream),
                Err(error) => match Errno::from_io_error(&error) {
                    Some(Errno::AGAIN) => break,
                    Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                        self.watch_listener(EventFlags::empty())?;
                        self.deadlines.insert(self.now + PAUSE, LISTENER_PAUSED);
                        break;
                    }
                    // That one is gone already; there may be others.
                    _ => {}
                },
            }
        }
        Ok(())
    }

    fn watch_listener(&self, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, &self.listener, EventData::new_u64(LISTENER), flags)?)
    }

    /// A new peer: it is asked for the key.
    fn welcome(&mut self, stream: Stream) {
        let Some(owner) = self.slots.open() else { return };
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        let added = epoll::add(&self.epoll, &stream, EventData::new_u64(owner), flags);
        let Some(mut connection) = self.challenge(owner, stream).filter(|_| added.is_ok()) else {
            return self.slots.close(owner);
        };
        let deadline = self.now + self.limits.handshake_timeout;
        connection.deadline = Some(deadline);
        self.deadlines.insert(deadline, owner);
        self.young.insert(owner);
        let alive = self.flush(&mut connection);
        self.finish(connection, alive);
        while self.young.len() > self.limits.handshakes {
            let Some(oldest) = self.young.pop_first() else { break };
            if let Some(connection) = self.slots.take(oldest) {
                self.end(connection);
            }
        }
        self.settle();
    }

    /// Whether the loop is told when that socket takes more.
    pub(super) fn watch_output(&self, connection: &mut Connection, watch: bool) -> bool {
        if connection.watches_output == watch {
            return true;
        }
        connection.watches_output = watch;
        let mut flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ET;
        flags.set(EventFlags::OUT, watch);
        let data = EventData::new_u64(connection.owner);
        epoll::modify(&self.epoll, &connection.stream, data, flags).is_ok()
    }

    /// The loop hears no more of it. Closing alone would not do if another process had the descriptor too.
    pub(super) fn forget(&self, descriptor: impl AsFd) {
        let _ = epoll::delete(&self.epoll, descriptor);
    }

    /// The loop is told when that process ends.
    pub(super) fn watch_process(
        epoll: &OwnedFd,
        pid: Pid,
        pidfd: BorrowedFd<'_>,
    ) -> io::Result<()> {
        let data = EventData::new_u64(PROCESS | u64::from(pid.unsigned_abs()));
        Ok(epoll::add(epoll, pidfd, data, EventFlags::IN)?)
    }

    fn count(&self) {
        status::set(&self.words.connections, self.slots.len());
        status::set(&self.words.handshakes, self.young.len());
        status::set(&self.words.waiting, self.waiting);
        status::set(&self.words.objects, self.objects.len());
        status::set(&self.words.bytes_stored, self.store.used());
    }

    /// The time of a connection has come.
    fn expire(&mut self, owner: Owner) {
        let Some(mut connection) = self.slots.take(owner) else { return };
        connection.deadline = None;
        match connection.state {
            State::Handshake(_) | State::Known | State::Leaving => self.end(connection),
            State::Serving => self.slots.put(connection),
            State::Parked(_) => {
                self.slots.put(connection);
                self.expire_call(owner);
            }
        }
        self.settle();
    }
}
