//! What stands for itself and is not long, written from where it lies.
//!
//! The items of lists, tuples and dicts are looked at without a reference of one's own, which is what most of the time
//! would be spent on. That holds as long as nobody changes the container, so as long as no code of Python's runs,
//! and none does between the look and the last use of an item here: whatever could run any, a large
//! number or an object of a class, is given back with a reference, and a string is kept while it is asked for its
//! UTF-8: where it has none, an exception is made, and a collection of garbage may come in the middle of that.

use super::instance;
use procession_wire::pickle::op::*;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};

/// A string of so many bytes that is met again is worth a memo.
pub(super) const WORTH_A_MEMO: usize = 1 << 10;

/// What became of an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Atom {
    Written,
    /// Not one of those that are written here.
    Other,
    /// It is `pickle`'s. Why was an exception, so any code may have run.
    Refused,
}

/// What became of an item of a container.
pub(crate) enum Outcome<'py> {
    Written,
    /// Not one of those that are written here.
    Other(Bound<'py, PyAny>),
    /// There is no such item.
    None,
}

/// What became of the next pair of a dict.
pub(super) enum Pair<'py> {
    Written,
    /// The key was written; the value is none of those that are written here.
    Value(Bound<'py, PyAny>),
    Both(Bound<'py, PyAny>, Bound<'py, PyAny>),
    End,
    /// It is `pickle`'s.
    Refused,
}

/// Appends the pickle of an object, without its beginning and its end, if it stands for itself and is not long.
#[inline]
pub(super) fn write(object: Borrowed<'_, '_, PyAny>, bytes: &mut Vec<u8>) -> Atom {
    if let Ok(number) = object.cast_exact::<PyInt>() {
        return int(number, bytes);
    }
    if let Ok(text) = object.cast_exact::<PyString>() {
        let text = text.to_owned();
        // Lone surrogates have no UTF-8; `pickle` knows how to send them.
        let Ok(text) = text.to_str() else { return Atom::Refused };
        return string(text.as_bytes(), [SHORT_BINUNICODE, BINUNICODE], bytes);
    }
    if object.is_none() {
        bytes.push(NONE);
    } else if let Ok(number) = object.cast_exact::<PyFloat>() {
        let mut whole = [BINFLOAT; 9];
        whole[1..].copy_from_slice(&number.value().to_be_bytes());
        bytes.extend_from_slice(&whole);
    } else if let Ok(data) = object.cast_exact::<PyBytes>() {
        return string(data.as_bytes(), [SHORT_BINBYTES, BINBYTES], bytes);
    } else if let Ok(truth) = object.cast_exact::<PyBool>() {
        bytes.push(if truth.is_true() { NEWTRUE } else { NEWFALSE });
    } else {
        return Atom::Other;
    }
    Atom::Written
}

#[inline]
fn int(number: Borrowed<'_, '_, PyInt>, bytes: &mut Vec<u8>) -> Atom {
    let mut overflow = 0;
    // SAFETY: a living int, and a place for the answer. Of an int it is no error.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(number.as_ptr(), &raw mut overflow) };
    if overflow != 0 {
        return Atom::Other;
    }
    match value {
        0..=0xff => bytes.extend_from_slice(&[BININT1, value as u8]),
        0x100..=0xffff => {
            let [low, high, ..] = value.to_le_bytes();
            bytes.extend_from_slice(&[BININT2, low, high]);
        }
        _ => match i32::try_from(value) {
            Ok(value) => {
                let [a, b, c, d] = value.to_le_bytes();
                bytes.extend_from_slice(&[BININT, a, b, c, d]);
            }
            Err(_) => {
                let len = super::number::needed(value.into());
                bytes.extend_from_slice(&[LONG1, len as u8]);
                bytes.extend_from_slice(&value.to_le_bytes()[..len]);
            }
        },
    }
    Atom::Written
}

#[inline]
fn string(content: &[u8], [short, long]: [u8; 2], bytes: &mut Vec<u8>) -> Atom {
    if content.len() >= WORTH_A_MEMO {
        return Atom::Other;
    }
    if let Ok(len) = u8::try_from(content.len()) {
        bytes.extend_from_slice(&[short, len]);
    } else {
        bytes.push(long);
        bytes.extend_from_slice(&(content.len() as u32).to_le_bytes());
    }
    bytes.extend_from_slice(content);
    Atom::Written
}

