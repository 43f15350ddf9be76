//! All elements of an array, under its lock, without copying.

use super::Array;
use crate::Plain;
use procession_shm::{Region, Taken};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// The elements of an [`Array`], to oneself: a slice. Dropping it gives the lock back.
#[must_use = "a guard that is dropped at once guards nothing"]
pub struct ArrayGuard<'a, T: Plain> {
    array: &'a Array<T>,
    data: Region,
    /// An owner has died, and nobody has said yet that the elements are good.
    news: bool,
    _lent: PhantomData<&'a mut [T]>,
}

impl<'a, T: Plain> ArrayGuard<'a, T> {
    #[inline]
    pub(super) fn new(array: &'a Array<T>, data: Region, taken: Taken) -> Self {
        Self { array, data, news: taken == Taken::OwnerDied, _lent: PhantomData }
    }

    /// Whether an owner died with the lock, and nobody has called [`recover`](Self::recover) since: the
    /// elements may be half changed.
    pub fn owner_died(&self) -> bool {
        self.news
    }

    /// Says that the elements are good again.
    pub fn recover(&mut self) {
        self.news = false;
    }

    /// Row `index`: what has this index in the first dimension.
    ///
    /// # Panics
    /// If there is none, as a slice does.
    pub fn row(&self, index: usize) -> &[T] {
        &self[self.row_range(index)]
    }

    /// Row `index`, to change.
    ///
    /// # Panics
    /// As [`ArrayGuard::row`].
    pub fn row_mut(&mut self, index: usize) -> &mut [T] {
        let range = self.row_range(index);
        &mut self[range]
    }

    /// The elements with their shape.
    #[cfg(feature = "ndarray")]
    pub fn view(&self) -> ndarray::ArrayViewD<'_, T> {
        ndarray::ArrayViewD::from_shape(self.array.shape(), self).expect("the array's own shape")
    }

    /// The elements with their shape, to change.
    #[cfg(feature = "ndarray")]
    pub fn view_mut(&mut self) -> ndarray::ArrayViewMutD<'_, T> {
        let shape = self.array.shape();
        ndarray::ArrayViewMutD::from_shape(shape, self).expect("the array's own shape")
    }

    fn row_range(&self, index: usize) -> std::ops::Range<usize> {
        let (rows, len) = (self.array.shape()[0], self.array.row_len());
        assert!(index < rows, "row {index} of an array of {rows} rows");
        index * len..(index + 1) * len
    }
}

impl<T: Plain> Deref for ArrayGuard<'_, T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        self.data.lent(self.array.len())
    }
}

impl<T: Plain> DerefMut for ArrayGuard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        let len = self.array.len();
        self.data.lent_mut(len)
    }
}

impl<T: Plain> Drop for ArrayGuard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        self.array.give(self.news);
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for ArrayGuard<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(formatter)
    }
}
