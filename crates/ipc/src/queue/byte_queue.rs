//! Bytes in, bytes out: the queue below its types, for floors that have their own messages.

use super::control::{BOUNDED, CHUNK, Control, INLINE_MAX, SHUT, TAG};
use super::frame::{Frame, PARCEL_LEN};
use super::patience::Patience;
use super::ring::{Need, Ring, Spare};
use crate::message::{self, Parcel};
use crate::select::Waitable;
use crate::{Error, bell};
use procession_shm::{Gate, GateGuard, Handle, Held, Kind, Record, Side, family};
use procession_sys::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use procession_sys::atomic::{AtomicU64, fence};
use procession_sys::{Deadline, cpu, crash_point};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes by which putters of large messages may be ahead before they give getters a moment.
const AHEAD: u64 = 4 << 20;

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
    /// A parcel that the caller owns; it is the queue's once it was put.
    Parcel {
        /// The parcel.
        handle: Handle,
        /// Its length, for the bounds.
        len: usize,
    },
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
    ring: Ring,
    control: &'static Control,
    /// The object that stands for the other end, if this is a pipe.
    peer: Option<Handle>,
    /// The other side's index when it was last looked at: no need to look before that is used up.
    seen_put: AtomicU64,
    get_patience: Patience,
    put_patience: Patience,
}

