//! What the machine remembers: values by number.
//!
//! Pickles of CPython count from 0, and lie in a vector; other numbers, which may be anything, in a
//! map.

use super::tree::Value;
use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Memo<'a> {
    dense: Vec<Value<'a>>,
    sparse: HashMap<u64, Value<'a>>,
}

impl<'a> Memo<'a> {
    pub(super) fn put(&mut self, index: u64, value: Value<'a>) {
        match usize::try_from(index) {
            Ok(index) if index < self.dense.len() => self.dense[index] = value,
            Ok(index) if index == self.dense.len() => self.dense.push(value),
            _ => {
                self.sparse.insert(index, value);
            }
        }
    }

    /// Remembers under the number of values so far.
    pub(super) fn push(&mut self, value: Value<'a>) {
        self.put((self.dense.len() + self.sparse.len()) as u64, value);
    }

    pub(super) fn get(&self, index: u64) -> Option<Value<'a>> {
        let dense = usize::try_from(index).ok().and_then(|index| self.dense.get(index));
        dense.or_else(|| self.sparse.get(&index)).copied()
    }
}
