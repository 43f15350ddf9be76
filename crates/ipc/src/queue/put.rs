//! Putting: room, a place in a chunk, the commit, the notice.

use super::byte_queue::{Bounds, ByteQueue, Item, publish_cpu};
use super::control::CHUNK;
use super::frame::Frame;
use super::ring::{Need, Spare};
use crate::Error;
use procession_shm::{GateGuard, Record, Side};
use procession_sys::atomic::Ordering::{Acquire, Relaxed, Release};
use procession_sys::{Deadline, crash_point};
use std::time::Duration;

/// Bytes by which putters of large messages may be ahead before they give getters a moment.
const AHEAD: u64 = 1 << 20;

/// How long getters are given to free memory that was used: about as long as fresh memory costs.
const MOMENT: Duration = Duration::from_micros(50);
/// The same for large messages.
const LARGE_MOMENT: Duration = Duration::from_micros(400);

#[derive(Clone, Copy, Debug)]
enum Stop {
    Done,
    Full(usize),
    Needs(Need),
}

impl ByteQueue {
    /// Puts the items in order; the number of the last one, counted from 1 over the queue's life.
    ///
    /// Those that fit together are committed together.
    ///
    /// # Errors
    /// How many were put before the deadline came or it failed, and why.
    pub fn put(&self, items: &[Item<'_>], deadline: Deadline) -> Result<u64, (usize, Error)> {
        self.put_until(items, deadline, || false)
    }

    /// As [`put`](Self::put), or until `interrupt`, which is asked after every sleep that was for
    /// nothing (a signal's among them, and at least twice a second), says that it is enough.
    ///
    /// # Errors
    /// [`Error::Interrupted`] too.
    pub fn put_until(
        &self,
        items: &[Item<'_>],
        deadline: Deadline,
        mut interrupt: impl FnMut() -> bool,
    ) -> Result<u64, (usize, Error)> {
        self.check_families(items).map_err(|error| (0, error))?;
        let mut put = 0;
        let mut spare: Option<Spare> = None;
        let result = loop {
            match self.put_some(&items[put..], &mut spare) {
                Ok((count, index, _)) if put + count == items.len() => break Ok(index),
                Ok((count, _, why)) => {
                    put += count;
                    if let Err(error) = self.get_ready(why, &mut spare, deadline, &mut interrupt) {
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

    /// A parcel of another family is nothing that a getter would find.
    fn check_families(&self, items: &[Item<'_>]) -> Result<(), Error> {
        let family = self.ring.family();
        for item in items {
            if let Item::Parcel(parcel) = item
                && parcel.family() != family
            {
                return Err(Error::other_family(parcel.family(), family));
            }
        }
        Ok(())
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
            if let Item::Parcel(parcel) = item {
                crash_point!("queue.put.before_handover");
                gate.commit_handover(record, Some(parcel.handle()), None);
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
            self.ring_for_items();
            if bounds != Bounds::default() && !matches!(stop, Stop::Full(_)) {
                // Whoever was woken for room may have been woken for more than this took.
                control.head.waits[1].notify_one();
            }
        }
        Ok((put, record.index, stop))
    }

    #[inline]
    pub(super) fn has_room(&self, bounds: Bounds, record: &Record, len: usize) -> bool {
        if !self.has_place(bounds.items, record.index) {
            return false;
        }
        if bounds.bytes == 0 {
            return true;
        }
        // Whatever is larger than the bound goes alone.
        let inside = record.bytes.saturating_sub(self.control.get.passed_bytes.load(Acquire));
        inside == 0 || inside + len as u64 <= bounds.bytes
    }

    /// Whether item `index`, counted from 0, is one of at most `most` in the queue; 0 is no bound.
    #[inline]
    pub(super) fn has_place(&self, most: u64, index: u64) -> bool {
        most == 0 || index < most || self.control.get.is_past(index - most, &self.seen_got)
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
            Item::Parcel(_) => Frame::Parcel,
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
            Item::Parcel(parcel) => {
                region.set_word(at_byte + 8, parcel.handle().to_bits());
                region.set_word(at_byte + 16, parcel.len() as u64);
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
        interrupt: &mut dyn FnMut() -> bool,
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
                if self.put_patience.linger(&self.control.get.cpu, || self.fits_burst(len), room) {
                    return Ok(());
                }
                self.sleep(1, &room, deadline, interrupt)
            }
        }
    }

    /// Before a queue grows into fresh memory, which costs more than moving its bytes: gives getters
    /// that are at work a moment to free some that was used. About 50 microseconds at most where they
    /// run on another processor, and this one's turn where they do not. `true` if that helped.
    fn let_getters_catch_up(&self, freed: impl Fn() -> bool) -> bool {
        self.let_getters_work(MOMENT, freed)
    }

    fn let_getters_work(&self, moment: Duration, freed: impl Fn() -> bool) -> bool {
        let is_idle = self.control.head.waits[0].has_waiters();
        if is_idle || self.control.get.cpu.load(Relaxed) == 0 {
            return false;
        }
        if self.put_patience.spin_within(moment, &self.control.get.cpu, &freed) {
            return true;
        }
        std::thread::yield_now();
        freed()
    }

    /// Before a large message is put: as `let_getters_catch_up`, as long as getters take to copy it.
    pub fn throttle(&self) {
        let (put, get) = (&self.control.put.passed_bytes, &self.control.get.passed_bytes);
        let got = get.load(Relaxed);
        if put.load(Relaxed).saturating_sub(got) > AHEAD {
            self.let_getters_work(LARGE_MOMENT, || get.load(Relaxed) != got);
        }
    }

    /// Puts one message of at most 64 KiB.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    #[inline]
    pub fn put_one(&self, format: u8, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        self.put_one_until(format, bytes, deadline, || false)
    }

    /// As [`put_one`](Self::put_one), or until `interrupt` says that it is enough, as in
    /// [`put_until`](Self::put_until).
    ///
    /// # Errors
    /// [`Error::Interrupted`] too.
    #[inline]
    pub fn put_one_until(
        &self,
        format: u8,
        bytes: &[u8],
        deadline: Deadline,
        mut interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        if self.put_fast(format, bytes) {
            return Ok(());
        }
        self.put_slow(format, bytes, deadline, &mut interrupt)
    }

    #[cold]
    fn put_slow(
        &self,
        format: u8,
        bytes: &[u8],
        deadline: Deadline,
        interrupt: &mut dyn FnMut() -> bool,
    ) -> Result<(), Error> {
        let item = Item::Message { format, bytes };
        self.put_until(&[item], deadline, interrupt).map(drop).map_err(|(_, error)| error)
    }
}
