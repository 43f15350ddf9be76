//! Pickles of plain data as objects, without `pickle`.
//!
//! What is read is what `write` writes, by the [`Reader`], and what stock picklers write of plain data, with
//! their memo and frames, by the [`Machine`], which begins anew where the other one stops.

use super::keys::Keys;
use super::number;
use super::seen::references;
use procession_wire::pickle::op::*;
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyString, PyTuple};

/// Nested deeper, the message is left to `pickle`.
const DEEPEST: usize = 64;
/// Room for the items of a list is made for so many bytes at most.
const MOST_AT_ONCE: usize = 1 << 10;

type Object<'py> = Bound<'py, PyAny>;

/// The object in `bytes`; `None` if it is not plain, or not whole: `pickle` has to say.
#[inline]
pub(super) fn read<'py>(py: Python<'py>, bytes: &[u8]) -> Option<Object<'py>> {
    let [PROTO, 2..=5, rest @ ..] = bytes else { return None };
    let mut input = Input(rest);
    let first = input.byte()?;
    if matches!(first, EMPTY_DICT | EMPTY_LIST | MARK)
        && let Some(object) = ours(py, first, Input(input.0))
    {
        return Some(object);
    }
    if let Some(object) = atom(py, first, &mut input)? {
        // The common case needs no stack.
        if input.0.first() == Some(&STOP) {
            return Some(object);
        }
        return machine(py, Some(object), input.byte()?, input);
    }
    if bytes[1] == 5 && first == FRAME {
        // A stock pickler of protocol 5: what we could read, we would have written ourselves.
        return None;
    }
    machine(py, None, first, input)
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    #[inline]
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    #[inline]
    fn len8(&mut self) -> Option<&'a [u8]> {
        let len = self.byte()?;
        self.take(len.into())
    }

    #[inline]
    fn len32(&mut self) -> Option<&'a [u8]> {
        let len = u32::from_le_bytes(self.array()?);
        self.take(len as usize)
    }

    fn len64(&mut self) -> Option<&'a [u8]> {
        let len = u64::from_le_bytes(self.array()?);
        self.take(usize::try_from(len).ok()?)
    }
}

/// An object that stands for itself: `None` if the input is not plain, `Some(None)` if the opcode is
/// not of one.
#[inline(always)]
#[expect(clippy::option_option, reason = "two questions")]
fn atom<'py>(py: Python<'py>, opcode: u8, input: &mut Input<'_>) -> Option<Option<Object<'py>>> {
    let int = |value: i64| value.into_pyobject(py).ok().map(Bound::into_any);
    // With lone surrogates it is `pickle`'s.
    let text = |bytes: &[u8]| PyString::from_bytes(py, bytes).ok().map(Bound::into_any);
    let object = match opcode {
        BININT1 => int(input.byte()?.into())?,
        SHORT_BINUNICODE => text(input.len8()?)?,
        BININT => int(i32::from_le_bytes(input.array()?).into())?,
        BININT2 => int(u16::from_le_bytes(input.array()?).into())?,
        NONE => py.None().into_bound(py),
        NEWTRUE => true.into_pyobject(py).ok()?.to_owned().into_any(),
        NEWFALSE => false.into_pyobject(py).ok()?.to_owned().into_any(),
        BINFLOAT => f64::from_be_bytes(input.array()?).into_pyobject(py).ok()?.into_any(),
        LONG1 => number::from_bytes(py, input.len8()?).ok()?,
        LONG4 => number::from_bytes(py, input.len32()?).ok()?,
        BINUNICODE => text(input.len32()?)?,
        BINUNICODE8 => text(input.len64()?)?,
        SHORT_BINBYTES => PyBytes::new(py, input.len8()?).into_any(),
        BINBYTES => PyBytes::new(py, input.len32()?).into_any(),
        BINBYTES8 => PyBytes::new(py, input.len64()?).into_any(),
        BYTEARRAY8 => PyByteArray::new(py, input.len64()?).into_any(),
        EMPTY_TUPLE => PyTuple::empty(py).into_any(),
        EMPTY_LIST => PyList::empty(py).into_any(),
        EMPTY_DICT => PyDict::new(py).into_any(),
        _ => return Some(None),
    };
    Some(Some(object))
}

