//! Plain data and objects of classes as a pickle, without `pickle`.
//!
//! Plain are exactly None, bool, int, float, str, bytes, bytearray, and tuples, lists and dicts of
//! them. Written are plain data, sets of them, classes, functions and objects of classes, in which no container is met twice. What is written is a pickle of protocol 4 (5 with a
//! bytearray) without frames, and without memo but for classes and functions (see `dialect`), which any `pickle.loads`
//! from Python 3.8 on reads.

use super::apart::{Apart, LARGE};
use super::atoms::{self, Atom, Outcome, Pair, WORTH_A_MEMO};
use super::number;
use super::objects::Global;
use super::reduced::Answer;
use super::seen::{Seen, references};
use procession_wire::pickle::op::*;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};

/// Nested deeper, the object is left to `pickle`, which has an error for that.
const DEEPEST: usize = 200;
/// Of a fresh reference here and one of the container: nobody else has it.
const UNSHARED: isize = 2;

/// What an object that was written consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Plain,
    /// Of more than that.
    Other,
}

/// Appends the pickle of `object`; `None` if it is `pickle`'s to write, and then `bytes` has a part of it.
///
/// Large strings and bytes go to `apart`, if there is one. Only with `answers` objects are asked for what they say of
/// themselves; they are for the pickler, then.
#[inline]
pub(super) fn write<'py>(
    object: &Bound<'py, PyAny>,
    bytes: &mut Vec<u8>,
    apart: Option<&mut Vec<Apart>>,
    answers: Option<&mut Vec<Answer<'py>>>,
) -> Option<Written> {
    let start = bytes.len();
    bytes.extend_from_slice(&[PROTO, 4]);
    match atoms::write(object.as_borrowed(), bytes) {
        Atom::Written => {
            bytes.push(STOP);
            Some(Written::Plain)
        }
        Atom::Other => write_other(object, start, bytes, apart, answers),
        Atom::Refused => None,
    }
}

/// Appends the pickle of an item of a list, if it stands for itself and is not long. One that does not is given back, and
/// then `bytes` is as before.
#[inline]
pub(super) fn write_of_list<'py>(
    list: &Bound<'py, PyList>,
    at: usize,
    bytes: &mut Vec<u8>,
) -> Outcome<'py> {
    let start = bytes.len();
    bytes.extend_from_slice(&[PROTO, 4]);
    let outcome = atoms::write_of_list(list, at, bytes);
    match outcome {
        Outcome::Written => bytes.push(STOP),
        Outcome::Other(_) | Outcome::None => bytes.truncate(start),
    }
    outcome
}

fn write_other<'py>(
    object: &Bound<'py, PyAny>,
    start: usize,
    bytes: &mut Vec<u8>,
    apart: Option<&mut Vec<Apart>>,
    answers: Option<&mut Vec<Answer<'py>>>,
) -> Option<Written> {
    let mut writer = Writer {
        bytes,
        apart,
        answers,
        seen: Seen::default(),
        depth: 0,
        is_new: false,
        globals: Vec::new(),
        memoized: 0,
        is_plain: true,
        is_key: false,
    };
    if !writer.other(object) {
        return None;
    }
    let (is_new, is_plain) = (writer.is_new, writer.is_plain);
    bytes.push(STOP);
    if is_new {
        bytes[start + 1] = 5;
    }
    Some(if is_plain { Written::Plain } else { Written::Other })
}

pub(super) struct Writer<'a, 'py> {
    pub(super) bytes: &'a mut Vec<u8>,
    apart: Option<&'a mut Vec<Apart>>,
    pub(super) answers: Option<&'a mut Vec<Answer<'py>>>,
    pub(super) seen: Seen,
    depth: usize,
    /// Whether an opcode of protocol 5 was used.
    is_new: bool,
    pub(super) globals: Vec<Global<'py>>,
    /// How much is in the memo.
    pub(super) memoized: u32,
    /// Plain data so far.
    pub(super) is_plain: bool,
    /// Within the key of a dict, or a member of a set.
    pub(super) is_key: bool,
}