impl ByteQueue {
    /// Makes a queue.
    ///
    /// # Errors
    /// [`Error::Shm`].
    pub fn new(bounds: Bounds) -> Result<Self, Error> {
        let held = family()?.make(Kind::Queue, size_of::<Control>() as u64, TAG, |region| {
            let control: &Control = region.object(0);
            control.max_items.store(bounds.items, Relaxed);
            control.max_bytes.store(bounds.bytes, Relaxed);
            if bounds != Bounds::default() {
                control.state.store(BOUNDED, Relaxed);
            }
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
            seen_put: AtomicU64::new(0),
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
    fn fits(&self, len: usize) -> bool {
        let put = &self.control.put;
        let record = Record {
            index: put.index(),
            bytes: put.passed_bytes.load(Acquire),
            ..Record::default()
        };
        self.has_room(self.bounds(), &record, len)
    }

    /// Wakes all who wait, to look again.
    pub fn disturb(&self) {
        fence(SeqCst);
        self.control.head.waits.iter().for_each(|wait| wait.notify_all());
        bell::ring(self.held());
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
    fn over(&self) -> Option<Error> {
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

    pub(super) fn control(&self) -> &'static Control {
        self.control
    }

    pub(super) fn ring(&self) -> &Ring {
        &self.ring
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

    /// Puts the items in order; the number of the last one, counted from 1 over the queue's life.
    ///
    /// Those that fit together are committed together.
    ///
    /// # Errors
    /// How many were put before the deadline came or it failed, and why.
    pub fn put(&self, items: &[Item<'_>], deadline: Deadline) -> Result<u64, (usize, Error)> {
        let mut put = 0;
        let mut spare: Option<Spare> = None;
        let result = loop {
            match self.put_some(&items[put..], &mut spare) {
                Ok((count, index, _)) if put + count == items.len() => break Ok(index),
                Ok((count, _, why)) => {
                    put += count;
                    if let Err(error) = self.get_ready(why, &mut spare, deadline) {
                        break Err((put, error));
                    }
                }
                Err(error) => break Err((put, error)),
            }
        };
        if let Some(unused) = spare {
            self.ring.family().give(unused.block);
        }
        result
    }

    /// Puts as many as go at once; how many, the last one's number, and why not more.
    fn put_some(
        &self,
        items: &[Item<'_>],
        spare: &mut Option<Spare>,
    ) -> Result<(usize, u64, Stop), Error> {
        let control = self.control;
        let gate = self.lock(&control.put, Side::Put);
        let mut record = gate.record();
        let mut put = 0;
        let mut handed_over = false;
        let mut stop = Stop::Done;
        if let Some(error) = self.over() {
            return Err(error);
        }
        let bounds = self.bounds();
        for item in items {
            if !self.has_room(bounds, &record, item.len()) {
                stop = Stop::Full(item.len());
                break;
            }
            match self.write(&gate, &mut record, item, spare)? {
                Ok(()) => put += 1,
                Err(need) => {
                    stop = Stop::Needs(need);
                    break;
                }
            }
            if let Item::Parcel { handle, .. } = item {
                crash_point!("queue.put.before_handover");
                gate.commit_handover(record, Some(*handle), None);
                handed_over = true;
                // One parcel is handed over at a time; the rest in the next round.
                break;
            }
        }
        if put > 0 && !handed_over {
            crash_point!("queue.put.before_commit");
            gate.commit(record);
            crash_point!("queue.put.after_commit");
        }
        control.put.passed_bytes.store(record.bytes, Release);
        publish_cpu(&control.put);
        drop(gate);
        crash_point!("queue.put.before_wake");
        if put > 0 {
            control.head.waits[0].notify(put as u32);
            bell::ring(self.held());
            if bounds != Bounds::default() && !matches!(stop, Stop::Full(_)) {
                // Whoever was woken for room may have been woken for more than this took.
                control.head.waits[1].notify_one();
            }
        }
        Ok((put, record.index, stop))
    }

    #[inline]
    fn has_room(&self, bounds: Bounds, record: &Record, len: usize) -> bool {
        if bounds.items != 0
            && record.index.saturating_sub(self.control.get.index()) >= bounds.items
        {
            return false;
        }
        if bounds.bytes == 0 {
            return true;
        }
        // Whatever is larger than the bound goes alone.
        let inside = record.bytes.saturating_sub(self.control.get.passed_bytes.load(Acquire));
        inside == 0 || inside + len as u64 <= bounds.bytes
    }

    #[inline]
    fn write(
        &self,
        gate: &GateGuard<'_>,
        record: &mut Record,
        item: &Item<'_>,
        spare: &mut Option<Spare>,
    ) -> Result<Result<(), Need>, Error> {
        let frame = match item {
            Item::Message { format, bytes } => Frame::Message { len: bytes.len(), format: *format },
            Item::Parcel { .. } => Frame::Parcel,
        };
        let (mut number, mut at) = (record.position / CHUNK, record.position % CHUNK);
        let mut next = *record;
        if at + frame.size() > CHUNK {
            let region = self.ring.chunk_to_put(number)?;
            region.set_word(at as usize, Frame::Pad.to_word(record.index));
            (number, at) = (number + 1, 0);
        }
        let region = if at == 0 {
            match self.ring.begin_chunk(gate, number, &mut next, spare)? {
                Ok(region) => region,
                Err(need) => return Ok(Err(need)),
            }
        } else {
            self.ring.chunk_to_put(number)?
        };
        let at_byte = at as usize;
        region.set_word(at_byte, frame.to_word(record.index));
        match item {
            Item::Message { bytes, .. } => region.write(at_byte + 8, bytes),
            Item::Parcel { handle, len } => {
                region.set_word(at_byte + 8, handle.to_bits());
                region.set_word(at_byte + 16, *len as u64);
            }
        }
        crash_point!("queue.put.after_write");
        next.index += 1;
        next.position = number * CHUNK + at + frame.size();
        next.bytes += item.len() as u64;
        *record = next;
        Ok(Ok(()))
    }

    fn get_ready(
        &self,
        why: Stop,
        spare: &mut Option<Spare>,
        deadline: Deadline,
    ) -> Result<(), Error> {
        match why {
            Stop::Done => Ok(()),
            Stop::Needs(need) => {
                let released = &self.control.get.released_chunk;
                let seen = released.load(Acquire);
                if need == Need::Chunk
                    && spare.is_none()
                    && self.control.put.index() > self.control.get.index()
                    && self.let_getters_catch_up(|| released.load(Acquire) != seen)
                {
                    return Ok(());
                }
                if let Some(other) = spare.take() {
                    self.ring.family().give(other.block);
                }
                *spare = Some(self.ring.bring(need)?);
                Ok(())
            }
            Stop::Full(_) if deadline.expired() => Err(Error::Full),
            Stop::Full(len) => {
                let room = || self.fits(len) || self.is_over();
                self.wait(1, &self.put_patience, &self.control.get, &room, deadline)
            }
        }
    }

    /// Before a queue grows into fresh memory, which costs more than moving its bytes: gives getters
    /// that are at work a moment to free some that was used. About 50 microseconds at most where they
    /// run on another processor, and this one's turn where they do not. `true` if that helped.
    fn let_getters_catch_up(&self, freed: impl Fn() -> bool) -> bool {
        let is_idle = self.control.head.waits[0].has_waiters();
        if is_idle || self.control.get.cpu.load(Relaxed) == 0 {
            return false;
        }
        if self.put_patience.spin(&self.control.get.cpu, &freed) {
            return true;
        }
        std::thread::yield_now();
        freed()
    }

    /// Before a large message is put: see `let_getters_catch_up`.
    pub fn throttle(&self) {
        let (put, get) = (&self.control.put.passed_bytes, &self.control.get.passed_bytes);
        let got = get.load(Relaxed);
        if put.load(Relaxed).saturating_sub(got) > AHEAD {
            self.let_getters_catch_up(|| get.load(Relaxed) != got);
        }
    }

    /// Puts one message of at most 64 KiB.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    #[inline]
    pub fn put_one(&self, format: u8, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        if self.put_fast(format, bytes) {
            return Ok(());
        }
        self.put_slow(format, bytes, deadline)
    }

    #[cold]
    fn put_slow(&self, format: u8, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        self.put(&[Item::Message { format, bytes }], deadline).map(drop).map_err(|(_, error)| error)
    }

    /// Gets one item, its bytes into `bytes` (which is emptied first).
    ///
    /// `claim` is the offset of a claim cell, see [`GateGuard::commit_handover`].
    ///
    /// # Errors
    /// [`Error::Empty`] and [`Error::TimedOut`] at the deadline, [`Error::Closed`] if it is empty and
    /// over, [`Error::Corrupt`].
    #[inline]
    pub fn get(
        &self,
        bytes: &mut Vec<u8>,
        claim: Option<u64>,
        deadline: Deadline,
    ) -> Result<Got, Error> {
        bytes.clear();
        if claim.is_none()
            && let Some(format) = self.get_fast(bytes)
        {
            return Ok(Got::Message { format, len: bytes.len() });
        }
        self.get_slow(bytes, claim, deadline)
    }

    #[cold]
    fn get_slow(
        &self,
        bytes: &mut Vec<u8>,
        claim: Option<u64>,
        deadline: Deadline,
    ) -> Result<Got, Error> {
        let mut got = None;
        self.get_many(1, claim, deadline, |item, append| {
            append(bytes);
            got = Some(item);
        })?;
        got.ok_or(Error::Empty)
    }

    /// Gets at least one item and at most `max` of those that are there; `take` is given each, with a
    /// function that appends its bytes. `take` runs under the lock and must do no more than copy.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn get_many(
        &self,
        max: usize,
        claim: Option<u64>,
        deadline: Deadline,
        mut take: impl FnMut(Got, &dyn Fn(&mut Vec<u8>)),
    ) -> Result<usize, Error> {
        loop {
            let count = self.get_some(max, claim, &mut take)?;
            if count > 0 {
                return Ok(count);
            }
            let arrived = || self.control.put.index() != self.control.get.index();
            if let Some(error) = self.over()
                && !arrived()
            {
                return Err(error);
            }
            if deadline.expired() {
                return Err(Error::Empty);
            }
            let ready = || arrived() || self.is_over();
            self.wait(0, &self.get_patience, &self.control.put, &ready, deadline)?;
        }
    }

    fn get_some(
        &self,
        max: usize,
        claim: Option<u64>,
        take: &mut impl FnMut(Got, &dyn Fn(&mut Vec<u8>)),
    ) -> Result<usize, Error> {
        let control = self.control;
        let gate = self.lock(&control.get, Side::Get);
        let mut record = gate.record();
        let mut got = 0;
        let mut handed_over = false;
        while got < max && self.is_put(record.index) {
            let (number, at) = (record.position / CHUNK, record.position % CHUNK);
            let region = self.ring.chunk_to_get(number)?;
            let word = if at + 8 <= CHUNK { region.word(at as usize) } else { 0 };
            let frame = Frame::from_word(word, record.index)
                .ok_or(Error::Corrupt("a queue's frame is not the one that comes next"))?;
            match frame {
                Frame::Pad => {
                    record.position = (number + 1) * CHUNK;
                    continue;
                }
                _ if at + frame.size() > CHUNK => {
                    return Err(Error::Corrupt("a queue's frame crosses its chunk"));
                }
                Frame::Parcel if got > 0 => break,
                Frame::Parcel => {
                    let handle = Handle::from_bits(region.word(at as usize + 8));
                    let handle = handle.ok_or(Error::Corrupt("a frame without a parcel"))?;
                    let len = region.word(at as usize + 16);
                    advance(&mut record, frame, len);
                    crash_point!("queue.get.before_handover");
                    gate.commit_handover(record, Some(handle), claim);
                    handed_over = true;
                    take(Got::Parcel(Parcel::receive(handle)?), &|_| {});
                    got += 1;
                    break;
                }
                Frame::Message { len, format } => {
                    let from = at as usize + 8;
                    let copy = |bytes: &mut Vec<u8>| region.read_to_vec(from, len, bytes);
                    take(Got::Message { format, len }, &copy);
                    advance(&mut record, frame, len as u64);
                    got += 1;
                }
            }
        }
        if got > 0 && !handed_over {
            crash_point!("queue.get.before_commit");
            match claim {
                None => gate.commit(record),
                Some(_) => gate.commit_handover(record, None, claim),
            }
            crash_point!("queue.get.after_commit");
        }
        let mut trim = false;
        if got > 0 {
            control.get.passed_bytes.store(record.bytes, Release);
            let chunk = record.position / CHUNK;
            if chunk != control.get.released_chunk.load(Relaxed) {
                control.get.released_chunk.store(chunk, Release);
                trim = self.ring.has_surplus(chunk);
            }
        }
        publish_cpu(&control.get);
        drop(gate);
        crash_point!("queue.get.before_wake");
        if got > 0 {
            control.head.waits[1].notify(got as u32);
            bell::ring(self.held());
            if control.head.waits[0].has_waiters() && self.is_put(record.index) {
                // Two items may have come for one notice: pass it on.
                control.head.waits[0].notify_one();
            }
        }
        if trim {
            self.trim();
        }
        Ok(got)
    }

    #[inline]
    pub(super) fn is_put(&self, index: u64) -> bool {
        if index < self.seen_put.load(Relaxed) {
            return true;
        }
        let put = self.control.put.index();
        self.seen_put.store(put, Relaxed);
        index < put
    }

    fn trim(&self) {
        let gate = self.lock(&self.control.put, Side::Put);
        let surplus = self.ring.surplus(&gate);
        drop(gate);
        surplus.into_iter().for_each(|block| self.ring.family().give(block));
    }

    /// Waits until `ready`, or the deadline.
    fn wait(
        &self,
        side: usize,
        patience: &Patience,
        peer: &Gate,
        ready: &dyn Fn() -> bool,
        deadline: Deadline,
    ) -> Result<(), Error> {
        if ready() || patience.spin(&peer.cpu, ready) {
            return Ok(());
        }
        let wait = &self.control.head.waits[side];
        loop {
            let ticket = wait.announce();
            if ready() {
                return Ok(());
            }
            if deadline.expired() {
                return Err(Error::TimedOut { what: "waiting for an item of the queue" });
            }
            wait.sleep(ticket, deadline);
            if ready() {
                return Ok(());
            }
            self.ring.family().look_for_deaths();
        }
    }

    /// Declares one item done; see `JoinableQueue`.
    ///
    /// # Errors
    /// [`Error::TaskDoneTooOften`].
    pub fn task_done(&self) -> Result<(), Error> {
        let done = &self.control.done;
        let put = || self.control.put.index();
        done.fetch_update(SeqCst, SeqCst, |done| (done < put()).then_some(done + 1))
            .map_err(|_| Error::TaskDoneTooOften)?;
        fence(SeqCst);
        if done.load(Relaxed) == put() {
            self.control.joiners.notify_all();
        }
        Ok(())
    }

    /// Items that were put and not declared done.
    pub fn unfinished(&self) -> u64 {
        self.control.put.index().saturating_sub(self.control.done.load(SeqCst))
    }

    /// Waits until all items are declared done.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn join(&self, deadline: Deadline) -> Result<(), Error> {
        while self.unfinished() > 0 {
            let ticket = self.control.joiners.announce();
            if self.unfinished() == 0 {
                break;
            }
            if deadline.expired() {
                return Err(Error::TimedOut { what: "waiting for all items to be done" });
            }
            self.control.joiners.sleep(ticket, deadline);
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug)]
enum Stop {
    Done,
    Full(usize),
    Needs(Need),
}

impl Item<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Message { bytes, .. } => bytes.len(),
            Self::Parcel { len, .. } => *len,
        }
    }
}

/// Whether a message of this length goes as a parcel.
pub fn is_large(len: usize) -> bool {
    len > INLINE_MAX
}

fn advance(record: &mut Record, frame: Frame, len: u64) {
    record.index += 1;
    record.position += frame.size();
    record.bytes += len;
}

#[inline]
pub(super) fn publish_cpu(gate: &Gate) {
    let here = cpu::current() + 1;
    if gate.cpu.load(Relaxed) != here {
        gate.cpu.store(here, Relaxed);
    }
}

const _: () = assert!(PARCEL_LEN == 16);

impl Serialize for ByteQueue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        message::serialize_handle(self.held(), serializer)
    }
}

impl<'de> Deserialize<'de> for ByteQueue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        message::deserialize_handle(deserializer, Kind::Queue, TAG).map(Self::of)
    }
}

impl Waitable for ByteQueue {
    fn is_ready(&self) -> bool {
        !self.is_empty() || self.is_over()
    }

    fn bells(&self) -> Option<&Held> {
        Some(self.held())
    }
}
