//! The objects of CPython's `SyncManager`, made by the names that it has for them.

use super::{
    Array, Barrier, BoundedSemaphore, Condition, Dict, Event, JoinableQueue, List, Lock, Manager,
    ManagerError, Namespace, Queue, RLock, Semaphore, Set, Typed, Value,
};
use serde::Serialize;

impl Manager {
    /// Makes a queue without a bound.
    ///
    /// # Errors
    /// As for all of these: [`ManagerError::Failed`] if the manager does not have the type, as a stock `BaseManager` does not;
    /// [`ManagerError::Encode`] if an argument cannot be sent; [`ManagerError::Lost`].
    pub fn queue<T>(&self) -> Result<Queue<T>, ManagerError> {
        self.create("Queue", ())
    }

    /// Makes a queue of at most `maxsize` items; 0 is no bound.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn queue_with_maxsize<T>(&self, maxsize: usize) -> Result<Queue<T>, ManagerError> {
        self.create("Queue", (maxsize,))
    }

    /// Makes a queue that knows when all is done.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn joinable_queue<T>(&self) -> Result<JoinableQueue<T>, ManagerError> {
        self.create("JoinableQueue", ())
    }

    /// Makes a list of these items.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn list<T: Serialize>(
        &self,
        items: impl IntoIterator<Item = T>,
    ) -> Result<List<T>, ManagerError> {
        self.create("list", (Vec::from_iter(items),))
    }

    /// Makes a dict of these keys and values.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn dict<K: Serialize, V: Serialize>(
        &self,
        items: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Dict<K, V>, ManagerError> {
        self.create("dict", (Vec::from_iter(items),))
    }

    /// Makes a set of these members.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn set<T: Serialize>(
        &self,
        members: impl IntoIterator<Item = T>,
    ) -> Result<Set<T>, ManagerError> {
        self.create("set", (Vec::from_iter(members),))
    }

    /// Makes a namespace without attributes.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn namespace(&self) -> Result<Namespace, ManagerError> {
        self.create("Namespace", ())
    }

    /// Makes a value; `typecode` is one of Python's module `array`, and says nothing to the manager.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn value<T: Serialize>(&self, typecode: &str, value: T) -> Result<Value<T>, ManagerError> {
        self.create("Value", (typecode, value))
    }

    /// Makes an array of these numbers; `typecode` is one of Python's module `array`: `"i"` for 32 bits, `"q"` for 64, `"d"`
    /// for an `f64`.
    ///
    /// # Errors
    /// As [`queue`](Self::queue); [`ManagerError::Raised`] or [`ManagerError::Failed`] if a number does not fit the code.
    pub fn array<T: Serialize>(
        &self,
        typecode: &str,
        numbers: &[T],
    ) -> Result<Array<T>, ManagerError> {
        self.create("Array", (typecode, numbers))
    }

    /// Makes a lock, which is free.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn lock(&self) -> Result<Lock, ManagerError> {
        self.create("Lock", ())
    }

    /// Makes a recursive lock, which is free.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn rlock(&self) -> Result<RLock, ManagerError> {
        self.create("RLock", ())
    }

    /// Makes a semaphore that lets `value` enter.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn semaphore(&self, value: u32) -> Result<Semaphore, ManagerError> {
        self.create("Semaphore", (value,))
    }

    /// Makes a semaphore that lets `value` enter, now and at most.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn bounded_semaphore(&self, value: u32) -> Result<BoundedSemaphore, ManagerError> {
        self.create("BoundedSemaphore", (value,))
    }

    /// Makes a condition with a lock of its own.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn condition(&self) -> Result<Condition, ManagerError> {
        self.create("Condition", ())
    }

    /// Makes a condition with a lock that is there already.
    ///
    /// # Errors
    /// As [`queue`](Self::queue); at a stock manager also as [`Proxy::to_payload`](super::Proxy::to_payload) says.
    pub fn condition_with_lock(&self, lock: &Lock) -> Result<Condition, ManagerError> {
        self.create("Condition", vec![lock.proxy().to_payload().into()])
    }

    /// Makes a condition with a recursive lock that is there already. At a stock manager a thread that has the lock is another
    /// than itself to the condition.
    ///
    /// # Errors
    /// As [`condition_with_lock`](Self::condition_with_lock).
    pub fn condition_with_rlock(&self, lock: &RLock) -> Result<Condition, ManagerError> {
        self.create("Condition", vec![lock.proxy().to_payload().into()])
    }

    /// Makes an event, which is not set.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn event(&self) -> Result<Event, ManagerError> {
        self.create("Event", ())
    }

    /// Makes a barrier for so many parties.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn barrier(&self, parties: usize) -> Result<Barrier, ManagerError> {
        self.create("Barrier", (parties,))
    }
}
