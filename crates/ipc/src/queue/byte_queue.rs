//! Bytes in, bytes out: the queue below its types, for floors that have their own messages.

pub use super::scratch::Scratch;

use super::control::{BOUNDED, Control, INLINE_MAX, PICKLED, SHUT, TAG, TALLIED};
use super::frame::PARCEL_LEN;
use super::patience::Patience;
use super::ring::Ring;
use crate::message::Parcel;
use crate::select::Waitable;
use crate::shareable::shareable;
use crate::{Error, bell};
use procession_shm::{Gate, GateGuard, Handle, Held, Kind, Record, Seen, Side, family};
use procession_sys::atomic::Ordering::{Acquire, Relaxed, SeqCst};
use procession_sys::atomic::fence;
use procession_sys::{Deadline, cpu};

/// How many items and bytes a queue holds at most; 0 is no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Items.
    pub items: u64,
    /// Bytes of messages.
    pub bytes: u64,
}

/// One item, as it is put.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A message that is copied into the queue: at most 64 KiB, see [`is_large`].
    Message {
        /// How it is encoded.
        format: u8,
        /// The message.
        bytes: &'a [u8],
    },
    /// A parcel of the queue's family that the caller owns. Once it was put it is the queue's, and the
    /// caller [keeps](Parcel::keep) it from being freed.
    Parcel(&'a Parcel),
}

/// One item, as it was got; bytes of a message are in the caller's buffer.
#[derive(Debug)]
pub enum Got {
    /// A message that was copied out.
    Message {
        /// How it is encoded.
        format: u8,
        /// Its length.
        len: usize,
    },
    /// A parcel, the caller's now.
    Parcel(Parcel),
}

/// A queue of messages that are bytes in a format, or parcels.
#[derive(Debug)]
pub struct ByteQueue {
    pub(super) ring: Ring,
    pub(super) control: &'static Control,
    /// The object that stands for the other end, if this is a pipe.
    pub(super) peer: Option<Handle>,
    pub(super) seen_put: Seen,
    pub(super) seen_got: Seen,
    pub(super) get_patience: Patience,
    pub(super) put_patience: Patience,
}

shareable!(ByteQueue, ring.held, Kind::Queue, TAG);

impl ByteQueue {
    /// Makes a queue.
    ///
    /// # Errors
    /// [`Error::Shm`].
    pub fn new(bounds: Bounds) -> Result<Self, Error> {
        Self::make(bounds, 0)
    }

    /// Makes a queue that knows what each of its getters has in hand, see [`join`](Self::join).
    ///
    /// # Errors
    /// [`Error::Shm`].
    pub fn joinable(bounds: Bounds) -> Result<Self, Error> {
        Self::make(bounds, TALLIED)
    }

    fn make(bounds: Bounds, tallied: u32) -> Result<Self, Error> {
        let held = family()?.make(Kind::Queue, size_of::<Control>() as u64, TAG, |region| {
            let control: &Control = region.object(0);
            control.max_items.store(bounds.items, Relaxed);
            control.max_bytes.store(bounds.bytes, Relaxed);
            let bounded = if bounds == Bounds::default() { 0 } else { BOUNDED };
            control.state.store(bounded | tallied, Relaxed);
            Ok(())
        })?;
        Ok(Self::of(held))
    }

    /// The queue that was made elsewhere.
    pub fn of(held: Held) -> Self {
        let ring = Ring::new(held);
        Self {
            control: ring.control,
            ring,
            peer: None,
            seen_put: Seen::new(),
            seen_got: Seen::new(),
            get_patience: Patience::default(),
            put_patience: Patience::default(),
        }
    }

    /// The same queue as a pipe, which is over when `peer` is gone.
    pub fn to_peer(&self, peer: Handle) -> Self {
        Self { peer: Some(peer), ..Self::of(self.held().clone()) }
    }

    /// What the shared object is tagged with.
    pub const TAG: u32 = TAG;

    /// The shared object.
    pub fn held(&self) -> &Held {
        &self.ring.held
    }

    /// About how many items are in it.
    pub fn len(&self) -> u64 {
        let got = self.control.get.index();
        self.control.put.index().saturating_sub(got)
    }

    /// Whether nothing is in it now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How much it takes at most.
    pub fn bounds(&self) -> Bounds {
        let control = self.control;
        Bounds { items: control.max_items.load(Relaxed), bytes: control.max_bytes.load(Relaxed) }
    }

    /// Whether it takes nothing more now.
    pub fn is_full(&self) -> bool {
        !self.fits(1)
    }

    /// Whether an item of `len` bytes would have room now.
    pub(super) fn fits(&self, len: usize) -> bool {
        self.has_room(self.bounds(), &self.what_was_put(), len)
    }

