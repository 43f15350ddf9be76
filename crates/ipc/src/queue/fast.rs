//! The common case, short: an open queue, one message that is copied, and the chunk that was used last.
//! Whatever is different, a bound in bytes among it, is left to the general path, which begins anew.

use super::byte_queue::{Bounds, ByteQueue, publish_cpu};
use super::control::{BOUNDED, CHUNK, INLINE_MAX, SHUT, TALLIED};
use super::frame::Frame;
use procession_shm::{GateGuard, Side};
use procession_sys::atomic::Ordering::{Relaxed, Release};
use procession_sys::crash_point;

impl ByteQueue {
    /// Puts a message if this is the common case; `false` if nothing was done.
    #[inline]
    pub(super) fn put_fast(&self, format: u8, bytes: &[u8]) -> bool {
        let control = self.control;
        let is_open = control.state.load(Relaxed) & SHUT == 0 && self.is_queue();
        let Bounds { items: most, bytes: 0 } = self.bounds() else { return false };
        if !is_open || bytes.len() > INLINE_MAX {
            return false;
        }
        let gate = self.lock(&control.put, Side::Put);
        let mut record = gate.record();
        if !self.has_place(most, record.index) {
            return false;
        }
        let (number, at) = (record.position / CHUNK, record.position % CHUNK);
        let frame = Frame::Message { len: bytes.len(), format };
        if at == 0 || at + frame.size() > CHUNK {
            return false;
        }
        let Some(region) = self.ring.current_to_put(number) else { return false };
        region.set_word(at as usize, frame.to_word(record.index));
        region.write(at as usize + 8, bytes);
        crash_point!("queue.put_fast.after_write");
        record.index += 1;
        record.position += frame.size();
        record.bytes += bytes.len() as u64;
        gate.commit(record);
        publish_cpu(&control.put);
        drop(gate);
        crash_point!("queue.put_fast.before_wake");
        control.head.waits[0].notify_one();
        self.ring_for_items();
        if control.head.waits[1].has_waiters() && self.has_place(most, record.index) {
            // Whoever was woken for room may have been woken for more than this took.
            control.head.waits[1].notify_one();
        }
        true
    }

    /// Gets a message if this is the common case and one is there; `None` if nothing was done.
    #[inline]
    pub(super) fn get_fast(&self, bytes: &mut Vec<u8>) -> Option<u8> {
        let state = self.control.state.load(Relaxed);
        if state & SHUT != 0 {
            None
        } else if state & TALLIED != 0 {
            self.get_into_hand(bytes, state)
        } else {
            self.get_copied(bytes, state, |_| {})
        }
    }

    /// Apart, so that a queue without tallies does not pay for them.
    #[inline(never)]
    fn get_into_hand(&self, bytes: &mut Vec<u8>, state: u32) -> Option<u8> {
        let hand = self.hand()?;
        self.get_copied(bytes, state, |gate| hand.take(gate, 1))
    }

    #[inline(always)]
    fn get_copied(
        &self,
        bytes: &mut Vec<u8>,
        state: u32,
        count: impl FnOnce(&GateGuard<'_>),
    ) -> Option<u8> {
        let control = self.control;
        let gate = self.lock(&control.get, Side::Get);
        let mut record = gate.record();
        if !self.is_put(record.index) {
            return None;
        }
        let (number, at) = (record.position / CHUNK, record.position % CHUNK);
        let region = self.ring.current_to_get(number).filter(|_| at != 0)?;
        let Some(Frame::Message { len, format }) =
            Frame::from_word(region.word(at as usize), record.index)
        else {
            return None;
        };
        let size = Frame::Message { len, format }.size();
        if at + size >= CHUNK {
            return None;
        }
        region.read_to_vec(at as usize + 8, len, bytes);
        record.index += 1;
        record.position += size;
        record.bytes += len as u64;
        count(&gate);
        crash_point!("queue.get_fast.before_commit");
        gate.commit(record);
        control.get.passed_bytes.store(record.bytes, Release);
        publish_cpu(&control.get);
        drop(gate);
        crash_point!("queue.get_fast.before_wake");
        if state & BOUNDED != 0 {
            control.head.waits[1].notify_one();
            self.ring_for_room();
        }
        if control.head.waits[0].has_waiters() && self.is_put(record.index) {
            control.head.waits[0].notify_one();
        }
        Some(format)
    }
}
