//! Pickles of plain data as objects, without `pickle`.
//!
//! What is read is what `write` writes, objects of classes too, by the [`Reader`]. What stock picklers write of plain data
//! is the [`machine`]'s, which begins anew where this one stops.

use super::dialect::{self, is_module};
use super::input::Input;
use super::keys::Keys;
use super::{class, machine, number, revive};
use procession_wire::pickle::op::*;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFrozenSet, PyList, PySet, PyString, PyTuple, PyType,
};

/// Room for the items of a list is made for so many bytes at most.
const MOST_AT_ONCE: usize = 1 << 10;

pub(super) type Object<'py> = Bound<'py, PyAny>;

/// Whether objects of classes are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Instances {
    /// As `pickle.loads` reads them.
    Are,
    /// They are somebody else's to read.
    AreNot,
}

/// Why nothing was read.
pub(super) enum Unread {
    /// It is not what is read here, or not whole: `pickle` has to say.
    Other,
    /// What a class or its module raised, which is final: `pickle` would have it done a second time.
    Raised(Box<PyErr>),
}

/// The object in `bytes`.
///
/// # Errors
/// See [`Unread`].
#[inline]
pub(super) fn read<'py>(
    py: Python<'py>,
    bytes: &[u8],
    instances: Instances,
) -> Result<Object<'py>, Unread> {
    let [PROTO, 2..=5, first, rest @ ..] = bytes else { return Err(Unread::Other) };
    let mut input = Input(rest);
    // The common case needs no stack.
    let is_compound =
        matches!(*first, EMPTY_DICT | EMPTY_LIST | EMPTY_SET) || begins_with_class(*first, input);
    if !is_compound
        && let Some(Some(object)) = atom(py, *first, &mut input)
        && input.peek() == Some(STOP)
    {
        return Ok(object);
    }
    compound(py, bytes[1], *first, Input(rest), instances)
}

/// What does not stand for itself.
#[inline(never)]
fn compound<'py>(
    py: Python<'py>,
    protocol: u8,
    first: u8,
    mut input: Input<'_>,
    instances: Instances,
) -> Result<Object<'py>, Unread> {
    if matches!(first, EMPTY_DICT | EMPTY_LIST | EMPTY_SET | MARK)
        || begins_with_class(first, input)
    {
        match ours(py, first, input, instances) {
            Err(Unread::Other) => {}
            read => return read,
        }
    }
    if protocol == 5 && first == FRAME {
        // A stock pickler of protocol 5: what we could read, we would have written ourselves.
        return Err(Unread::Other);
    }
    machine::run(py, first, &mut input).ok_or(Unread::Other)
}

#[inline]
fn begins_with_class(opcode: u8, mut input: Input<'_>) -> bool {
    opcode == BINUNICODE && input.len32().is_some_and(is_module)
}

/// An object that stands for itself: `None` if the input is not plain, `Some(None)` if the opcode is
/// not of one.
#[inline(always)]
#[expect(clippy::option_option, reason = "two questions")]
pub(super) fn atom<'py>(
    py: Python<'py>,
    opcode: u8,
    input: &mut Input<'_>,
) -> Option<Option<Object<'py>>> {
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
/// on.
fn ours<'py>(
    py: Python<'py>,
    opcode: u8,
    input: Input<'_>,
    instances: Instances,
) -> Result<Object<'py>, Unread> {
    let mut reader = Reader {
        py,
        whole: (opcode, input),
        input,
        keys: Keys::of_dicts(),
        names: Keys::none(),
        items: Vec::new(),
        depth: 0,
        instances,
        memo: Vec::new(),
        has_begun: false,
        raised: None,
    };
    let object = reader.object(opcode).filter(|_| reader.input.peek() == Some(STOP));
    object.ok_or_else(|| reader.reason())
}

