//! Plain data and objects of classes as a pickle, without `pickle`.
//!
//! Plain are exactly None, bool, int, float, str, bytes, bytearray, and tuples, lists and dicts of
//! them, in which no container is met twice. What is written is a pickle of protocol 4 (5 with a
//! bytearray) without frames, and without memo but for classes and functions (see `dialect`), which any `pickle.loads`
//! from Python 3.8 on reads.

use super::apart::{Apart, LARGE};
use super::atoms::{self, Atom, Outcome, Pair, WORTH_A_MEMO};
use super::instance::{self, Name};
use super::reduced::{self, Answer, Recipe};
use super::seen::{Seen, references};
use super::{class, number};
use procession_wire::pickle::op::*;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyInt, PyList, PyString, PyTuple, PyType};

/// Nested deeper, the object is left to `pickle`, which has an error for that.
const DEEPEST: usize = 200;
/// Of a fresh reference here and one of the container: nobody else has it.
const UNSHARED: isize = 2;

/// What an object that was written consists of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Plain,
    /// Of objects of classes too.
    Instances,
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
        is_key: false,
    };
    if !writer.other(object) {
        return None;
    }
    let (is_new, has_classes) = (writer.is_new, !writer.globals.is_empty());
    bytes.push(STOP);
    if is_new {
        bytes[start + 1] = 5;
    }
    Some(if has_classes { Written::Instances } else { Written::Plain })
}

struct Writer<'a, 'py> {
    bytes: &'a mut Vec<u8>,
    apart: Option<&'a mut Vec<Apart>>,
    answers: Option<&'a mut Vec<Answer<'py>>>,
    seen: Seen,
    depth: usize,
    /// Whether an opcode of protocol 5 was used.
    is_new: bool,
    globals: Vec<Global<'py>>,
    /// How much is in the memo.
    memoized: u32,
    /// Within the key of a dict.
    is_key: bool,
}

/// A class or function that was named.
struct Global<'py> {
    object: Bound<'py, PyAny>,
    /// Its number in the memo.
    number: u32,
    /// That its instances are ordinary, which holds for this message.
    is_ordinary: bool,
}

impl<'py> Writer<'_, 'py> {
    #[inline]
    fn object(&mut self, object: &Bound<'py, PyAny>) -> bool {
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
        } else {
            self.of_class(object)
        }
    }

    #[inline]
    fn within(&mut self, write: impl FnOnce(&mut Self) -> bool) -> bool {
        self.depth += 1;
        let is_written = write(self);
        self.depth -= 1;
        is_written
    }

    /// Whether the object was not met before. The outermost one needs no note: if it is in itself, the
    /// second meeting is noted, and the third is refused.
    #[inline]
    fn is_first(&mut self, object: &Bound<'_, PyAny>) -> bool {
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

    fn tuple(&mut self, tuple: &Bound<'py, PyTuple>) -> bool {
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
    fn pairs<const ATTRIBUTES: bool>(&mut self, dict: &Bound<'py, PyDict>) -> bool {
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

    /// An object of a class; in the key of a dict it is left to `pickle`, since its hash may be code of the user's,
    /// which has to wait until as much is read as `pickle` reads before it.
    fn of_class(&mut self, object: &Bound<'py, PyAny>) -> bool {
        if self.is_key {
            return false;
        }
        let class = object.get_type();
        if class::is_global(object, &class) {
            let is_written = self.global(object, false);
            self.memoize();
            return is_written;
        }
        let known = self.globals.iter().find(|known| known.object.is(&class) && known.is_ordinary);
        if let Some(number) = known.map(|known| known.number) {
            self.get(number);
            return self.is_first(object) && self.within(|it| it.instance(object, &class));
        }
        match instance::is_ordinary(object, &class) {
            Ok(true) => {
                self.global(&class, true)
                    && self.is_first(object)
                    && self.within(|it| it.instance(object, &class))
            }
            Ok(false) => self.reduced(object, &class),
            Err(_) => false,
        }
    }

    /// An instance of an ordinary class, which was written.
    fn instance(&mut self, object: &Bound<'py, PyAny>, class: &Bound<'py, PyType>) -> bool {
        if !instance::says_its_class(object, class) {
            return false;
        }
        self.bytes.extend_from_slice(&[EMPTY_TUPLE, NEWOBJ]);
        let Some(attributes) = class::attributes(object) else { return false };
        if attributes.is_empty() {
            self.memoize();
            return true;
        }
        self.bytes.extend_from_slice(&[EMPTY_DICT, MARK]);
        let is_written = self.is_first(&attributes) && self.pairs::<true>(&attributes);
        self.bytes.extend_from_slice(&[SETITEMS, BUILD]);
        is_written
    }

    /// An object that says itself how it is made. It is noted in any case, since it must not be asked again.
    fn reduced(&mut self, object: &Bound<'py, PyAny>, class: &Bound<'py, PyType>) -> bool {
        let Some(answers) = self.answers.as_mut() else { return false };
        if !reduced::is_asked(object, class).unwrap_or(false)
            || !self.seen.note(object.as_ptr().addr())
        {
            return false;
        }
        let asked = reduced::ask(object);
        let recipe = asked.as_ref().ok().map(|answer| reduced::recipe(object, answer));
        answers.push((object.clone(), asked));
        let Some(Ok(Some(recipe))) = recipe else { return false };
        self.within(|it| it.recipe(recipe))
    }

    fn recipe(&mut self, recipe: Recipe<'py>) -> bool {
        if !self.global(&recipe.maker, false) || !self.tuple(&recipe.arguments) {
            return false;
        }
        self.bytes.push(if recipe.is_new { NEWOBJ } else { REDUCE });
        let Some(state) = recipe.state else {
            self.memoize();
            return true;
        };
        let is_written = self.object(&state);
        self.bytes.push(BUILD);
        is_written
    }

    /// A class or function, by its name or its number.
    fn global(&mut self, object: &Bound<'py, PyAny>, is_ordinary: bool) -> bool {
        if let Some(known) = self.globals.iter_mut().find(|known| known.object.is(object)) {
            known.is_ordinary |= is_ordinary;
            let number = known.number;
            self.get(number);
            return true;
        }
        self.new_global(object, is_ordinary)
    }

    fn get(&mut self, number: u32) {
        if let Ok(number) = u8::try_from(number) {
            self.bytes.extend_from_slice(&[BINGET, number]);
        } else {
            self.bytes.push(LONG_BINGET);
            self.bytes.extend_from_slice(&number.to_le_bytes());
        }
    }

    fn new_global(&mut self, object: &Bound<'py, PyAny>, is_ordinary: bool) -> bool {
        let Ok(Some(Name { module, name })) = Name::of(object) else { return false };
        let (Ok(module), Ok(name)) = (module.to_str(), name.to_str()) else { return false };
        let (Ok(module_len), Ok(name_len)) = (u8::try_from(module.len()), u8::try_from(name.len()))
        else {
            return false;
        };
        self.bytes.push(BINUNICODE);
        self.bytes.extend_from_slice(&u32::from(module_len).to_le_bytes());
        self.bytes.extend_from_slice(module.as_bytes());
        self.bytes.extend_from_slice(&[SHORT_BINUNICODE, name_len]);
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(STACK_GLOBAL);
        self.globals.push(Global { object: object.clone(), number: self.memoized, is_ordinary });
        self.memoize();
        true
    }

    fn memoize(&mut self) {
        self.bytes.push(MEMOIZE);
        self.memoized += 1;
    }
}
