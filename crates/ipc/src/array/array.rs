//! Making arrays, sending them, and single elements.

use super::guard::ArrayGuard;
use super::shape::Shape;
use crate::shareable::travels;
use crate::sync::{Holder, Latch, gave_up};
use crate::{Error, Plain, Shareable};
use procession_shm::{Family, Handle, Held, Kind, Region, family};
use procession_sys::Deadline;
use std::marker::PhantomData;
use std::time::Duration;
use zerocopy::IntoBytes;

const SHAPE_AT: usize = 32;
/// The elements begin on a cache line of their own.
const DATA_AT: usize = 128;

/// Values of one type that processes share, as Python's `multiprocessing.Array`, in one dimension or
/// up to eight. Its lock guards all elements.
///
/// # If a process dies
/// The lock of one that was killed goes to the next who wants it. The elements are as the dead one left
/// them; [`ArrayGuard::owner_died`] says so until somebody calls [`ArrayGuard::recover`].
///
/// # After fork
/// The child has the same array. What the parent held is held by the parent: the child's copy of a
/// guard must not be used, and dropping it does nothing.
///
/// # Examples
/// ```
/// use procession_ipc::Array;
///
/// let numbers = Array::new(&[1, 2, 3])?;
/// numbers.set(0, 10)?;
/// for number in numbers.lock().iter_mut() {
///     *number *= 2;
/// }
/// assert_eq!(numbers.to_vec(), [20, 4, 6]);
///
/// let picture = Array::<u8>::with_shape(&[2, 3])?;
/// picture.lock().row_mut(1).fill(255);
/// assert_eq!(picture.get(2), Some(0));
/// assert_eq!(picture.get(3), Some(255));
/// # Ok::<(), procession_ipc::Error>(())
/// ```
#[derive(Debug)]
pub struct Array<T> {
    held: Held,
    latch: Latch,
    data: Region,
    shape: Shape,
    _type: PhantomData<fn(T) -> T>,
}

travels!(Array<T> where T: Plain);

impl<T: Plain> Shareable for Array<T> {
    fn held(&self) -> &Held {
        &self.held
    }

    fn attach(family: &'static Family, handle: Handle) -> Result<Self, Error> {
        Self::of(family.attach(handle, Kind::Array, Self::tag())?)
    }
}

impl<T: Plain> Array<T> {
    /// An array with these elements.
    ///
    /// # Errors
    /// [`Error::Shm`] if the arena is full, or the first use of it fails.
    pub fn new(elements: &[T]) -> Result<Self, Error> {
        let array = Self::zeroed(elements.len())?;
        array.data.write(0, elements.as_bytes());
        Ok(array)
    }

    /// An array of `len` elements whose bytes are zero.
    ///
    /// # Errors
    /// As [`Array::new`].
    pub fn zeroed(len: usize) -> Result<Self, Error> {
        Self::with_shape(&[len])
    }

    /// An array of one or more dimensions, the slowest first, whose bytes are zero.
    ///
    /// # Errors
    /// As [`Array::new`]; [`Error::BadShape`] for no dimension, or more than eight.
    pub fn with_shape(shape: &[usize]) -> Result<Self, Error> {
        let shape = Shape::new(shape)?;
        let too_long = || Error::BadShape {
            shape: shape.extents().to_vec(),
            reason: "so many elements fit no memory",
        };
        let bytes = shape.len().checked_mul(size_of::<T>()).ok_or_else(too_long)?;
        let bytes = bytes.checked_add(DATA_AT).ok_or_else(too_long)?;
        let held = family()?.make(Kind::Array, bytes as u64, Self::tag(), |region| {
            shape.write(region, SHAPE_AT);
            Ok(())
        })?;
        held.head().set_robust();
        Ok(Self::over(held, shape))
    }

    fn tag() -> u32 {
        const {
            assert!(size_of::<T>() > 0, "elements have a size");
            assert!(align_of::<T>() <= 64, "elements are aligned to a cache line at most");
        }
        Held::tag::<T>(size_of::<T>(), align_of::<T>())
    }

