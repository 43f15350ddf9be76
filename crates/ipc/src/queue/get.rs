//! Getting: the next frame, the copy, the commit, and passing a notice on.

use super::byte_queue::{ByteQueue, Got, publish_cpu};
use super::control::CHUNK;
use super::frame::Frame;
use crate::Error;
use crate::message::Parcel;
use procession_shm::{Handle, Record, Side};
use procession_sys::atomic::Ordering::{Relaxed, Release};
use procession_sys::{Deadline, crash_point};

impl ByteQueue {
    /// Gets one item, its bytes into `bytes` (which is emptied first).
    ///
    /// `claim` is the offset of a claim cell, see [`GateGuard::commit_handover`](procession_shm::GateGuard::commit_handover).
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
        self.get_until(bytes, claim, deadline, || false)
    }

    /// As [`get`](Self::get), or until `interrupt`, which is asked after every sleep that was for
    /// nothing (a signal's among them, and at least twice a second), says that it is enough.
    ///
    /// # Errors
    /// [`Error::Interrupted`] too.
    #[inline]
    pub fn get_until(
        &self,
        bytes: &mut Vec<u8>,
        claim: Option<u64>,
        deadline: Deadline,
        mut interrupt: impl FnMut() -> bool,
    ) -> Result<Got, Error> {
        bytes.clear();
        if claim.is_none()
            && let Some(format) = self.get_fast(bytes)
        {
            return Ok(Got::Message { format, len: bytes.len() });
        }
        self.get_slow(bytes, claim, deadline, &mut interrupt)
    }

    #[cold]
    fn get_slow(
        &self,
        bytes: &mut Vec<u8>,
        claim: Option<u64>,
        deadline: Deadline,
        interrupt: &mut dyn FnMut() -> bool,
    ) -> Result<Got, Error> {
        let mut got = None;
        let take = |item, append: &dyn Fn(&mut Vec<u8>)| {
            append(bytes);
            got = Some(item);
        };
        self.get_many_until(1, claim, deadline, interrupt, take)?;
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
        take: impl FnMut(Got, &dyn Fn(&mut Vec<u8>)),
    ) -> Result<usize, Error> {
        self.get_many_until(max, claim, deadline, || false, take)
    }

    /// As [`get_many`](Self::get_many), or until `interrupt`, which is asked after every sleep that
    /// was for nothing, says that it is enough.
    ///
    /// # Errors
    /// [`Error::Interrupted`] too.
    pub fn get_many_until(
        &self,
        max: usize,
        claim: Option<u64>,
        deadline: Deadline,
        mut interrupt: impl FnMut() -> bool,
        mut take: impl FnMut(Got, &dyn Fn(&mut Vec<u8>)),
    ) -> Result<usize, Error> {
        let (patience, putters) = (&self.get_patience, &self.control.put);
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
            if !ready() && !patience.spin(&putters.cpu, ready) {
                self.sleep(0, &ready, deadline, &mut interrupt)?;
            }
        }
    }

    fn get_some(
        &self,
        max: usize,
        claim: Option<u64>,
        take: &mut impl FnMut(Got, &dyn Fn(&mut Vec<u8>)),
    ) -> Result<usize, Error> {
        let control = self.control;
        let hand = if self.is_tallied() { Some(self.make_hand()?) } else { None };
        let gate = self.lock(&control.get, Side::Get);
        let mut record = gate.record();
        let mut got = 0;
        let mut handed_over = false;
        while got < max && self.is_put(record.index) {
            let (number, at) = (record.position / CHUNK, record.position % CHUNK);
            let region = self.ring.chunk_to_get(number)?;
            let word = if at + 8 <= CHUNK { region.word(at as usize) } else { 0 };
            let Some(frame) = Frame::from_word(word, record.index) else {
                return Err(Error::Corrupt("a queue's frame is not the one that comes next"));
            };
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
                    if let Some(hand) = hand {
                        hand.take(&gate, 1);
                    }
                    crash_point!("queue.get.before_handover");
                    gate.commit_handover(record, Some(handle), claim);
                    handed_over = true;
                    take(Got::Parcel(Parcel::receive(self.ring.family(), handle)?), &|_| {});
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
            if let Some(hand) = hand {
                hand.take(&gate, got as u64);
            }
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
            self.ring_for_room();
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
        self.control.put.is_past(index, &self.seen_put)
    }

    fn trim(&self) {
        let gate = self.lock(&self.control.put, Side::Put);
        let surplus = self.ring.surplus(&gate);
        drop(gate);
        surplus.into_iter().for_each(|block| self.ring.family().give(block));
    }
}

fn advance(record: &mut Record, frame: Frame, len: u64) {
    record.index += 1;
    record.position += frame.size();
    record.bytes += len;
}
