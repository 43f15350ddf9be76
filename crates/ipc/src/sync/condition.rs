//! Waiting until somebody says that something has changed.

use super::latch::{gave_up, is_gone, on_wake};
use super::words::condition::{Counts, Slot, Waiters};
use super::{Lock, RLock};
use crate::{Error, Shareable, message};
use procession_shm::{Family, Handle, Held, Kind};
use procession_sys::Deadline;
use procession_sys::futex::Woken;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::marker::PhantomData;
use std::time::Duration;

const COUNTS_AT: usize = 32;
const SLOTS_AT: usize = 40;
/// How many waiters have a place of their own; the block is one KiB then.
const SLOTS: usize = 123;
const LEN: u64 = (SLOTS_AT + SLOTS * 8) as u64;

/// Waiting for others to change something under a lock, as Python's `multiprocessing.Condition`.
///
/// The lock is a [`Lock`] or an [`RLock`], or the condition's own. Waiting gives it back, however often
/// it was taken, and takes it as often before it returns. A notice goes to those who have waited
/// longest. A wait may return without a notice, though rarely (after a death, or with more than 123
/// waiters): look at what was waited for, or use the `wait_for` forms, which do.
///
/// # If a process dies
/// One that is killed while it waits leaves nothing that others must clear: notices pass it by, and one
/// that it had not seen yet goes to another, within about a second. One that is killed while it holds
/// the lock leaves that locked, as in Python.
///
/// # After fork
/// The child has the same condition, and does not hold its lock.
///
/// # Examples
/// ```
/// use procession_ipc::{Condition, Value};
///
/// let (condition, ready) = (Condition::new()?, Value::new(0_u32)?);
/// let (there, flag) = (condition.clone(), ready.clone());
/// let thread = std::thread::spawn(move || {
///     let guard = there.lock();
///     flag.store(1);
///     guard.notify_all().unwrap();
/// });
/// let guard = condition.lock();
/// guard.wait_for(|| ready.load() == 1)?;
/// # drop(guard);
/// # thread.join().unwrap();
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Condition {
    held: Held,
    lock: ConditionLock,
    waiters: Waiters<'static>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
enum ConditionLock {
    Lock(Lock),
    RLock(RLock),
}

impl ConditionLock {
    /// The family of the lock, which is the condition's.
    fn family(&self) -> &'static Family {
        match self {
            Self::Lock(lock) => lock.held().family(),
            Self::RLock(lock) => lock.held().family(),
        }
    }
}

/// The lock of a [`Condition`], held. Dropping it gives it back.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct ConditionGuard<'a> {
    condition: &'a Condition,
    _not_send: PhantomData<*const ()>,
}