/// Reads what `write` writes, where every container begins with what says how it ends, from `opcode`
/// on; `None` if it is something else.
fn ours<'py>(py: Python<'py>, opcode: u8, input: Input<'_>) -> Option<Object<'py>> {
    let mut reader = Reader { py, input, keys: Keys::borrow(), items: Vec::new(), depth: 0 };
    let object = reader.compound(opcode)?;
    (reader.input.0.first() == Some(&STOP)).then_some(object)
}

struct Reader<'a, 'py> {
    py: Python<'py>,
    input: Input<'a>,
    keys: Keys,
    /// What was read of the lists and tuples that have not ended.
    items: Vec<Object<'py>>,
    depth: usize,
}

impl<'py> Reader<'_, 'py> {
    #[inline(always)]
    fn object(&mut self, opcode: u8) -> Option<Object<'py>> {
        match opcode {
            EMPTY_DICT | EMPTY_LIST | MARK => self.compound(opcode),
            _ => atom(self.py, opcode, &mut self.input)?,
        }
    }

    /// A container, which may be empty.
    #[inline(never)]
    fn compound(&mut self, opcode: u8) -> Option<Object<'py>> {
        self.depth += 1;
        if self.depth == DEEPEST {
            return None;
        }
        let is_empty = opcode != MARK && self.input.0.first() != Some(&MARK);
        let object = match opcode {
            EMPTY_DICT if is_empty => PyDict::new(self.py).into_any(),
            EMPTY_LIST if is_empty => PyList::empty(self.py).into_any(),
            EMPTY_DICT => self.dict()?.into_any(),
            EMPTY_LIST => {
                self.input.byte()?;
                let from = self.gather(APPENDS)?;
                PyList::new(self.py, self.items.drain(from..)).ok()?.into_any()
            }
            _ => {
                let from = self.gather(TUPLE)?;
                PyTuple::new(self.py, self.items.drain(from..)).ok()?.into_any()
            }
        };
        self.depth -= 1;
        Some(object)
    }

    #[inline]
    fn dict(&mut self) -> Option<Bound<'py, PyDict>> {
        self.input.byte()?;
        let dict = PyDict::new(self.py);
        loop {
            match self.input.byte()? {
                SETITEMS => return Some(dict),
                SHORT_BINUNICODE => {
                    let key = self.input.len8()?;
                    let opcode = self.input.byte()?;
                    let value = self.object(opcode)?;
                    dict.set_item(self.keys.find(self.py, key)?, &value).ok()?;
                }
                opcode => self.pair(&dict, opcode)?,
            }
        }
    }

    /// A pair of a dict whose key is not a short string.
    #[inline(never)]
    fn pair(&mut self, dict: &Bound<'py, PyDict>, opcode: u8) -> Option<()> {
        let key = self.object(opcode)?;
        let opcode = self.input.byte()?;
        let value = self.object(opcode)?;
        dict.set_item(key, value).ok()
    }

    /// Reads items until the end of their container; how many there were of those around it.
    #[inline(never)]
    fn gather(&mut self, end: u8) -> Option<usize> {
        let from = self.items.len();
        // Most items take two bytes or more, so the memory is rarely moved.
        self.items.reserve(self.input.0.len().min(MOST_AT_ONCE) / 2);
        loop {
            let opcode = self.input.byte()?;
            if opcode == end {
                return Some(from);
            }
            let item = self.object(opcode)?;
            self.items.push(item);
        }
    }
}

struct Machine<'py> {
    stack: Vec<Object<'py>>,
    marks: [u32; DEEPEST],
    depth: usize,
    memo: Vec<Option<Object<'py>>>,
    keys: Keys,
}

/// Runs from `opcode` on; `below` is on the stack.
fn machine<'py>(
    py: Python<'py>,
    below: Option<Object<'py>>,
    mut opcode: u8,
    mut input: Input<'_>,
) -> Option<Object<'py>> {
    let mut stack = Vec::with_capacity(16);
    stack.extend(below);
    let mut machine =
        Machine { stack, marks: [0; DEEPEST], depth: 0, memo: Vec::new(), keys: Keys::borrow() };
    while opcode != STOP {
        if opcode == SHORT_BINUNICODE && machine.expects_key() {
            let key = machine.keys.find(py, input.len8()?)?;
            let key = key.to_owned().into_any();
            machine.stack.push(key);
            opcode = input.byte()?;
            continue;
        }
        match atom(py, opcode, &mut input)? {
            Some(object) => machine.stack.push(object),
            None => machine.step(py, opcode, &mut input)?,
        }
        opcode = input.byte()?;
    }
    if machine.depth > 0 || machine.stack.len() != 1 { None } else { machine.stack.pop() }
}

