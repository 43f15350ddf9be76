//! Who waits at a condition: a slot for each.
//!
//! | value of a slot's word | meaning | set by |
//! |---|---|---|
//! | 0 | nobody's | who had it; whoever finds that its owner is gone |
//! | stamp | that member waits | the waiter, from 0 |
//! | stamp + `NOTIFIED` | it was notified and has not seen it yet | a notifier |
//!
//! A waiter takes a slot while it still holds the condition's lock, gives the lock back, and sleeps on
//! its own slot; so a notice goes to one waiter, the one that has waited longest, and to nobody who
//! came later. All changes are compare and swap; `order` is read only to choose.
//!
//! More waiters than slots wait together at an event count: they are woken when a notice is left over
//! after the slots, all of them, which a condition may do.
//!
//! **If a party dies** while it waits, notifiers pass its slot by, once it is buried. If it was
//! notified before that, one of the others finds the notice in the dead one's slot and takes it
//! over (F), at latest at its next look, [`RECHECK`](procession_shm::RECHECK) after the burial. Nobody
//! waits for a waiter.

use super::nap;
use procession_shm::EventCount;
use procession_sys::Deadline;
use procession_sys::atomic::{AtomicU32, Ordering, fence};
use procession_sys::futex::{self, Woken};

const NOTIFIED: u32 = 1 << 30;

procession_shm::shared_struct! {
    /// One waiter's place.
    #[derive(Debug, Default)]
    pub(in crate::sync) struct Slot: 8 {
        word: AtomicU32,
        order: AtomicU32,
    }
}

procession_shm::shared_struct! {
    /// How many have come, wrapping; and how many slots from the first on were ever used.
    #[derive(Debug, Default)]
    pub(in crate::sync) struct Counts: 8 {
        arrivals: AtomicU32,
        top: AtomicU32,
    }
}

/// The waiters of a condition.
#[derive(Clone, Copy, Debug)]
pub(in crate::sync) struct Waiters<'a> {
    pub(in crate::sync) counts: &'a Counts,
    pub(in crate::sync) slots: &'a [Slot],
    /// Where those wait who found no slot.
    pub(in crate::sync) crowd: &'a EventCount,
}

/// A waiter's place, taken under the condition's lock.
#[derive(Debug)]
pub(in crate::sync) enum Place {
    Slot(usize),
    Crowd(procession_shm::Ticket),
}

impl Waiters<'_> {
    /// Takes a place. For who holds the condition's lock and is about to give it back.
    pub(in crate::sync) fn enter(&self, stamp: u32, gone: impl Fn(u32) -> bool) -> Place {
        let order = self.counts.arrivals.fetch_add(1, Ordering::Relaxed);
        for (number, slot) in self.slots.iter().enumerate() {
            let seen = slot.word.load(Ordering::Relaxed);
            // A dead one's notice is not thrown away with its slot: somebody takes it over.
            let vacant = seen == 0 || (seen & NOTIFIED == 0 && gone(seen));
            if vacant && change(slot, seen, stamp) {
                slot.order.store(order, Ordering::Relaxed);
                self.counts.top.fetch_max(number as u32 + 1, Ordering::Relaxed);
                return Place::Slot(number);
            }
        }
        Place::Crowd(self.crowd.announce())
    }

    /// Sleeps until notified. For who has given the condition's lock back.
    pub(in crate::sync) fn wait(
        &self,
        place: Place,
        stamp: u32,
        deadline: Deadline,
        gone: impl Fn(u32) -> bool,
        mut on_wake: impl FnMut(Woken) -> bool,
    ) -> Result<(), Woken> {
        let slot = match place {
            Place::Slot(number) => &self.slots[number],
            Place::Crowd(ticket) => {
                return match self.crowd.sleep(ticket, deadline) {
                    Woken::TimedOut => Err(Woken::TimedOut),
                    woken if on_wake(woken) => Err(woken),
                    _ => Ok(()),
                };
            }
        };
        loop {
            if slot.word.load(Ordering::Acquire) != stamp {
                slot.word.store(0, Ordering::Release);
                return Ok(());
            }
            let woken = nap(&slot.word, stamp, deadline);
            if slot.word.load(Ordering::Relaxed) != stamp {
                continue;
            }
            if woken != Woken::TimedOut && !on_wake(woken) {
                if self.inherit(&gone) {
                    self.leave(slot, stamp, &gone);
                    return Ok(());
                }
            } else if woken == Woken::TimedOut {
                if change(slot, stamp, 0) {
                    return Err(woken);
                }
            } else {
                self.leave(slot, stamp, &gone);
                return Err(woken);
            }
        }
    }

    /// Notifies `count` waiters, those first who have waited longest. For who holds the condition's
    /// lock. Waits for nobody.
    pub(in crate::sync) fn notify(&self, count: u32, gone: impl Fn(u32) -> bool) {
        for _ in 0..count {
            if !self.notify_next(&gone) {
                // Those without a slot all wake; the fence is what a notice asks for.
                fence(Ordering::SeqCst);
                self.crowd.notify_all();
                return;
            }
        }
    }

    /// How many wait in slots.
    pub(in crate::sync) fn len(&self, gone: impl Fn(u32) -> bool) -> usize {
        self.used()
            .filter(|slot| waiting(slot.word.load(Ordering::Relaxed)).is_some_and(|who| !gone(who)))
            .count()
    }

    /// Wakes all who sleep in slots, to look, as they do by themselves now and then.
    #[cfg(loom)]
    pub(super) fn look(&self) {
        for slot in self.used() {
            futex::wake_all(&slot.word);
        }
    }

    fn notify_next(&self, gone: &impl Fn(u32) -> bool) -> bool {
        while let Some((slot, who)) = self.oldest() {
            if gone(who) {
                change(slot, who, 0);
            } else if change(slot, who, who | NOTIFIED) {
                futex::wake(&slot.word, 1);
                return true;
            }
        }
        false
    }

    fn oldest(&self) -> Option<(&Slot, u32)> {
        let newest = self.counts.arrivals.load(Ordering::Relaxed);
        self.used()
            .filter_map(|slot| Some((slot, waiting(slot.word.load(Ordering::Relaxed))?)))
            .max_by_key(|(slot, _)| newest.wrapping_sub(slot.order.load(Ordering::Relaxed)))
    }

    /// (F) Takes a notice over from one who died with it.
    fn inherit(&self, gone: &impl Fn(u32) -> bool) -> bool {
        self.used().any(|slot| {
            let seen = slot.word.load(Ordering::Relaxed);
            seen & NOTIFIED != 0 && gone(seen & !NOTIFIED) && change(slot, seen, 0)
        })
    }

    /// Gives the slot back without having used its notice: another gets that.
    fn leave(&self, slot: &Slot, stamp: u32, gone: &impl Fn(u32) -> bool) {
        if !change(slot, stamp, 0) {
            slot.word.store(0, Ordering::Release);
            self.notify(1, gone);
        }
    }

    fn used(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter().take(self.counts.top.load(Ordering::Relaxed) as usize)
    }
}

fn change(slot: &Slot, from: u32, to: u32) -> bool {
    // Acquire also where it fails: `leave` then notifies another, and must see who had come when it was
    // notified itself.
    slot.word.compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire).is_ok()
}

fn waiting(word: u32) -> Option<u32> {
    Some(word).filter(|word| *word != 0 && *word & NOTIFIED == 0)
}
