//! One value that processes share.

use crate::shareable::shareable;
use crate::sync::{Holder, Latch, gave_up};
use crate::{Error, Plain};
use procession_shm::{Held, Kind, Region, family};
use procession_sys::Deadline;
use procession_sys::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use procession_sys::atomic::{AtomicU32, AtomicU64, in_order_for_heirs};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

/// Where the value lies: behind the head, in the same cache line if it fits there.
const DATA_AT: usize = 32;

/// A value that processes share, as Python's `multiprocessing.Value`.
///
/// `lock` gives a guard with the value in it; what was changed is written when the guard is dropped.
/// Integers and floats can also be used without the lock, as atomics: [`load`](Value::load),
/// [`fetch_add`](Value::fetch_add), and so on. Mixing both is allowed, but an atomic change made while
/// somebody holds the lock is overwritten when that one's guard, changed, is dropped.
///
/// # If a process dies
/// The value is as it was before the dead one's lock, or as it left it; never a mixture. The lock goes
/// to the next who wants it.
///
/// # After fork
/// The child has the same value. What the parent held is held by the parent: dropping the child's copy
/// of a guard changes nothing.
///
/// # Examples
/// ```
/// let counter = procession_ipc::Value::new(0_i32)?;
/// *counter.lock() += 1;
/// counter.fetch_add(2);
/// assert_eq!(counter.update(|value| value * 10), 30);
/// assert_eq!(counter.get(), 30);
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Debug)]
pub struct Value<T> {
    held: Held,
    latch: Latch,
    cell: Cell,
    _type: PhantomData<fn(T) -> T>,
}

shareable!(Value<T> where T: Plain, held, Kind::Value, Self::tag());

/// The value, to oneself, as a copy that is written back when the guard is dropped.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct ValueGuard<'a, T: Plain> {
    value: &'a Value<T>,
    copy: T,
    changed: bool,
}

/// The bytes of a value. One word changes in one store; larger ones have two places, and the word
/// says which of them is the true one.
#[derive(Clone, Copy, Debug)]
enum Cell {
    Half(&'static AtomicU32),
    Word(&'static AtomicU64),
    Pair { which: &'static AtomicU64, places: Region },
}

impl Cell {
    fn of(region: Region, size: usize) -> Self {
        match size {
            4 => Self::Half(region.object(DATA_AT)),
            0..=8 => Self::Word(region.object(DATA_AT)),
            _ => Self::Pair {
                which: region.object(DATA_AT),
                places: region.part(DATA_AT + 8, 2 * size),
            },
        }
    }

    fn len(size: usize) -> u64 {
        let data = if size <= 8 { 8 } else { 8 + 2 * size as u64 };
        DATA_AT as u64 + data
    }

    #[inline]
    fn read<T: Plain>(self) -> T {
        let mut value = T::new_zeroed();
        let bytes = value.as_mut_bytes();
        match self {
            Self::Half(word) => bytes.copy_from_slice(&word.load(Acquire).to_ne_bytes()),
            Self::Word(word) => {
                bytes.copy_from_slice(&word.load(Acquire).to_ne_bytes()[..size_of::<T>()]);
            }
            Self::Pair { which, places } => {
                let at = (which.load(Acquire) & 1) as usize * size_of::<T>();
                places.read(at, bytes);
            }
        }
        value
    }

    #[inline]
    fn write<T: Plain>(self, value: T) {
        match self {
            Self::Half(word) => word.store(to_bits(value) as u32, Release),
            Self::Word(word) => word.store(to_bits(value), Release),
            Self::Pair { which, places } => {
                // The other place was the true one until the last write.
                in_order_for_heirs();
                let next = (which.load(Relaxed) + 1) & 1;
                places.write(next as usize * size_of::<T>(), value.as_bytes());
                procession_sys::crash_point!("value.write.before_commit");
                which.store(next, Release);
            }
        }
    }
}

/// The bytes of a small value as a number whose low half is the value if it has four bytes.
#[inline]
fn to_bits<T: Plain>(value: T) -> u64 {
    let mut bytes = [0; 8];
    bytes[..size_of::<T>()].copy_from_slice(value.as_bytes());
    if size_of::<T>() == 4 {
        let half = [bytes[0], bytes[1], bytes[2], bytes[3]];
        return u64::from(u32::from_ne_bytes(half));
    }
    u64::from_ne_bytes(bytes)
}

#[inline]
fn from_bits<T: Plain>(bits: u64) -> T {
    let mut value = T::new_zeroed();
    if size_of::<T>() == 4 {
        value.as_mut_bytes().copy_from_slice(&(bits as u32).to_ne_bytes());
    } else {
        value.as_mut_bytes().copy_from_slice(&bits.to_ne_bytes()[..size_of::<T>()]);
    }
    value
}

impl<T: Plain> Value<T> {
    /// Shares `value`.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new(value: T) -> Result<Self, Error> {
        let size = size_of::<T>();
        let held = family()?.make(Kind::Value, Cell::len(size), Self::tag(), |region| {
            Cell::of(region, size).write(value);
            Ok(())
        })?;
        held.head().set_robust();
        Ok(Self::of(held))
    }

    fn tag() -> u32 {
        Held::tag::<T>(size_of::<T>(), align_of::<T>())
    }

    fn of(held: Held) -> Self {
        let cell = Cell::of(held.region(), size_of::<T>());
        Self { latch: Latch::of(&held), held, cell, _type: PhantomData }
    }

    /// The value. Waits while somebody holds the lock.
    #[inline]
    pub fn get(&self) -> T {
        self.latch.take();
        let value = self.cell.read();
        self.latch.give(false);
        value
    }

    /// Sets the value. Waits while somebody holds the lock.
    #[inline]
    pub fn set(&self, value: T) {
        self.latch.take();
        self.cell.write(value);
        self.latch.give(false);
    }

    /// Replaces the value by what `change` makes of it, under the lock; the new value.
    #[inline]
    pub fn update(&self, change: impl FnOnce(T) -> T) -> T {
        let mut guard = self.lock();
        *guard = change(*guard);
        *guard
    }

    /// Takes the lock; waits as long as it must.
    #[inline]
    pub fn lock(&self) -> ValueGuard<'_, T> {
        self.latch.take();
        self.guard()
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<ValueGuard<'_, T>> {
        self.latch.try_take().map(|_| self.guard())
    }

    /// Takes the lock; waits at most for `timeout`.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ValueGuard<'_, T>, Error> {
        self.lock_until(Deadline::after(timeout), || false)
    }

