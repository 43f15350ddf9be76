//! The strings that are keys of received dicts: the same few again and again, so they are kept, as
//! objects that know their hash.

use pyo3::prelude::*;
use pyo3::types::PyString;
use std::sync::{Mutex, MutexGuard};

/// Keys that have the same place: where two take turns, both are kept.
type Place = [Entry; 2];
const PLACES: usize = 256;
/// Longer keys are not kept.
const LONGEST: usize = 24;

/// All bytes of a key, and its length.
type Words = [u64; 4];

struct Entry {
    words: Words,
    key: Option<Py<PyString>>,
}

type Kept = Mutex<[Place; PLACES]>;

const fn nothing() -> Kept {
    Mutex::new([const { [const { Entry { words: [0; 4], key: None } }; 2] }; PLACES])
}

static OF_DICTS: Kept = nothing();
static NAMES: Kept = nothing();

/// The kept keys, or none while somebody else reads a message: a collection of garbage can run any
/// code, at any allocation.
pub(super) struct Keys {
    places: Option<MutexGuard<'static, [Place; PLACES]>>,
    make: for<'py> fn(Python<'py>, &[u8]) -> Option<Bound<'py, PyString>>,
    /// The last one that was not kept.
    other: Option<Py<PyString>>,
}

impl Keys {
    /// The keys of dicts.
    pub(super) fn of_dicts() -> Self {
        Self { places: OF_DICTS.try_lock().ok(), make: made, other: None }
    }

    /// The names of attributes, classes and modules, which the interpreter has but one string of each for.
    pub(super) fn names() -> Self {
        Self { places: NAMES.try_lock().ok(), make: interned, other: None }
    }

    /// None is kept.
    pub(super) fn none() -> Self {
        Self { places: None, make: interned, other: None }
    }

    /// The string of those bytes; `None` if they are not UTF-8.
    #[inline]
    pub(super) fn find<'a, 'py>(
        &'a mut self,
        py: Python<'py>,
        bytes: &[u8],
    ) -> Option<Borrowed<'a, 'py, PyString>> {
        let (Some(places), Some(words)) = (self.places.as_mut(), words(bytes)) else {
            let key = (self.make)(py, bytes)?.unbind();
            return Some(self.other.insert(key).bind_borrowed(py));
        };
        let place = &mut places[place(words)];
        let at = match &*place {
            [entry, _] if entry.is(words) => 0,
            [_, entry] if entry.is(words) => 1,
            _ => {
                let key = (self.make)(py, bytes)?.unbind();
                place.swap(0, 1);
                // What was there is let go of by itself: strings run no code.
                place[0] = Entry { words, key: Some(key) };
                0
            }
        };
        Some(place[at].key.as_ref()?.bind_borrowed(py))
    }
}

fn made<'py>(py: Python<'py>, bytes: &[u8]) -> Option<Bound<'py, PyString>> {
    PyString::from_bytes(py, bytes).ok()
}

fn interned<'py>(py: Python<'py>, bytes: &[u8]) -> Option<Bound<'py, PyString>> {
    std::str::from_utf8(bytes).ok().map(|text| PyString::intern(py, text))
}

impl Entry {
    #[inline]
    fn is(&self, words: Words) -> bool {
        self.words == words && self.key.is_some()
    }
}

/// All there is to know of a key, if it is short enough. The words of eight bytes may overlap.
#[inline]
fn words(bytes: &[u8]) -> Option<Words> {
    let len = bytes.len() as u64;
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let middle = bytes.get(8..16).and_then(|it| it.first_chunk()).map_or(0, word);
        return (bytes.len() <= LONGEST).then_some([len, word(first), middle, word(last)]);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return Some([len, first.into(), 0, last.into()]);
    }
    let [first, second, third] = [0, 1, 2].map(|at| bytes.get(at).map_or(0, |byte| (*byte).into()));
    Some([len, first, second, third])
}

#[inline]
fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

/// Where a key is kept.
#[inline]
fn place([len, first, middle, last]: Words) -> usize {
    let mixed = first ^ middle.rotate_left(13) ^ last.rotate_left(29) ^ len.rotate_left(47);
    (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % PLACES
}
