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
use procession_sys::crash_point;

const NAMES: u32 = 64;

fn name(held: &Held, bit: u32) -> Vec<u8> {
    let arena = held.family().arena().id();
    format!("procession-{arena:016x}-{:016x}-{bit}", held.handle().to_bits()).into_bytes()
}

/// Rings for an object. The caller has passed a full barrier since it made the object ready.
#[inline]
pub(crate) fn ring(held: &Held) {
    if held.head().bells.load(Relaxed) != 0 {
        ring_slow(held);
    }
}

#[cold]
fn ring_slow(held: &Held) {
    let bits = held.head().bells.swap(0, SeqCst);
    crash_point!("bell.ring.after_take");
    let names: Vec<_> =
        (0..NAMES).filter(|bit| bits >> bit & 1 != 0).map(|bit| name(held, bit)).collect();
    procession_sys::bell::ring(names.iter().map(Vec::as_slice));
}

/// A doorbell at one object.
#[derive(Debug)]
pub(crate) struct Hung<'a> {
    held: &'a Held,
    bit: u32,
    pub(crate) bell: Bell,
}

impl<'a> Hung<'a> {
    pub(crate) fn at(held: &'a Held) -> Result<Self, Error> {
        for bit in 0..NAMES {
            match Bell::hang(&name(held, bit)) {
                Ok(bell) => return Ok(Self { held, bit, bell }),
                Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {}
                Err(source) => {
                    return Err(Error::System { attempted: "make a doorbell to poll", source });
                }
            }
        }
        Err(Error::TooManyPollers(NAMES as usize))
    }

    /// Asks to be rung; look at the object once more after this.
    pub(crate) fn listen(&self) {
        self.bell.silence();
        self.held.head().bells.fetch_or(1 << self.bit, SeqCst);
        fence(SeqCst);
    }
}

impl Drop for Hung<'_> {
    fn drop(&mut self) {
        self.held.head().bells.fetch_and(!(1 << self.bit), Relaxed);
    }
}
