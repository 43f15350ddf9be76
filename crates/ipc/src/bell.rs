//! Telling pollers that an object may be ready.
//!
//! A poller hangs up a doorbell for the object, under one of 64 names, and sets that name's bit in
//! the object's head before its last look. Whoever makes the object ready takes the bits, all at
//! once, and rings. While nobody polls this costs one load.
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
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicBool;

const NAMES: u32 = 64;

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
        let (bit, bell) = hang(held)?;
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

fn hang(held: &Held) -> Result<(u32, Bell), Error> {
    for bit in 0..NAMES {
        match Bell::hang(&name(held, bit)) {
            Ok(bell) => return Ok((bit, bell)),
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
            Err(source) => {
                return Err(Error::System { attempted: "make a doorbell to poll", source });
            }
        }
    }
    Err(Error::TooManyPollers(NAMES as usize))
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

/// Whether somebody wants to be rung. The caller has passed a full barrier since it made the object ready.
#[inline]
pub(crate) fn is_asked_for(held: &Held) -> bool {
    held.head().bells.load(Relaxed) != 0
}

/// Rings for an object, which is ready.
#[cold]
pub(crate) fn ring(held: &Held) {
    let bits = held.head().bells.swap(0, SeqCst);
    crash_point!("bell.ring.after_take");
    let names: Vec<_> =
        (0..NAMES).filter(|bit| bits >> bit & 1 != 0).map(|bit| name(held, bit)).collect();
    procession_sys::bell::ring(names.iter().map(Vec::as_slice));
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
        let (bit, bell) = hang(held)?;
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
