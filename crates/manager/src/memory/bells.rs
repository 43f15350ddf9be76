//! How the server hears of objects that others use without it.
//!
//! While somebody stands in the line of an object in the arena, a doorbell hangs at the object, and is watched here under the
//! object's number. All of them are behind one descriptor. A clock beside them rings for every line twice a second, since a
//! ring can be lost with the process that was to give it, and looks for members that have died.

use procession_shm::{Family, RECHECK};
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The number under which the clock is watched.
const CLOCK: u64 = 0;
/// How many rings are heard at once.
const AT_ONCE: usize = 64;

/// The bells of all objects in the arena at which somebody waits.
#[derive(Debug)]
pub(crate) struct Bells {
    epoll: OwnedFd,
    clock: OwnedFd,
    family: &'static Family,
    last: Cell<u64>,
    /// How many bells of each object hang.
    hung: RefCell<BTreeMap<u64, usize>>,
}

impl Bells {
    pub(super) fn new(family: &'static Family) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let clock = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        epoll::add(&epoll, &clock, EventData::new_u64(CLOCK), EventFlags::IN)?;
        Ok(Self { epoll, clock, family, last: Cell::new(CLOCK), hung: RefCell::default() })
    }

    /// A number for a new object.
    pub(crate) fn number(&self) -> u64 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    /// Watches a bell of the object of that number, until it is [forgotten](Self::forget).
    pub(crate) fn watch(&self, number: u64, bell: impl AsFd) -> io::Result<()> {
        epoll::add(&self.epoll, bell, EventData::new_u64(number), EventFlags::IN)?;
        let mut hung = self.hung.borrow_mut();
        if hung.is_empty() {
            self.set_clock(true)?;
        }
        *hung.entry(number).or_insert(0) += 1;
        Ok(())
    }

    /// A bell of that object is taken down. The kernel forgets it by itself.
    pub(crate) fn forget(&self, number: u64) {
        let mut hung = self.hung.borrow_mut();
        let Some(count) = hung.get_mut(&number) else { return };
        *count -= 1;
        if *count == 0 {
            hung.remove(&number);
        }
        if hung.is_empty() {
            // A clock that goes on rings for nobody, once.
            let _ = self.set_clock(false);
        }
    }

    /// The numbers of the objects to look at.
    pub(crate) fn rung(&self) -> Vec<u64> {
        let mut events =
            [Event { flags: EventFlags::empty(), data: EventData::new_u64(CLOCK) }; AT_ONCE];
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let heard = epoll::wait(&self.epoll, &mut events[..], Some(&at_once)).unwrap_or(0);
        let mut numbers: Vec<u64> = events[..heard].iter().map(|event| event.data.u64()).collect();
        if numbers.contains(&CLOCK) {
            let _ = rustix::io::read(&self.clock, &mut [0_u8; 8]);
            self.family.look_for_deaths();
            numbers = self.hung.borrow().keys().copied().collect();
        }
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn set_clock(&self, runs: bool) -> io::Result<()> {
        let every =
            if runs { RECHECK.try_into().map_err(io::Error::other)? } else { Timespec::default() };
        let times = Itimerspec { it_interval: every, it_value: every };
        timerfd_settime(&self.clock, TimerfdTimerFlags::empty(), &times)?;
        Ok(())
    }
}

/// Readable when somebody rang.
impl AsFd for Bells {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}
