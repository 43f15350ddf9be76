//! Which objects were met in the one that is being encoded.

use pyo3::ffi;
use pyo3::prelude::*;

/// How many references there are to an object, this one included; many for one that is never freed.
#[inline]
pub(super) fn references(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: the pointer of a living object.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}

/// So many are searched one by one.
const FEW: usize = 16;

/// The addresses of the objects that may be met again.
#[derive(Default)]
pub(super) struct Seen {
    few: Vec<usize>,
    /// Open addressing, 0 is vacant; at most half full.
    many: Vec<usize>,
    count: usize,
}

impl Seen {
    /// Notes an object; `false` if it was noted before.
    #[inline]
    pub(super) fn note(&mut self, object: usize) -> bool {
        if self.many.is_empty() {
            if self.few.contains(&object) {
                return false;
            }
            if self.few.len() < FEW {
                self.few.push(object);
                return true;
            }
        }
        self.note_among_many(object)
    }

    #[cold]
    fn note_among_many(&mut self, object: usize) -> bool {
        if (self.count + 1) * 2 > self.many.len() {
            let size = (self.many.len() * 2).max(FEW * 4);
            let old = std::mem::replace(&mut self.many, vec![0; size]);
            let moved = if old.is_empty() { std::mem::take(&mut self.few) } else { old };
            self.count = 0;
            for object in moved.into_iter().filter(|object| *object != 0) {
                self.insert(object);
            }
        }
        self.insert(object)
    }

    fn insert(&mut self, object: usize) -> bool {
        let mask = self.many.len() - 1;
        let mut at = object.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20 & mask;
        loop {
            match self.many[at] {
                0 => {
                    self.many[at] = object;
                    self.count += 1;
                    return true;
                }
                found if found == object => return false,
                _ => at = (at + 1) & mask,
            }
        }
    }
}