struct Reader<'a, 'py> {
    py: Python<'py>,
    /// The message from its first opcode on.
    whole: (u8, Input<'a>),
    input: Input<'a>,
    keys: Keys,
    /// The keys of objects' attributes, and the names of classes and functions.
    names: Keys,
    /// What was read of the lists and tuples that have not ended.
    items: Vec<Object<'py>>,
    depth: usize,
    instances: Instances,
    /// What was memoized.
    memo: Vec<Object<'py>>,
    /// Whether anything was done that must not be done again.
    has_begun: bool,
    /// Why it was not read, where that is final.
    raised: Option<PyErr>,
}

impl<'py> Reader<'_, 'py> {
    #[inline(always)]
    fn object(&mut self, opcode: u8) -> Option<Object<'py>> {
        match opcode {
            EMPTY_DICT | EMPTY_LIST | EMPTY_SET | MARK => self.compound(opcode),
            BINGET | LONG_BINGET => self.global_or_made(opcode),
            BINUNICODE if begins_with_class(opcode, self.input) => self.global_or_made(opcode),
            _ => atom(self.py, opcode, &mut self.input)?,
        }
    }

    /// A container, which may be empty.
    #[inline(never)]
    fn compound(&mut self, opcode: u8) -> Option<Object<'py>> {
        self.depth += 1;
        if self.depth > dialect::DEEPEST {
            return None;
        }
        let is_empty = opcode != MARK && self.input.peek() != Some(MARK);
        let object = match opcode {
            EMPTY_DICT if is_empty => PyDict::new(self.py).into_any(),
            EMPTY_LIST if is_empty => PyList::empty(self.py).into_any(),
            EMPTY_DICT => {
                let dict = PyDict::new(self.py);
                self.fill::<false>(&dict)?;
                dict.into_any()
            }
            EMPTY_LIST | EMPTY_SET => {
                self.input.expect(MARK)?;
                let (from, end) = self.gather()?;
                match (opcode, end) {
                    (EMPTY_LIST, APPENDS) | (EMPTY_SET, ADDITEMS) => self.collect(from, end)?,
                    _ => return None,
                }
            }
            _ => {
                let (from, end) = self.gather()?;
                match end {
                    TUPLE | FROZENSET => self.collect(from, end)?,
                    _ => return None,
                }
            }
        };
        self.depth -= 1;
        Some(object)
    }

    /// A container, which is not a dict, of what was gathered.
    #[inline]
    fn collect(&mut self, from: usize, end: u8) -> Option<Object<'py>> {
        let items = self.items.drain(from..);
        let made = match end {
            APPENDS => PyList::new(self.py, items).map(Bound::into_any),
            TUPLE => PyTuple::new(self.py, items).map(Bound::into_any),
            ADDITEMS => PySet::new(self.py, items).map(Bound::into_any),
            _ => PyFrozenSet::new(self.py, items).map(Bound::into_any),
        };
        if self.has_begun { self.done(made) } else { made.ok() }
    }

    /// Reads the pairs of a dict, which may be an object's attributes.
    #[inline]
    fn fill<const ARE_ATTRIBUTES: bool>(&mut self, dict: &Bound<'py, PyDict>) -> Option<()> {
        self.input.byte()?;
        loop {
            match self.input.byte()? {
                SETITEMS => return Some(()),
                SHORT_BINUNICODE => {
                    let key = self.input.len8()?;
                    let opcode = self.input.byte()?;
                    let value = self.object(opcode)?;
                    let keys = if ARE_ATTRIBUTES { &mut self.names } else { &mut self.keys };
                    dict.set_item(keys.find(self.py, key)?, &value).ok()?;
                }
                opcode => self.pair(dict, opcode)?,
            }
        }
    }

    /// A pair of a dict whose key is not a short string.
    #[inline(never)]
    fn pair(&mut self, dict: &Bound<'py, PyDict>, opcode: u8) -> Option<()> {
        let key = self.object(opcode)?;
        let opcode = self.input.byte()?;
        let value = self.object(opcode)?;
        let set = dict.set_item(key, value);
        if self.has_begun { self.done(set) } else { set.ok() }
    }

    /// A class or function, or an object that is made by it.
    #[inline(never)]
    fn global_or_made(&mut self, opcode: u8) -> Option<Object<'py>> {
        if !self.has_begun {
            let are_read = self.instances == Instances::Are;
            if !are_read || !dialect::is_spoken(self.whole.0, self.whole.1) {
                return None;
            }
            self.has_begun = true;
            self.names = Keys::names();
        }
        let maker = self.global(opcode)?;
        let arguments = match self.input.byte()? {
            MEMOIZE => {
                self.memo.push(maker.clone());
                return Some(maker);
            }
            EMPTY_TUPLE => PyTuple::empty(self.py),
            _ => {
                let (from, _) = self.gather()?;
                PyTuple::new(self.py, self.items.drain(from..)).ok()?
            }
        };
        if self.input.byte()? == REDUCE {
            let made = self.outside(|| maker.call1(arguments));
            let object = self.done(made)?;
            self.content(&object, false)?;
            return Some(object);
        }
        let is_plain =
            arguments.is_empty() && maker.cast::<PyType>().is_ok_and(class::is_made_plainly);
        let made = if is_plain {
            revive::make(&maker, &arguments)
        } else {
            self.outside(|| revive::make(&maker, &arguments))
        };
        let object = self.done(made)?;
        self.content(&object, is_plain)?;
        Some(object)
    }

    #[inline]
    fn global(&mut self, opcode: u8) -> Option<Object<'py>> {
        let at = match opcode {
            BINGET => self.input.byte()?.into(),
            LONG_BINGET => u32::from_le_bytes(self.input.array()?) as usize,
            _ => return self.new_global(),
        };
        self.memo.get(at).cloned()
    }

    fn new_global(&mut self) -> Option<Object<'py>> {
        let module = self.names.find(self.py, self.input.len32()?)?.to_owned();
        self.input.expect(SHORT_BINUNICODE)?;
        let name = self.names.find(self.py, self.input.len8()?)?.to_owned();
        self.input.expect(STACK_GLOBAL)?;
        self.input.expect(MEMOIZE)?;
        let found = self.outside(|| revive::find(&module, &name));
        let global = self.done(found)?;
        self.memo.push(global.clone());
        Some(global)
    }

    /// Reads the items, the pairs and the state of a new object. Where nobody can see it before it has all of its
    /// attributes, they are put where they belong at once.
    #[inline]
    fn content(&mut self, object: &Object<'py>, is_plain: bool) -> Option<()> {
        self.depth += 1;
        let state = loop {
            match self.input.byte()? {
                MEMOIZE => {
                    self.memo.push(object.clone());
                    self.depth -= 1;
                    return Some(());
                }
                EMPTY_DICT => match if is_plain { revive::attributes(object) } else { None } {
                    Some(attributes) => {
                        self.fill::<true>(&attributes)?;
                        break None;
                    }
                    None => {
                        let state = PyDict::new(self.py);
                        self.fill::<true>(&state)?;
                        break Some(state.into_any());
                    }
                },
                MARK => {
                    let (from, end) = self.gather()?;
                    if matches!(end, TUPLE | FROZENSET) {
                        break Some(self.collect(from, end)?);
                    }
                    let items: Vec<_> = self.items.drain(from..).collect();
                    let added = self.outside(|| match end {
                        APPENDS => revive::append(object, items),
                        _ => revive::set_items(object, &items),
                    });
                    self.done(added)?;
                }
                opcode => break Some(self.object(opcode)?),
            }
        };
        if let Some(state) = state {
            let built = self.outside(|| revive::build(object, &state));
            self.done(built)?;
        }
        self.depth -= 1;
        self.input.expect(BUILD)
    }

    /// Does what may run code of the user's, while others may have the kept keys.
    fn outside<R>(&mut self, act: impl FnOnce() -> R) -> R {
        (self.keys, self.names) = (Keys::none(), Keys::none());
        let done = act();
        (self.keys, self.names) = (Keys::of_dicts(), Keys::names());
        done
    }

    /// Why it was not read.
    #[cold]
    fn reason(self) -> Unread {
        match self.raised {
            Some(raised) => Unread::Raised(Box::new(raised)),
            None if self.has_begun => Unread::Raised(Box::new(revive::damaged(self.py))),
            None => Unread::Other,
        }
    }

    /// What was done, or `None`, and the reader knows why.
    #[inline]
    fn done<T>(&mut self, result: PyResult<T>) -> Option<T> {
        result.map_err(|error| self.raised = Some(error)).ok()
    }

    /// Reads items until their end; how many there were of the containers around them, and what the end is.
    #[inline(never)]
    fn gather(&mut self) -> Option<(usize, u8)> {
        let from = self.items.len();
        // Most items take two bytes or more, so the memory is rarely moved.
        self.items.reserve(self.input.0.len().min(MOST_AT_ONCE) / 2);
        loop {
            let opcode = self.input.byte()?;
            if dialect::is_end(opcode) {
                return Some((from, opcode));
            }
            let item = self.object(opcode)?;
            self.items.push(item);
        }
    }
}
