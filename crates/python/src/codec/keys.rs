//! The strings that are keys of received dicts: the same few again and again, so they are kept, as
//! objects that know their hash.

use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::{Mutex, MutexGuard};

const ENTRIES: usize = 256;
/// Longer keys are not kept.
const LONGEST: usize = 24;

struct Entry {
    len: usize,
    bytes: [u8; LONGEST],
    key: Option<Py<PyString>>,
}

static KEPT: Mutex<[Entry; ENTRIES]> =
    Mutex::new([const { Entry { len: 0, bytes: [0; LONGEST], key: None } }; ENTRIES]);

/// The kept keys, or none while somebody else reads a message: a collection of garbage can run any
/// code, at any allocation.
pub(super) struct Keys(Option<MutexGuard<'static, [Entry; ENTRIES]>>);

impl Keys {
    pub(super) fn borrow() -> Self {
        Self(KEPT.try_lock().ok())
    }

    /// The string of those bytes; `None` if they are not UTF-8.
    #[inline]
    pub(super) fn find<'py>(
        &mut self,
        py: Python<'py>,
        bytes: &[u8],
    ) -> Option<Bound<'py, PyString>> {
        let Some(entries) = self.0.as_mut().filter(|_| bytes.len() <= LONGEST) else {
            return PyString::from_bytes(py, bytes).ok();
        };
        let entry = &mut entries[place(bytes)];
        if let Some(key) = &entry.key
            && entry.bytes[..entry.len] == *bytes
        {
            return Some(key.bind(py).clone());
        }
        let key = PyString::from_bytes(py, bytes).ok()?;
        entry.len = bytes.len();
        entry.bytes[..bytes.len()].copy_from_slice(bytes);
        // What was there is let go of by itself: strings run no code.
        entry.key = Some(key.clone().unbind());
        Some(key)
    }
}

/// Where a key is kept.
#[inline]
fn place(bytes: &[u8]) -> usize {
    let (first, last) = (bytes.first().copied(), bytes.last().copied());
    let middle = bytes.get(bytes.len() / 2).copied();
    let mut hash = bytes.len();
    for byte in [first, last, middle] {
        hash = hash.wrapping_mul(31).wrapping_add(byte.unwrap_or(0).into());
    }
    (hash ^ hash >> 8) % ENTRIES
}
