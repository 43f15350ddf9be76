//! Plain data as a pickle, without `pickle`.
//!
//! Plain are exactly None, bool, int, float, str, bytes, bytearray, and tuples, lists and dicts of
//! them, in which no container is met twice. What is written is a pickle of protocol 4 (5 with a
//! bytearray) without memo and frames, which any `pickle.loads` from Python 3.8 on reads.

use super::apart::{Apart, LARGE};
use super::number;
use super::seen::{Seen, references};
use procession_wire::pickle::op::*;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple,
};

/// Nested deeper, the object is left to `pickle`, which has an error for that.
const DEEPEST: usize = 200;
/// A string of so many bytes that is met again is worth a memo.
const WORTH_A_MEMO: usize = 1 << 10;
/// Of a fresh reference here and one of the container: nobody else has it.
const UNSHARED: isize = 2;

/// Appends the pickle of `object`; `false` if it is not plain, and then `bytes` has a part of it.
///
/// Large strings and bytes go to `apart`, if there is one.
#[inline]
pub(super) fn write(
    object: &Bound<'_, PyAny>,
    bytes: &mut Vec<u8>,
    apart: Option<&mut Vec<Apart>>,
) -> bool {
    let start = bytes.len();
    bytes.extend_from_slice(&[PROTO, 4]);
    let mut writer = Writer { bytes, apart, seen: Seen::default(), depth: 0, is_new: false };
    let is_plain = writer.object(object.as_borrowed());
    if is_plain {
        let is_new = writer.is_new;
        bytes.push(STOP);
        if is_new {
            bytes[start + 1] = 5;
        }
    }
    is_plain
}

struct Writer<'a> {
    bytes: &'a mut Vec<u8>,
    apart: Option<&'a mut Vec<Apart>>,
    seen: Seen,
    depth: usize,
    /// Whether an opcode of protocol 5 was used.
    is_new: bool,
}

impl Writer<'_> {
    #[inline]
    fn object(&mut self, object: Borrowed<'_, '_, PyAny>) -> bool {
        if let Ok(number) = object.cast_exact::<PyInt>() {
            self.int(&number)
        } else if let Ok(text) = object.cast_exact::<PyString>() {
            self.text(&text)
        } else if object.is_none() {
            self.bytes.push(NONE);
            true
        } else if let Ok(number) = object.cast_exact::<PyFloat>() {
            let mut whole = [BINFLOAT; 9];
            whole[1..].copy_from_slice(&number.value().to_be_bytes());
            self.bytes.extend_from_slice(&whole);
            true
        } else if let Ok(bytes) = object.cast_exact::<PyBytes>() {
            self.raw(&bytes)
        } else if let Ok(truth) = object.cast_exact::<PyBool>() {
            self.bytes.push(if truth.is_true() { NEWTRUE } else { NEWFALSE });
            true
        } else {
            self.compound(object)
        }
    }

    fn compound(&mut self, object: Borrowed<'_, '_, PyAny>) -> bool {
        if let Ok(tuple) = object.cast_exact::<PyTuple>()
            && tuple.is_empty()
        {
            // There is but one.
            self.bytes.push(EMPTY_TUPLE);
            return true;
        }
        if self.depth == DEEPEST || !self.is_first(&object) {
            return false;
        }
        self.depth += 1;
        let is_plain = if let Ok(tuple) = object.cast_exact::<PyTuple>() {
            self.tuple(&tuple)
        } else if let Ok(list) = object.cast_exact::<PyList>() {
            self.list(&list)
        } else if let Ok(dict) = object.cast_exact::<PyDict>() {
            self.dict(&dict)
        } else if let Ok(array) = object.cast_exact::<PyByteArray>() {
            self.byte_array(&array)
        } else {
            false
        };
        self.depth -= 1;
        is_plain
    }

    /// Whether the object was not met before. The outermost one needs no note: if it is in itself, the
    /// second meeting is noted, and the third is refused.
    #[inline]
    fn is_first(&mut self, object: &Bound<'_, PyAny>) -> bool {
        self.depth == 0 || references(object) <= UNSHARED || self.seen.note(object.as_ptr().addr())
    }

    #[inline]
    fn int(&mut self, number: &Bound<'_, PyInt>) -> bool {
        let Some(value) = number::to_i64(number) else { return self.large_int(number) };
        match value {
            0..=0xff => self.bytes.extend_from_slice(&[BININT1, value as u8]),
            0x100..=0xffff => {
                let [low, high, ..] = value.to_le_bytes();
                self.bytes.extend_from_slice(&[BININT2, low, high]);
            }
            _ => match i32::try_from(value) {
                Ok(value) => {
                    self.bytes.push(BININT);
                    self.bytes.extend_from_slice(&value.to_le_bytes());
                }
                Err(_) => {
                    let len = number::needed(value);
                    self.bytes.extend_from_slice(&[LONG1, len as u8]);
                    self.bytes.extend_from_slice(&value.to_le_bytes()[..len]);
                }
            },
        }
        true
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

    #[inline]
    fn tuple(&mut self, tuple: &Bound<'_, PyTuple>) -> bool {
        self.bytes.push(MARK);
        if !tuple.iter().all(|item| self.object(item.as_borrowed())) {
            return false;
        }
        self.bytes.push(TUPLE);
        true
    }

    #[inline]
    fn list(&mut self, list: &Bound<'_, PyList>) -> bool {
        self.bytes.push(EMPTY_LIST);
        if list.is_empty() {
            return true;
        }
        self.bytes.push(MARK);
        if !list.iter().all(|item| self.object(item.as_borrowed())) {
            return false;
        }
        self.bytes.push(APPENDS);
        true
    }

    #[inline]
    fn dict(&mut self, dict: &Bound<'_, PyDict>) -> bool {
        self.bytes.push(EMPTY_DICT);
        if dict.is_empty() {
            return true;
        }
        self.bytes.push(MARK);
        if !dict
            .iter()
            .all(|(key, value)| self.object(key.as_borrowed()) && self.object(value.as_borrowed()))
        {
            return false;
        }
        self.bytes.push(SETITEMS);
        true
    }
}