/// As [`write`], of an item of a list.
#[inline]
pub(super) fn write_of_list<'py>(
    list: &Bound<'py, PyList>,
    at: usize,
    bytes: &mut Vec<u8>,
) -> Outcome<'py> {
    // SAFETY: a living list; the number is compared with its length.
    let item = unsafe { ffi::PyList_GetItem(list.as_ptr(), at as ffi::Py_ssize_t) };
    // SAFETY: a borrowed reference of the list's, or null with an exception set.
    let outcome = unsafe { write_item(list.py(), item, bytes) };
    outcome.unwrap_or_else(|| list.get_item(at).map_or(Outcome::None, Outcome::Other))
}

/// As [`write`], of an item of a tuple.
#[inline]
pub(super) fn write_of_tuple<'py>(
    tuple: &Bound<'py, PyTuple>,
    at: usize,
    bytes: &mut Vec<u8>,
) -> Outcome<'py> {
    // SAFETY: a living tuple; the number is compared with its length.
    let item = unsafe { ffi::PyTuple_GetItem(tuple.as_ptr(), at as ffi::Py_ssize_t) };
    // SAFETY: a borrowed reference of the tuple's, or null with an exception set.
    let outcome = unsafe { write_item(tuple.py(), item, bytes) };
    outcome.unwrap_or_else(|| tuple.get_item(at).map_or(Outcome::None, Outcome::Other))
}

/// `None` if it was refused.
///
/// # Safety
/// `item` is a borrowed reference of a container that is not changed before code of Python's runs, or null with an
/// exception set.
#[inline]
unsafe fn write_item<'py>(
    py: Python<'py>,
    item: *mut ffi::PyObject,
    bytes: &mut Vec<u8>,
) -> Option<Outcome<'py>> {
    if item.is_null() {
        drop(PyErr::take(py));
        return Some(Outcome::None);
    }
    // SAFETY: by the condition above it lives until code of Python's runs. `write` runs some only where it refuses, and
    // then the item is not used again.
    let item = unsafe { Borrowed::from_ptr(py, item) };
    match write(item, bytes) {
        Atom::Written => Some(Outcome::Written),
        Atom::Other => Some(Outcome::Other(item.to_owned())),
        Atom::Refused => None,
    }
}

/// As [`write`], of the next pair of a dict, from `position` on, which is 0 at first. If they are `ATTRIBUTES` of an
/// instance, the key must be a string that has no say in how it is pickled.
#[inline]
pub(super) fn write_pair<'py, const ATTRIBUTES: bool>(
    dict: &Bound<'py, PyDict>,
    position: &mut isize,
    bytes: &mut Vec<u8>,
) -> Pair<'py> {
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: a living dict and places for the answers; any position is one that it can go on from, or the end.
    let is_there =
        unsafe { ffi::PyDict_Next(dict.as_ptr(), position, &raw mut key, &raw mut value) != 0 };
    if !is_there {
        return Pair::End;
    }
    // SAFETY: a borrowed reference of the dict's; as in `write_item`, nothing runs until its last use.
    let key = unsafe { Borrowed::from_ptr(dict.py(), key) };
    // SAFETY: as for the key.
    let value = unsafe { Borrowed::from_ptr(dict.py(), value) };
    if ATTRIBUTES && !is_attribute(key) {
        return Pair::Refused;
    }
    match write(key, bytes) {
        Atom::Written => {}
        Atom::Other => return Pair::Both(key.to_owned(), value.to_owned()),
        Atom::Refused => return Pair::Refused,
    }
    match write(value, bytes) {
        Atom::Written => Pair::Written,
        Atom::Other => Pair::Value(value.to_owned()),
        Atom::Refused => Pair::Refused,
    }
}

#[inline]
fn is_attribute(key: Borrowed<'_, '_, PyAny>) -> bool {
    let Ok(name) = key.cast_exact::<PyString>() else { return false };
    let name = name.to_owned();
    name.to_str().is_ok_and(|name| !instance::is_hook(name))
}
