//! Telling pollers that an object may be ready.
//!
//! A poller hangs up a doorbell for the object, under one of 64 names, and sets that name's bit in
//! the object's head before its last look. Whoever makes the object ready takes the bits, all at
//! once, and rings. While nobody polls this costs one load.
//!
//! | names | who is told | of what |
//! |---|---|---|
//! | 0 to 55 | pollers | an item or room of a queue, a free lock |
//! | 56 to 63 | joiners that poll | all items of a queue are done |
//!
//! **If the poller dies** its bell is gone with it, and ringing it does nothing. **If the ringer
//! dies** between taking the bits and ringing, pollers look again by themselves after
//! [`RECHECK`](procession_shm::RECHECK).

use crate::Error;
use procession_shm::Held;
use procession_sys::atomic::Ordering::{Relaxed, SeqCst};
use procession_sys::atomic::fence;
use procession_sys::bell::Bell;
use procession_sys::{crash_point, forked};
use std::ops::Range;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicBool;

/// The names of those who are told that a queue or a lock is ready.
pub(crate) const READY: Range<u32> = 0..56;
/// The names of those who are told that all items of a queue are done.
pub(crate) const DONE: Range<u32> = 56..64;

/// A descriptor that shows whether a queue is ready, for a poller of its own, such as an event loop.
///
/// The descriptor is readable while the queue is ready, as far as it has been shown: call
/// [`ByteQueue::show_items`](crate::byte_queue::ByteQueue::show_items) or
/// [`show_room`](crate::byte_queue::ByteQueue::show_room) after every use of the queue in this process. Another process that takes the item leaves
/// the descriptor readable until then.
///
/// # If a process dies
/// A putter that dies between its put and the ring leaves the descriptor silent; whoever puts next
/// rings for both.
///
/// # After fork
/// The bell is the parent's. The child hangs up its own.
#[derive(Debug)]
pub struct Doorbell {
    held: Held,
    bit: u32,
    bell: Bell,
    is_lit: AtomicBool,
    since: u32,
}

impl Doorbell {
    /// Hangs up a bell at an object.
    ///
    /// # Errors
    /// [`Error::System`] without a free descriptor, [`Error::TooManyPollers`].
    pub fn hang(held: &Held) -> Result<Self, Error> {
        Self::hang_among(held, READY)
    }

    /// Hangs up a bell at a queue for one who waits until all items are done, see
    /// [`ByteQueue::show_done`](crate::byte_queue::ByteQueue::show_done).
    ///
    /// # Errors
    /// As [`hang`](Self::hang).
    pub fn hang_for_joiner(held: &Held) -> Result<Self, Error> {
        Self::hang_among(held, DONE)
    }

    fn hang_among(held: &Held, names: Range<u32>) -> Result<Self, Error> {
        let (bit, bell) = hang(held, names)?;
        let since = forked::generation();
        Ok(Self { held: held.clone(), bit, bell, is_lit: AtomicBool::new(false), since })
    }

    /// Whether this process hung it up, and not one that it was forked from.
    pub fn is_mine(&self) -> bool {
        self.since == forked::generation()
    }

    /// Makes the descriptor readable if `is_ready`, and if not, silent until the next ring.
    ///
    /// `alone` calls what it is given while nobody rings for what is not there any more.
    pub(crate) fn show(&self, is_ready: impl Fn() -> bool, alone: impl FnOnce(&dyn Fn())) {
        let ready = is_ready();
        if ready && self.is_lit.load(Relaxed) {
            return;
        }
        if !ready {
            self.is_lit.store(false, Relaxed);
            alone(&|| listen(&self.held, self.bit, &self.bell));
            if !is_ready() {
                return;
            }
        }
        self.is_lit.store(true, Relaxed);
        let name = name(&self.held, self.bit);
        procession_sys::bell::ring(std::iter::once(name.as_slice()));
    }
}

impl AsFd for Doorbell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}

impl Drop for Doorbell {
    fn drop(&mut self) {
        if self.is_mine() {
            self.held.head().bells.fetch_and(!(1 << self.bit), Relaxed);
        }
    }
}

fn hang(held: &Held, names: Range<u32>) -> Result<(u32, Bell), Error> {
    for bit in names.clone() {
        match Bell::hang(&name(held, bit)) {
            Ok(bell) => return Ok((bit, bell)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(source) => {
                return Err(Error::System { attempted: "make a doorbell to poll", source });
            }
        }
    }
    Err(Error::TooManyPollers(names.len()))
}

fn listen(held: &Held, bit: u32, bell: &Bell) {
    bell.silence();
    held.head().bells.fetch_or(1 << bit, SeqCst);
    fence(SeqCst);
}

fn name(held: &Held, bit: u32) -> Vec<u8> {
    let arena = held.family().arena().id();
    format!("procession-{arena:016x}-{:016x}-{bit}", held.handle().to_bits()).into_bytes()
}

/// Whether somebody wants to be told that the object is ready. The caller has passed a full barrier since
/// it made it so.
#[inline]
pub(crate) fn is_asked_for(held: &Held) -> bool {
    held.head().bells.load(Relaxed) & bits(READY) != 0
}

/// Whether somebody wants to be told that all is done. The caller has passed a full barrier since then.
#[inline]
pub(crate) fn is_asked_when_done(held: &Held) -> bool {
    held.head().bells.load(Relaxed) & bits(DONE) != 0
}

/// Rings for an object, which is ready.
#[cold]
pub(crate) fn ring(held: &Held) {
    ring_among(held, READY);
}

/// Rings for a queue, all of whose items are done.
#[cold]
pub(crate) fn ring_when_done(held: &Held) {
    ring_among(held, DONE);
}

fn ring_among(held: &Held, among: Range<u32>) {
    let set = held.head().bells.fetch_and(!bits(among.clone()), SeqCst);
    crash_point!("bell.ring.after_take");
    let names: Vec<_> =
        among.filter(|bit| set >> bit & 1 != 0).map(|bit| name(held, bit)).collect();
    procession_sys::bell::ring(names.iter().map(Vec::as_slice));
}

/// The bits of these names.
const fn bits(names: Range<u32>) -> u64 {
    (u64::MAX >> (64 - names.end)) & (u64::MAX << names.start)
}

/// A doorbell at one object, for one wait.
#[derive(Debug)]
pub(crate) struct Hung<'a> {
    held: &'a Held,
    bit: u32,
    pub(crate) bell: Bell,
}

impl<'a> Hung<'a> {
    pub(crate) fn at(held: &'a Held) -> Result<Self, Error> {
        let (bit, bell) = hang(held, READY)?;
        Ok(Self { held, bit, bell })
    }

    /// Asks to be rung; look at the object once more after this.
    pub(crate) fn listen(&self) {
        listen(self.held, self.bit, &self.bell);
    }
}

impl Drop for Hung<'_> {
    fn drop(&mut self) {
        self.held.head().bells.fetch_and(!(1 << self.bit), Relaxed);
    }
}