impl Condition {
    /// A condition with a recursive lock of its own.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new() -> Result<Self, Error> {
        Self::with_rlock(RLock::new()?)
    }

    /// A condition over `lock`, which others may use too.
    ///
    /// # Errors
    /// As [`Condition::new`].
    pub fn with_lock(lock: Lock) -> Result<Self, Error> {
        Self::make(ConditionLock::Lock(lock))
    }

    /// A condition over a recursive lock, which others may use too.
    ///
    /// # Errors
    /// As [`Condition::new`].
    pub fn with_rlock(lock: RLock) -> Result<Self, Error> {
        Self::make(ConditionLock::RLock(lock))
    }

    fn make(lock: ConditionLock) -> Result<Self, Error> {
        let held = lock.family().make(Kind::Condition, LEN, 0, |_| Ok(()))?;
        Ok(Self::of(held, lock))
    }

    /// What names the condition in the family of its lock; the lock has a handle of its own.
    pub fn handle(&self) -> Handle {
        self.held.handle()
    }

    /// Takes hold of the condition over `lock` that `handle` names, see
    /// [`Shareable`](crate::Shareable).
    ///
    /// # Errors
    /// [`Error::Shm`] if it is gone, or is of another kind.
    pub fn attach_with_lock(handle: Handle, lock: Lock) -> Result<Self, Error> {
        Self::attach(handle, ConditionLock::Lock(lock))
    }

    /// As [`attach_with_lock`](Self::attach_with_lock), for a condition over a recursive lock.
    ///
    /// # Errors
    /// As there.
    pub fn attach_with_rlock(handle: Handle, lock: RLock) -> Result<Self, Error> {
        Self::attach(handle, ConditionLock::RLock(lock))
    }

    fn attach(handle: Handle, lock: ConditionLock) -> Result<Self, Error> {
        let held = lock.family().attach(handle, Kind::Condition, 0)?;
        Ok(Self::of(held, lock))
    }

    fn of(held: Held, lock: ConditionLock) -> Self {
        let waiters = Waiters {
            counts: held.words::<Counts>(COUNTS_AT),
            slots: held.region().objects::<Slot>(SLOTS_AT, SLOTS),
            crowd: &held.head().waits[0],
        };
        Self { held, lock, waiters }
    }

    /// Takes the condition's lock; waits as long as it must.
    pub fn lock(&self) -> ConditionGuard<'_> {
        match &self.lock {
            ConditionLock::Lock(lock) => lock.acquire(),
            ConditionLock::RLock(lock) => lock.acquire(),
        }
        self.guard()
    }

    /// Takes the condition's lock if it is free, or recursive and this thread's.
    pub fn try_lock(&self) -> Option<ConditionGuard<'_>> {
        let taken = match &self.lock {
            ConditionLock::Lock(lock) => lock.try_acquire(),
            ConditionLock::RLock(lock) => lock.try_acquire(),
        };
        taken.then(|| self.guard())
    }

    /// Takes the condition's lock; waits at most for `timeout`.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ConditionGuard<'_>, Error> {
        let deadline = Deadline::after(timeout);
        match &self.lock {
            ConditionLock::Lock(lock) => lock.acquire_until(deadline, || false)?,
            ConditionLock::RLock(lock) => lock.acquire_until(deadline, || false)?,
        }
        Ok(self.guard())
    }

    /// Waits for a notice. For who holds the lock, with or without a guard.
    ///
    /// # Errors
    /// [`Error::NotOwner`] if this process (for a recursive lock, this thread) does not hold the lock.
    pub fn wait(&self) -> Result<(), Error> {
        self.wait_until(Deadline::never(), || false)
    }

    /// Waits for a notice, at most for `timeout`; whether there was one.
    ///
    /// # Errors
    /// As [`Condition::wait`].
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, Error> {
        not_timed_out(self.wait_until(Deadline::after(timeout), || false))
    }

    /// Waits for a notice, the deadline, or until `interrupt`, which is asked after every signal, says
    /// that it is enough. The lock is taken again in each case.
    ///
    /// # Errors
    /// [`Error::NotOwner`] as [`Condition::wait`]; [`Error::TimedOut`], [`Error::Interrupted`].
    pub fn wait_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        self.check_mine("wait at a condition")?;
        self.sleep(deadline, interrupt, || self.unlock(), |depth| self.relock(depth))
            .map_err(|woken| gave_up(woken, "waiting at a condition"))
    }

    /// As [`wait_until`](Self::wait_until), but the lock stays given back: for a caller that can also give
    /// up waiting for the lock. How often it had been taken, and how the wait ended.
    ///
    /// # Errors
    /// [`Error::NotOwner`] as [`Condition::wait`].
    pub fn wait_released(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(u32, Result<(), Error>), Error> {
        self.check_mine("wait at a condition")?;
        let mut depth = 0;
        let ended = self.sleep(deadline, interrupt, || self.unlock(), |taken| depth = taken);
        Ok((depth, ended.map_err(|woken| gave_up(woken, "waiting at a condition"))))
    }

    /// Notifies `count` waiters, those first who have waited longest; it waits for nobody. For who
    /// holds the lock.
    ///
    /// # Errors
    /// As [`Condition::wait`].
    pub fn notify(&self, count: u32) -> Result<(), Error> {
        self.check_mine("notify a condition")?;
        self.waiters.notify(count, is_gone(self.family()));
        Ok(())
    }

    /// Notifies all waiters; else as [`Condition::notify`].
    ///
    /// # Errors
    /// As [`Condition::wait`].
    pub fn notify_all(&self) -> Result<(), Error> {
        self.notify(u32::MAX)
    }

    /// Waits for a notice under another lock than the condition's own.
    pub(super) fn wait_under(
        &self,
        deadline: Deadline,
        unlock: impl FnOnce(),
        relock: impl FnOnce(),
    ) -> Result<(), Woken> {
        self.sleep(deadline, || false, unlock, |()| relock())
    }

    /// Notifies without asking who holds a lock.
    pub(super) fn notify_any(&self, count: u32) {
        self.waiters.notify(count, is_gone(self.family()));
    }

    /// How many wait now, as far as is known.
    pub fn n_waiting(&self) -> usize {
        self.waiters.len(is_gone(self.family()))
    }

    fn sleep<D>(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
        unlock: impl FnOnce() -> D,
        relock: impl FnOnce(D),
    ) -> Result<(), Woken> {
        let family = self.family();
        let stamp = family.me().stamp();
        let place = self.waiters.enter(stamp, is_gone(family));
        let depth = unlock();
        let on_wake = on_wake(family, interrupt);
        let ended = self.waiters.wait(place, stamp, deadline, is_gone(family), on_wake);
        relock(depth);
        ended
    }

    fn unlock(&self) -> u32 {
        match &self.lock {
            ConditionLock::Lock(lock) => u32::from(lock.give()),
            ConditionLock::RLock(lock) => lock.release_all(),
        }
    }

    fn relock(&self, depth: u32) {
        match &self.lock {
            ConditionLock::Lock(lock) => lock.acquire(),
            ConditionLock::RLock(lock) => lock.acquire_again(depth),
        }
    }

    fn check_mine(&self, attempted: &'static str) -> Result<(), Error> {
        let mine = match &self.lock {
            ConditionLock::Lock(lock) => lock.is_mine(),
            ConditionLock::RLock(lock) => lock.is_mine(),
        };
        if mine { Ok(()) } else { Err(Error::NotOwner { attempted }) }
    }

    fn guard(&self) -> ConditionGuard<'_> {
        ConditionGuard { condition: self, _not_send: PhantomData }
    }

    fn family(&self) -> &'static Family {
        self.held.family()
    }
}

