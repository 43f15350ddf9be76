//! What a pickle remembers: values by number.
//!
//! Pickles of CPython count from 0, and lie in a vector; other numbers, which may be anything, in a
//! map.

use std::collections::HashMap;

#[derive(Debug)]
pub(crate) struct Memo<T> {
    dense: Vec<T>,
    /// Numbers that were above the end of `dense` when they were given.
    sparse: HashMap<u64, T>,
}

impl<T> Default for Memo<T> {
    fn default() -> Self {
        Self { dense: Vec::new(), sparse: HashMap::new() }
    }
}

impl<T: Copy> Memo<T> {
    pub(crate) fn put(&mut self, index: u64, value: T) {
        match usize::try_from(index) {
            Ok(index) if index < self.dense.len() => self.dense[index] = value,
            Ok(at) if at == self.dense.len() => {
                if !self.sparse.is_empty() {
                    self.sparse.remove(&index);
                }
                self.dense.push(value);
            }
            _ => {
                self.sparse.insert(index, value);
            }
        }
    }

    /// Remembers under the number of values so far.
    #[inline]
    pub(crate) fn push(&mut self, value: T) {
        if self.sparse.is_empty() {
            self.dense.push(value);
        } else {
            self.put((self.dense.len() + self.sparse.len()) as u64, value);
        }
    }

    #[inline]
    pub(crate) fn get(&self, index: u64) -> Option<T> {
        let dense = usize::try_from(index).ok().and_then(|index| self.dense.get(index));
        dense.or_else(|| self.sparse.get(&index)).copied()
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.dense.clear();
        self.sparse.clear();
    }
}