    /// Takes the lock; waits until the deadline, or until `interrupt`, which is asked after every
    /// signal, says that it is enough.
    ///
    /// # Errors
    /// [`Error::TimedOut`], [`Error::Interrupted`].
    pub fn lock_until(
        &self,
        deadline: Deadline,
        interrupt: impl FnMut() -> bool,
    ) -> Result<ValueGuard<'_, T>, Error> {
        match self.latch.take_until(deadline, interrupt) {
            Ok(_) => Ok(self.guard()),
            Err(woken) => Err(gave_up(woken, "waiting for the lock of a value")),
        }
    }

    /// Where the value lies, if it has at most eight bytes: for a front door that lends the memory in its
    /// own way, under the lock.
    pub fn region(&self) -> Option<Region> {
        let small = size_of::<T>() <= 8;
        small.then(|| self.held.region().part(DATA_AT, size_of::<T>()))
    }

    /// Who holds the lock.
    pub fn holder(&self) -> Option<Holder> {
        self.latch.holder()
    }

    #[inline]
    fn guard(&self) -> ValueGuard<'_, T> {
        ValueGuard { value: self, copy: self.cell.read(), changed: false }
    }
}

/// Numbers of 1, 2, 4 or 8 bytes, which change in one step.
pub trait Atomic: Plain + PartialEq + sealed::Sealed {}

/// Integers that the processor can add to in one step.
pub trait AtomicInteger: Atomic {}

mod sealed {
    pub trait Sealed {}
}

macro_rules! atomic {
    ($trait:ident: $($type:ty),*) => { $( impl $trait for $type {} )* };
}

macro_rules! sealed {
    ($($type:ty),*) => { $( impl sealed::Sealed for $type {} impl Atomic for $type {} )* };
}

sealed!(i8, u8, i16, u16, i32, u32, i64, u64, isize, usize, f32, f64);
atomic!(AtomicInteger: i32, u32, i64, u64, isize, usize);

impl<T: Atomic> Value<T> {
    /// The value, without the lock.
    #[inline]
    pub fn load(&self) -> T {
        self.cell.read()
    }

    /// Sets the value, without the lock.
    #[inline]
    pub fn store(&self, value: T) {
        self.cell.write(value);
    }

    /// Sets the value, without the lock; the one before.
    #[inline]
    pub fn swap(&self, value: T) -> T {
        let bits = to_bits(value);
        from_bits(match self.cell {
            Cell::Half(word) => u64::from(word.swap(bits as u32, AcqRel)),
            Cell::Word(word) | Cell::Pair { which: word, .. } => word.swap(bits, AcqRel),
        })
    }

    /// Sets the value to `new` if its bytes are those of `current`, without the lock.
    ///
    /// # Errors
    /// The value, if it is another.
    #[inline]
    pub fn compare_exchange(&self, current: T, new: T) -> Result<T, T> {
        let (current, new) = (to_bits(current), to_bits(new));
        let done = match self.cell {
            Cell::Half(word) => word
                .compare_exchange(current as u32, new as u32, AcqRel, Acquire)
                .map(u64::from)
                .map_err(u64::from),
            Cell::Word(word) | Cell::Pair { which: word, .. } => {
                word.compare_exchange(current, new, AcqRel, Acquire)
            }
        };
        done.map(from_bits).map_err(from_bits)
    }
}

impl<T: AtomicInteger> Value<T> {
    /// Adds `number`, without the lock, around the end of the type if need be; the value before.
    #[inline]
    pub fn fetch_add(&self, number: T) -> T {
        let bits = to_bits(number);
        from_bits(match self.cell {
            Cell::Half(word) => u64::from(word.fetch_add(bits as u32, AcqRel)),
            Cell::Word(word) | Cell::Pair { which: word, .. } => word.fetch_add(bits, AcqRel),
        })
    }

    /// Subtracts `number`, without the lock, around the end of the type if need be; the value before.
    #[inline]
    pub fn fetch_sub(&self, number: T) -> T {
        let bits = to_bits(number);
        from_bits(match self.cell {
            Cell::Half(word) => u64::from(word.fetch_sub(bits as u32, AcqRel)),
            Cell::Word(word) | Cell::Pair { which: word, .. } => word.fetch_sub(bits, AcqRel),
        })
    }
}

impl<T: Plain> Deref for ValueGuard<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.copy
    }
}

impl<T: Plain> DerefMut for ValueGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.copy
    }
}

impl<T: Plain> Drop for ValueGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        // In the child of a fork the lock is the parent's, and so is the value.
        if self.changed && self.value.latch.is_mine() {
            self.value.cell.write(self.copy);
        }
        self.value.latch.give(false);
    }
}

impl<T> Clone for Value<T> {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), latch: self.latch, cell: self.cell, _type: PhantomData }
    }
}