    fn of(held: Held) -> Result<Self, Error> {
        let room = held.region().len().saturating_sub(DATA_AT) / size_of::<T>();
        let shape = Shape::read(held.region(), SHAPE_AT, room)?;
        Ok(Self::over(held, shape))
    }

    fn over(held: Held, shape: Shape) -> Self {
        let data = held.region().part(DATA_AT, shape.len() * size_of::<T>());
        Self { latch: Latch::of(&held), held, data, shape, _type: PhantomData }
    }

    /// How many elements it has.
    pub fn len(&self) -> usize {
        self.shape.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long it is in each dimension, the slowest first.
    pub fn shape(&self) -> &[usize] {
        self.shape.extents()
    }

    /// Where the elements lie: for a front door that lends the memory in its own way, under the lock.
    pub fn region(&self) -> Region {
        self.data
    }

    /// Takes the lock, and with it all elements; waits as long as it must.
    #[inline]
    pub fn lock(&self) -> ArrayGuard<'_, T> {
        let taken = self.latch.take();
        ArrayGuard::new(self, self.data, taken)
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<ArrayGuard<'_, T>> {
        let taken = self.latch.try_take()?;
        Some(ArrayGuard::new(self, self.data, taken))
    }

    /// Takes the lock; waits at most for `timeout`.
    ///
    /// # Errors
    /// [`Error::TimedOut`].
    pub fn lock_timeout(&self, timeout: Duration) -> Result<ArrayGuard<'_, T>, Error> {
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
    ) -> Result<ArrayGuard<'_, T>, Error> {
        match self.latch.take_until(deadline, interrupt) {
            Ok(taken) => Ok(ArrayGuard::new(self, self.data, taken)),
            Err(woken) => Err(gave_up(woken, "waiting for the lock of an array")),
        }
    }

    /// Who holds the lock.
    pub fn holder(&self) -> Option<Holder> {
        self.latch.holder()
    }

    /// The element at `index`, in the order of memory; `None` if there is none. Waits while somebody
    /// holds the lock.
    #[inline]
    pub fn get(&self, index: usize) -> Option<T> {
        self.lock().get(index).copied()
    }

    /// Sets the element at `index`. Waits while somebody holds the lock.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`].
    #[inline]
    pub fn set(&self, index: usize, value: T) -> Result<(), Error> {
        self.write_from(index, &[value])
    }

    /// Copies elements from `offset` on into `elements`. Waits while somebody holds the lock.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; nothing is copied then.
    pub fn read_into(&self, offset: usize, elements: &mut [T]) -> Result<(), Error> {
        let range = self.range(offset, elements.len())?;
        elements.copy_from_slice(&self.lock()[range]);
        Ok(())
    }

    /// Copies `elements` into the array from `offset` on. Waits while somebody holds the lock.
    ///
    /// # Errors
    /// [`Error::OutOfBounds`]; nothing is copied then.
    pub fn write_from(&self, offset: usize, elements: &[T]) -> Result<(), Error> {
        let range = self.range(offset, elements.len())?;
        self.lock()[range].copy_from_slice(elements);
        Ok(())
    }

    /// All elements, copied. Waits while somebody holds the lock.
    pub fn to_vec(&self) -> Vec<T> {
        self.lock().to_vec()
    }

    fn range(&self, offset: usize, count: usize) -> Result<std::ops::Range<usize>, Error> {
        match offset.checked_add(count) {
            Some(end) if end <= self.len() => Ok(offset..end),
            _ => Err(Error::OutOfBounds { offset, count, len: self.len() }),
        }
    }

    pub(super) fn row_len(&self) -> usize {
        self.shape.row_len()
    }

    #[inline]
    pub(super) fn give(&self, news: bool) {
        self.latch.give(news);
    }
}

impl<T> Clone for Array<T> {
    fn clone(&self) -> Self {
        let shape = self.shape.clone();
        Self {
            held: self.held.clone(),
            latch: self.latch,
            data: self.data,
            shape,
            _type: PhantomData,
        }
    }
}