    /// Whether items up to a quarter of the bounds would have room now, one of `len` bytes at least.
    pub(super) fn fits_burst(&self, len: usize) -> bool {
        let Bounds { items, bytes } = self.bounds();
        let mut record = self.what_was_put();
        record.index += (items / 4).saturating_sub(1);
        self.has_room(Bounds { items, bytes }, &record, len.max(bytes as usize / 4))
    }

    fn what_was_put(&self) -> Record {
        let put = &self.control.put;
        let (index, bytes) = (put.index(), put.passed_bytes.load(Acquire));
        Record { index, bytes, ..Record::default() }
    }

    /// Wakes all who wait, to look again.
    pub fn disturb(&self) {
        fence(SeqCst);
        self.control.head.waits.iter().for_each(|wait| wait.notify_all());
        if bell::is_asked_for(self.held()) {
            bell::ring(self.held());
        }
        self.ring_for_joiners();
    }

    /// Finishes what a killed getter left half done, so that its claim cell tells the truth.
    pub fn settle_getters(&self) {
        drop(self.lock(&self.control.get, Side::Get));
    }

    /// Whether it was shut.
    pub fn is_shut(&self) -> bool {
        self.control.state.load(Acquire) & SHUT != 0
    }

    /// Why nothing more will be put, if that is so.
    #[inline]
    pub(super) fn over(&self) -> Option<Error> {
        if self.peer.is_none() && !self.is_shut() { None } else { self.why_over() }
    }

    #[cold]
    fn why_over(&self) -> Option<Error> {
        if self.is_shut() {
            return Some(Error::Closed { what: "the queue was shut down" });
        }
        let gone = self.peer.is_some_and(|peer| self.ring.family().arena().block(peer).is_err());
        gone.then_some(Error::Closed { what: "the other end of the pipe is closed" })
    }

    /// Whether nothing more will be put: shut, or the other end of the pipe is gone.
    pub fn is_over(&self) -> bool {
        self.over().is_some()
    }

    /// Ends the queue: no more is put, and who gets from it when it is empty is told so.
    pub fn shut(&self) {
        self.control.state.fetch_or(SHUT, SeqCst);
        self.disturb();
    }

    /// From here on values are put as pickles, by every process, because Python takes part.
    ///
    /// Whoever makes a queue for Python, or hands one to it, says so; it is never taken back. Each item
    /// says how it is encoded, so Rust goes on to get what is in the queue; Python cannot get a value
    /// that Rust put before.
    pub fn speak_pickle(&self) {
        self.control.state.fetch_or(PICKLED, SeqCst);
    }

    /// Whether values are put as pickles.
    #[inline]
    pub fn speaks_pickle(&self) -> bool {
        self.control.state.load(Relaxed) & PICKLED != 0
    }

    /// Whether this is a queue, and not a direction of a pipe.
    #[inline]
    pub(super) fn is_queue(&self) -> bool {
        self.peer.is_none()
    }

    #[inline]
    pub(super) fn lock<'a>(&self, gate: &'a Gate, side: Side) -> GateGuard<'a> {
        gate.lock(self.ring.family(), self.ring.held.handle(), side)
    }

    /// Sleeps until `ready`, the deadline, or until `interrupt`, which is asked after every sleep that
    /// was for nothing, says that it is enough.
    pub(super) fn sleep(
        &self,
        side: usize,
        ready: &dyn Fn() -> bool,
        deadline: Deadline,
        interrupt: &mut dyn FnMut() -> bool,
    ) -> Result<(), Error> {
        let wait = &self.control.head.waits[side];
        let what = ["waiting for an item of the queue", "waiting for room in the queue"][side];
        loop {
            let ticket = wait.announce();
            if ready() {
                return Ok(());
            }
            if deadline.expired() {
                return Err(Error::TimedOut { what });
            }
            wait.sleep(ticket, deadline);
            if ready() {
                return Ok(());
            }
            self.ring.family().look_for_deaths();
            if interrupt() {
                return Err(Error::Interrupted { what });
            }
        }
    }
}

impl Item<'_> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Message { bytes, .. } => bytes.len(),
            Self::Parcel(parcel) => parcel.len(),
        }
    }
}

/// Whether a message of this length goes as a parcel.
pub fn is_large(len: usize) -> bool {
    len > INLINE_MAX
}

#[inline]
pub(super) fn publish_cpu(gate: &Gate) {
    let here = cpu::current() + 1;
    if gate.cpu.load(Relaxed) != here {
        gate.cpu.store(here, Relaxed);
    }
}

const _: () = assert!(PARCEL_LEN == 16);

impl Waitable for ByteQueue {
    fn is_ready(&self) -> bool {
        !self.is_empty() || self.is_over()
    }

    fn bells(&self) -> Option<&Held> {
        Some(self.held())
    }
}
