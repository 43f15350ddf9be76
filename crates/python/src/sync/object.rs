//! The engine's lock or semaphore below a `SemLock`.

use super::sem_lock::{RECURSIVE_MUTEX, SEM_VALUE_MAX};
use procession_ipc::sync::InnerLock;
use procession_ipc::{BoundedSemaphore, Error, Lock, RLock, Semaphore, Shareable};
use procession_shm::{Family, Handle, Held};
use procession_sys::Deadline;

pub(super) enum Object {
    Lock(Lock),
    RLock(RLock),
    Semaphore(Semaphore),
    Bounded(BoundedSemaphore),
    /// The lock inside a value or an array; who takes it again is counted outside.
    Inner(InnerLock),
}

impl Object {
    /// A new one. With `recover` a lock is freed when its holder dies.
    pub(super) fn make(kind: i32, value: u32, maxvalue: u32, recover: bool) -> Result<Self, Error> {
        Ok(match (kind, maxvalue, recover) {
            (RECURSIVE_MUTEX, _, false) => Self::RLock(RLock::new()?),
            (RECURSIVE_MUTEX, _, true) => Self::RLock(RLock::recovering()?),
            (_, 1, true) => Self::Lock(Lock::recovering()?),
            (_, 1, false) => Self::lock_or_signal(value)?,
            (_, SEM_VALUE_MAX, _) => Self::Semaphore(Semaphore::new(value)?),
            _ => Self::Bounded(BoundedSemaphore::new(value)?),
        })
    }

    fn lock_or_signal(value: u32) -> Result<Self, Error> {
        let lock = Lock::new()?;
        if value == 0 {
            lock.acquire();
        }
        Ok(Self::Lock(lock))
    }

    pub(super) fn attach(
        family: &'static Family,
        handle: Handle,
        kind: i32,
        maxvalue: u32,
    ) -> Result<Self, Error> {
        Ok(match (kind, maxvalue) {
            (RECURSIVE_MUTEX, _) => Self::RLock(RLock::attach(family, handle)?),
            (_, SEM_VALUE_MAX) => Self::Semaphore(Semaphore::attach(family, handle)?),
            (_, 1) => Self::Lock(Lock::attach(family, handle)?),
            _ => Self::Bounded(BoundedSemaphore::attach(family, handle)?),
        })
    }

    pub(super) fn held(&self) -> &Held {
        match self {
            Self::Lock(lock) => lock.held(),
            Self::RLock(lock) => lock.held(),
            Self::Semaphore(semaphore) => semaphore.held(),
            Self::Bounded(semaphore) => semaphore.held(),
            Self::Inner(lock) => lock.held(),
        }
    }

    #[inline]
    pub(super) fn try_acquire(&self) -> bool {
        match self {
            Self::Lock(lock) => lock.try_acquire(),
            Self::RLock(lock) => lock.try_acquire(),
            Self::Semaphore(semaphore) => semaphore.try_acquire(),
            Self::Bounded(semaphore) => semaphore.try_acquire(),
            Self::Inner(lock) => lock.try_acquire(),
        }
    }

    pub(super) fn acquire_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<(), Error> {
        match self {
            Self::Lock(lock) => lock.acquire_until(deadline, interrupt),
            Self::RLock(lock) => lock.acquire_until(deadline, interrupt),
            Self::Semaphore(semaphore) => semaphore.acquire_until(deadline, interrupt),
            Self::Bounded(semaphore) => semaphore.acquire_until(deadline, interrupt),
            Self::Inner(lock) => lock.acquire_until(deadline, interrupt),
        }
    }

    #[inline]
    pub(super) fn release(&self) -> Result<(), Error> {
        match self {
            Self::Lock(lock) => lock.release(),
            Self::RLock(lock) => lock.release(),
            Self::Semaphore(semaphore) => semaphore.release(),
            Self::Bounded(semaphore) => semaphore.release(),
            Self::Inner(lock) => lock.release(),
        }
    }

    pub(super) fn value(&self) -> u32 {
        match self {
            Self::Lock(lock) => u32::from(!lock.is_locked()),
            Self::RLock(lock) => u32::from(!lock.is_locked()),
            Self::Semaphore(semaphore) => semaphore.value(),
            Self::Bounded(semaphore) => semaphore.value(),
            Self::Inner(lock) => u32::from(!lock.is_locked()),
        }
    }

    pub(super) fn is_recursive(&self) -> bool {
        matches!(self, Self::RLock(_) | Self::Inner(_))
    }

    pub(super) fn owner_died(&self) -> bool {
        match self {
            Self::Lock(lock) => lock.owner_died(),
            Self::RLock(lock) => lock.owner_died(),
            Self::Inner(lock) => lock.owner_died(),
            Self::Semaphore(_) | Self::Bounded(_) => false,
        }
    }
}