impl<'py> Writer<'_, 'py> {
    #[inline]
    pub(super) fn object(&mut self, object: &Bound<'py, PyAny>) -> bool {
        match atoms::write(object.as_borrowed(), self.bytes) {
            Atom::Written => true,
            Atom::Other => self.other(object),
            Atom::Refused => false,
        }
    }

    #[inline]
    fn item(&mut self, item: &Outcome<'py>) -> bool {
        match item {
            Outcome::Written => true,
            Outcome::Other(item) => self.other(item),
            Outcome::None => false,
        }
    }

    /// What is long, or made of other things.
    fn other(&mut self, object: &Bound<'py, PyAny>) -> bool {
        if let Ok(number) = object.cast_exact::<PyInt>() {
            self.large_int(number)
        } else if let Ok(text) = object.cast_exact::<PyString>() {
            self.text(text)
        } else if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            self.raw(bytes)
        } else {
            self.compound(object)
        }
    }

    fn compound(&mut self, object: &Bound<'py, PyAny>) -> bool {
        if self.depth == DEEPEST {
            false
        } else if let Ok(tuple) = object.cast_exact::<PyTuple>() {
            // There is but one that is empty.
            (tuple.is_empty() || self.is_first(object)) && self.within(|it| it.tuple(tuple))
        } else if let Ok(list) = object.cast_exact::<PyList>() {
            self.is_first(object) && self.within(|it| it.list(list))
        } else if let Ok(dict) = object.cast_exact::<PyDict>() {
            self.is_first(object) && self.within(|it| it.dict(dict))
        } else if let Ok(array) = object.cast_exact::<PyByteArray>() {
            self.is_first(object) && self.byte_array(array)
        } else if let Ok(set) = object.cast_exact::<PySet>() {
            self.is_first(object) && self.within(|it| it.set(set))
        } else if let Ok(set) = object.cast_exact::<PyFrozenSet>() {
            self.is_first(object) && self.within(|it| it.frozen_set(set))
        } else {
            self.of_class(object)
        }
    }

    #[inline]
    pub(super) fn within(&mut self, write: impl FnOnce(&mut Self) -> bool) -> bool {
        self.depth += 1;
        let is_written = write(self);
        self.depth -= 1;
        is_written
    }

    /// Whether the object was not met before. The outermost one needs no note: if it is in itself, the
    /// second meeting is noted, and the third is refused.
    #[inline]
    pub(super) fn is_first(&mut self, object: &Bound<'_, PyAny>) -> bool {
        self.depth == 0 || references(object) <= UNSHARED || self.seen.note(object.as_ptr().addr())
    }

    #[cold]
    fn large_int(&mut self, number: &Bound<'_, PyInt>) -> bool {
        let Ok(bytes) = number::to_bytes(number) else { return false };
        match u8::try_from(bytes.len()) {
            Ok(len) => self.bytes.extend_from_slice(&[LONG1, len]),
            Err(_) => {
                let Ok(len) = i32::try_from(bytes.len()) else { return false };
                self.bytes.push(LONG4);
                self.bytes.extend_from_slice(&len.to_le_bytes());
            }
        }
        self.bytes.extend_from_slice(&bytes);
        true
    }

    /// The opcode and the length of a string or of bytes.
    #[inline]
    fn front(&mut self, len: usize, [short, middle, long]: [u8; 3]) {
        if let Ok(len) = u8::try_from(len) {
            self.bytes.extend_from_slice(&[short, len]);
        } else if let Ok(len) = u32::try_from(len) {
            self.bytes.push(middle);
            self.bytes.extend_from_slice(&len.to_le_bytes());
        } else {
            self.bytes.push(long);
            self.bytes.extend_from_slice(&(len as u64).to_le_bytes());
        }
    }

    #[inline]
    fn text(&mut self, object: &Bound<'_, PyString>) -> bool {
        // Lone surrogates have no UTF-8; `pickle` knows how to send them.
        let Ok(text) = object.to_str() else { return false };
        if text.len() >= WORTH_A_MEMO && !self.is_first(object) {
            return false;
        }
        self.front(text.len(), [SHORT_BINUNICODE, BINUNICODE, BINUNICODE8]);
        match &mut self.apart {
            Some(apart) if text.len() >= LARGE => {
                apart.push(Apart::of_text(self.bytes.len(), object, text));
            }
            _ => self.bytes.extend_from_slice(text.as_bytes()),
        }
        true
    }

    #[inline]
    fn raw(&mut self, object: &Bound<'_, PyBytes>) -> bool {
        let bytes = object.as_bytes();
        if bytes.len() >= WORTH_A_MEMO && !self.is_first(object) {
            return false;
        }
        self.front(bytes.len(), [SHORT_BINBYTES, BINBYTES, BINBYTES8]);
        match &mut self.apart {
            Some(apart) if bytes.len() >= LARGE => {
                apart.push(Apart::of_bytes(self.bytes.len(), object));
            }
            _ => self.bytes.extend_from_slice(bytes),
        }
        true
    }

    fn byte_array(&mut self, object: &Bound<'_, PyByteArray>) -> bool {
        self.is_new = true;
        self.bytes.push(BYTEARRAY8);
        self.bytes.extend_from_slice(&(object.len() as u64).to_le_bytes());
        match &mut self.apart {
            Some(apart) if object.len() >= LARGE => {
                let Ok(whole) = Apart::of_export(self.bytes.len(), object) else { return false };
                apart.push(whole);
            }
            _ => self.bytes.extend_from_slice(&object.to_vec()),
        }
        true
    }

    pub(super) fn tuple(&mut self, tuple: &Bound<'py, PyTuple>) -> bool {
        if tuple.is_empty() {
            self.bytes.push(EMPTY_TUPLE);
            return true;
        }
        self.bytes.push(MARK);
        for at in 0..tuple.len() {
            let item = atoms::write_of_tuple(tuple, at, self.bytes);
            if !self.item(&item) {
                return false;
            }
        }
        self.bytes.push(TUPLE);
        true
    }

    fn list(&mut self, list: &Bound<'py, PyList>) -> bool {
        self.bytes.extend_from_slice(&[EMPTY_LIST, MARK]);
        let len = list.len();
        for at in 0..len {
            let item = atoms::write_of_list(list, at, self.bytes);
            if !self.item(&item) {
                return false;
            }
        }
        self.bytes.push(APPENDS);
        list.len() == len
    }

    fn dict(&mut self, dict: &Bound<'py, PyDict>) -> bool {
        self.bytes.extend_from_slice(&[EMPTY_DICT, MARK]);
        let is_written = self.pairs::<false>(dict);
        self.bytes.push(SETITEMS);
        is_written
    }

    /// The pairs of a dict; `false` also if it was changed meanwhile, since what is written may run any code.
    #[inline]
    pub(super) fn pairs<const ATTRIBUTES: bool>(&mut self, dict: &Bound<'py, PyDict>) -> bool {
        let (len, mut position) = (dict.len(), 0);
        for _ in 0..len {
            let is_written = match atoms::write_pair::<ATTRIBUTES>(dict, &mut position, self.bytes)
            {
                Pair::Written => continue,
                Pair::Value(value) => self.other(&value),
                Pair::Both(key, value) => self.key(&key) && self.object(&value),
                Pair::End | Pair::Refused => false,
            };
            if !is_written || dict.len() != len {
                return false;
            }
        }
        true
    }

    fn key(&mut self, key: &Bound<'py, PyAny>) -> bool {
        let was_key = std::mem::replace(&mut self.is_key, true);
        let is_written = self.other(key);
        self.is_key = was_key;
        is_written
    }

    fn set(&mut self, set: &Bound<'py, PySet>) -> bool {
        self.bytes.push(EMPTY_SET);
        let is_written = self.members(set);
        self.bytes.push(ADDITEMS);
        is_written
    }

    fn frozen_set(&mut self, set: &Bound<'py, PyFrozenSet>) -> bool {
        let is_written = self.members(set);
        self.bytes.push(FROZENSET);
        is_written
    }

    fn members(&mut self, set: &Bound<'py, PyAny>) -> bool {
        self.is_plain = false;
        self.bytes.push(MARK);
        let was_key = std::mem::replace(&mut self.is_key, true);
        let is_written = set.try_iter().is_ok_and(|mut members| {
            members.all(|member| member.is_ok_and(|member| self.object(&member)))
        });
        self.is_key = was_key;
        is_written
    }
}
