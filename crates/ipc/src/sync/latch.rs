//! The lock word of an object, taken and given back by this process.

use crate::Error;
use procession_shm::{Family, Given, Held, OwnedLock, RECHECK, Taken};
use procession_sys::Deadline;
use procession_sys::futex::Woken;
use std::time::Instant;

/// The lock word in an object's head.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Latch {
    family: &'static Family,
    lock: &'static OwnedLock,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The process of this number.
    Process(u32),
    /// A process that has ended and left it locked.
    Gone,
}

impl Latch {
    pub(crate) fn of(held: &Held) -> Self {
        Self { family: held.family(), lock: &held.head().lock }
    }

    /// The number of this process in words of locks; read anew each time, for it changes in a fork.
    #[inline]
    pub(crate) fn stamp(&self) -> u32 {
        self.family.me().stamp()
    }

    #[inline]
    pub(crate) fn try_take(&self) -> Option<Taken> {
        self.lock.try_lock(self.stamp())
    }

    /// Takes the lock, however long that is.
    #[inline]
    pub(crate) fn take(&self) -> Taken {
        match self.try_take() {
            Some(taken) => taken,
            None => self.wait(),
        }
    }

    #[cold]
    fn wait(&self) -> Taken {
        loop {
            if let Ok(taken) = self.take_until(Deadline::never(), || false) {
                return taken;
            }
        }
    }

    #[inline]
    pub(crate) fn take_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<Taken, Woken> {
        self.lock.lock(self.stamp(), deadline, on_wake(self.family, interrupt))
    }

    /// Gives the lock back if this process holds it. With `news`, the next owner is told that an
    /// owner died.
    #[inline]
    pub(crate) fn give(&self, news: bool) -> Given {
        self.lock.unlock_as(self.stamp(), news)
    }

    /// Gives the lock back, whoever took it.
    #[inline]
    pub(crate) fn give_any(&self) -> Given {
        self.lock.unlock()
    }

    /// Has whoever gives it back know that it was waited for.
    pub(super) fn ask(&self) {
        self.lock.ask();
    }

    pub(crate) fn is_taken(&self) -> bool {
        self.lock.owner().is_some()
    }

    /// Whether this process holds it.
    #[inline]
    pub(crate) fn is_mine(&self) -> bool {
        self.lock.owner() == Some(self.stamp())
    }

    pub(crate) fn holder(&self) -> Option<Holder> {
        let stamp = self.lock.owner()?;
        let member = self.family.member_of_stamp(stamp);
        let pid = member.and_then(|member| self.family.pid_of(member));
        Some(pid.map_or(Holder::Gone, Holder::Process))
    }
}

/// What a waiter does after each sleep that was for nothing: it looks for deaths, which nobody else
/// may be there to notice, and asks whether to go on: after a signal, and from time to time, for a signal
/// that came while this thread was awake has interrupted no sleep.
pub(super) fn on_wake(
    family: &'static Family,
    mut interrupt: impl FnMut() -> bool,
) -> impl FnMut(Woken) -> bool {
    let mut asked = None;
    move |woken| {
        family.look_for_deaths();
        let last = *asked.get_or_insert_with(Instant::now);
        let ask = woken == Woken::Interrupted || last.elapsed() >= RECHECK;
        if ask {
            asked = Some(Instant::now());
        }
        ask && interrupt()
    }
}

/// Whether the member that a stamp names has ended.
pub(super) fn is_gone(family: &'static Family) -> impl Fn(u32) -> bool {
    move |stamp| family.member_of_stamp(stamp).is_none()
}

/// The error of a wait that ended without what it waited for.
pub(crate) fn gave_up(woken: Woken, what: &'static str) -> Error {
    match woken {
        Woken::TimedOut => Error::TimedOut { what },
        _ => Error::Interrupted { what },
    }
}