fn not_timed_out(ended: Result<(), Error>) -> Result<bool, Error> {
    match ended {
        Err(Error::TimedOut { .. }) => Ok(false),
        ended => ended.map(|()| true),
    }
}

impl ConditionGuard<'_> {
    /// Waits for a notice.
    ///
    /// # Errors
    /// [`Error::NotOwner`] if somebody else has released the lock meanwhile.
    pub fn wait(&self) -> Result<(), Error> {
        self.condition.wait()
    }

    /// Waits for a notice, at most for `timeout`; whether there was one.
    ///
    /// # Errors
    /// As [`ConditionGuard::wait`].
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, Error> {
        self.condition.wait_timeout(timeout)
    }

    /// Waits for notices until `fact` is true; it is asked under the lock.
    ///
    /// # Errors
    /// As [`ConditionGuard::wait`].
    pub fn wait_for(&self, mut fact: impl FnMut() -> bool) -> Result<(), Error> {
        while !fact() {
            self.wait()?;
        }
        Ok(())
    }

    /// Waits for notices until `fact` is true, at most for `timeout`; whether it is.
    ///
    /// # Errors
    /// As [`ConditionGuard::wait`].
    pub fn wait_for_timeout(
        &self,
        timeout: Duration,
        mut fact: impl FnMut() -> bool,
    ) -> Result<bool, Error> {
        let deadline = Deadline::after(timeout);
        while !fact() {
            if !not_timed_out(self.condition.wait_until(deadline, || false))? {
                return Ok(fact());
            }
        }
        Ok(true)
    }

    /// Notifies the one that has waited longest.
    ///
    /// # Errors
    /// As [`ConditionGuard::wait`].
    pub fn notify_one(&self) -> Result<(), Error> {
        self.condition.notify(1)
    }

    /// Notifies `count` waiters.
    ///
    /// # Errors
    /// As [`ConditionGuard::wait`].
    pub fn notify(&self, count: u32) -> Result<(), Error> {
        self.condition.notify(count)
    }

    /// Notifies all waiters.
    ///
    /// # Errors
    /// As [`ConditionGuard::wait`].
    pub fn notify_all(&self) -> Result<(), Error> {
        self.condition.notify_all()
    }
}

impl Drop for ConditionGuard<'_> {
    fn drop(&mut self) {
        match &self.condition.lock {
            ConditionLock::Lock(lock) => drop(lock.give()),
            ConditionLock::RLock(lock) => drop(lock.release()),
        }
    }
}

impl Serialize for Condition {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Travelling(&self.held), &self.lock).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (Arrived(held), lock) = Deserialize::deserialize(deserializer)?;
        Ok(Self::of(held, lock))
    }
}

struct Travelling<'a>(&'a Held);

impl Serialize for Travelling<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        message::serialize_handle(self.0, serializer)
    }
}

struct Arrived(Held);

impl<'de> Deserialize<'de> for Arrived {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        message::deserialize_handle(deserializer, Kind::Condition, 0).map(Self)
    }
}