impl<'py> Machine<'py> {
    #[inline]
    fn step(&mut self, py: Python<'py>, opcode: u8, input: &mut Input<'_>) -> Option<()> {
        match opcode {
            MARK => self.mark(),
            TUPLE1 => self.tuple(py, self.stack.len().checked_sub(1)?),
            TUPLE2 => self.tuple(py, self.stack.len().checked_sub(2)?),
            TUPLE3 => self.tuple(py, self.stack.len().checked_sub(3)?),
            TUPLE => {
                let mark = self.unmark()?;
                self.tuple(py, mark)
            }
            APPENDS => {
                let mark = self.unmark()?;
                self.append(py, mark)
            }
            APPEND => self.append(py, self.stack.len().checked_sub(1)?),
            SETITEMS => {
                let mark = self.unmark()?;
                self.set(mark)
            }
            SETITEM => self.set(self.stack.len().checked_sub(2)?),
            FRAME => input.array::<8>().map(drop),
            MEMOIZE => self.memoize(self.memo.len()),
            BINPUT => {
                let at = input.byte()?.into();
                self.memoize(at)
            }
            LONG_BINPUT => {
                let at = u32::from_le_bytes(input.array()?) as usize;
                self.memoize(at)
            }
            BINGET => {
                let at = input.byte()?.into();
                self.recall(at)
            }
            LONG_BINGET => {
                let at = u32::from_le_bytes(input.array()?) as usize;
                self.recall(at)
            }
            _ => None,
        }
    }

    /// Whether what comes next is the key of a dict.
    #[inline]
    fn expects_key(&self) -> bool {
        let Some(last) = self.depth.checked_sub(1) else { return false };
        let mark = self.marks[last] as usize;
        mark > 0
            && self.stack.len().checked_sub(mark).is_some_and(|above| above.is_multiple_of(2))
            && self.stack.get(mark - 1).is_some_and(|below| below.is_exact_instance_of::<PyDict>())
    }

    fn mark(&mut self) -> Option<()> {
        *self.marks.get_mut(self.depth)? = u32::try_from(self.stack.len()).ok()?;
        self.depth += 1;
        Some(())
    }

    /// How many objects were below the last mark.
    fn unmark(&mut self) -> Option<usize> {
        self.depth = self.depth.checked_sub(1)?;
        Some(self.marks[self.depth] as usize)
    }

    fn tuple(&mut self, py: Python<'py>, from: usize) -> Option<()> {
        if from > self.stack.len() {
            return None;
        }
        let tuple = PyTuple::new(py, self.stack.drain(from..)).ok()?;
        self.stack.push(tuple.into_any());
        Some(())
    }

    fn append(&mut self, py: Python<'py>, from: usize) -> Option<()> {
        let below = self.stack.get(from.checked_sub(1)?)?;
        let list = below.cast_exact::<PyList>().ok()?;
        if list.is_empty() && references(list) == 1 {
            // Nobody has seen it, so it can as well be made at its length.
            let full = PyList::new(py, self.stack.drain(from..)).ok()?;
            self.stack[from - 1] = full.into_any();
            return Some(());
        }
        let list = list.clone();
        self.stack.drain(from..).try_for_each(|item| list.append(item)).ok()
    }

    fn set(&mut self, from: usize) -> Option<()> {
        let dict = self.stack.get(from.checked_sub(1)?)?.cast_exact::<PyDict>().ok()?;
        let pairs = self.stack.get(from..)?.chunks_exact(2);
        if !pairs.remainder().is_empty() {
            return None;
        }
        for pair in pairs {
            dict.set_item(&pair[0], &pair[1]).ok()?;
        }
        self.stack.truncate(from);
        Some(())
    }

    fn memoize(&mut self, at: usize) -> Option<()> {
        let top = self.stack.last()?;
        if at > self.memo.len() {
            // Stock picklers number what they memoize from 0 on, so this is none of theirs.
            return None;
        }
        if at == self.memo.len() {
            self.memo.push(Some(top.clone()));
        } else {
            self.memo[at] = Some(top.clone());
        }
        Some(())
    }

    fn recall(&mut self, at: usize) -> Option<()> {
        let object = self.memo.get(at)?.clone()?;
        self.stack.push(object);
        Some(())
    }
}
