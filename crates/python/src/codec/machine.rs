//! What stock picklers write of plain data, with their memo and frames: a machine with a stack.

use super::input::Input;
use super::keys::Keys;
use super::read::{Object, atom};
use super::seen::references;
use procession_wire::pickle::op::*;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

/// Nested deeper, it is left to `pickle`.
const DEEPEST: usize = 64;

struct Machine<'py> {
    stack: Vec<Object<'py>>,
    marks: [u32; DEEPEST],
    depth: usize,
    memo: Vec<Option<Object<'py>>>,
    keys: Keys,
}

/// The object that is made from `opcode` on; `None` if it is not plain data.
pub(super) fn run<'py>(
    py: Python<'py>,
    mut opcode: u8,
    input: &mut Input<'_>,
) -> Option<Object<'py>> {
    let stack = Vec::with_capacity(16);
    let mut machine =
        Machine { stack, marks: [0; DEEPEST], depth: 0, memo: Vec::new(), keys: Keys::of_dicts() };
    while opcode != STOP {
        if opcode == SHORT_BINUNICODE && machine.expects_key() {
            let key = machine.keys.find(py, input.len8()?)?;
            let key = key.to_owned().into_any();
            machine.stack.push(key);
            opcode = input.byte()?;
            continue;
        }
        match atom(py, opcode, input)? {
            Some(object) => machine.stack.push(object),
            None => machine.step(py, opcode, input)?,
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
