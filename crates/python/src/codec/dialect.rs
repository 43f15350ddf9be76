//! How what `write` writes is told from what other picklers write.
//!
//! It is what `pickle` writes, with a few differences by which a reader knows, while it reads from the front, what
//! comes. Any `pickle.loads` reads it.
//!
//! | part | opcodes |
//! |---|---|
//! | list | EMPTY_LIST, MARK, items, APPENDS, also if it is empty |
//! | dict | EMPTY_DICT, MARK, pairs, SETITEMS, also if it is empty |
//! | tuple | MARK, items, TUPLE, or EMPTY_TUPLE |
//! | set | EMPTY_SET, MARK, items, ADDITEMS, also if it is empty |
//! | frozenset | MARK, items, FROZENSET |
//! | class or function, the first time | its module by the opcode of long strings, its name by that of short ones, STACK_GLOBAL, MEMOIZE |
//! | class or function, again | BINGET or LONG_BINGET |
//! | it stands for itself | MEMOIZE |
//! | object | a class or function, a tuple, NEWOBJ or REDUCE |
//! | its items, then its pairs | MARK, items, APPENDS; MARK, pairs, SETITEMS |
//! | its state | anything, BUILD |
//! | no state | MEMOIZE |

use super::input::Input;
use procession_wire::pickle::op::*;

/// So deep containers and objects may be nested.
pub(super) const DEEPEST: usize = 256;

/// Whether the whole message is written as it is here, from its first `opcode` on.
///
/// Objects are made while they are read, with what their classes do then. What has begun must not be begun
/// anew by `pickle`, so it is looked at first: managers put the pickles of several programs together.
pub(super) fn is_spoken(opcode: u8, mut input: Input<'_>) -> bool {
    pass(opcode, &mut input, 0).is_some() && input.peek() == Some(STOP)
}

/// Passes over one thing, as the reader reads it.
fn pass(opcode: u8, input: &mut Input<'_>, depth: usize) -> Option<()> {
    match opcode {
        NONE | NEWTRUE | NEWFALSE | EMPTY_TUPLE => {}
        BININT1 => drop(input.array::<1>()?),
        BININT2 => drop(input.array::<2>()?),
        BININT => drop(input.array::<4>()?),
        BINFLOAT => drop(input.array::<8>()?),
        LONG1 | SHORT_BINUNICODE | SHORT_BINBYTES => drop(input.len8()?),
        LONG4 | BINBYTES => drop(input.len32()?),
        BINUNICODE8 | BINBYTES8 | BYTEARRAY8 => drop(input.len64()?),
        MARK => match pass_items(input, depth)?.0 {
            TUPLE | FROZENSET => {}
            _ => return None,
        },
        EMPTY_LIST | EMPTY_SET => {
            input.expect(MARK)?;
            let end = if opcode == EMPTY_LIST { APPENDS } else { ADDITEMS };
            if pass_items(input, depth)?.0 != end {
                return None;
            }
        }
        EMPTY_DICT => {
            input.expect(MARK)?;
            pass_pairs(input, depth)?;
        }
        BINUNICODE => {
            if is_module(input.len32()?) {
                input.expect(SHORT_BINUNICODE)?;
                input.len8()?;
                input.expect(STACK_GLOBAL)?;
                input.expect(MEMOIZE)?;
                pass_rest(input, depth)?;
            }
        }
        BINGET => {
            input.byte()?;
            pass_rest(input, depth)?;
        }
        LONG_BINGET => {
            input.array::<4>()?;
            pass_rest(input, depth)?;
        }
        _ => return None,
    }
    Some(())
}

fn deeper(depth: usize) -> Option<usize> {
    (depth < DEEPEST).then_some(depth + 1)
}

/// Passes over items; what they end with, and how many there are.
fn pass_items(input: &mut Input<'_>, depth: usize) -> Option<(u8, usize)> {
    let depth = deeper(depth)?;
    let mut count = 0;
    loop {
        match input.byte()? {
            end if is_end(end) => return Some((end, count)),
            opcode => pass(opcode, input, depth)?,
        }
        count += 1;
    }
}

/// Whether that is how items end, of whatever they are.
#[inline]
pub(super) fn is_end(opcode: u8) -> bool {
    matches!(opcode, TUPLE | APPENDS | SETITEMS | ADDITEMS | FROZENSET)
}

fn pass_pairs(input: &mut Input<'_>, depth: usize) -> Option<()> {
    let depth = deeper(depth)?;
    loop {
        match input.byte()? {
            SETITEMS => return Some(()),
            opcode => pass(opcode, input, depth)?,
        }
        let opcode = input.byte()?;
        pass(opcode, input, depth)?;
    }
}

/// What comes after a class or function.
fn pass_rest(input: &mut Input<'_>, depth: usize) -> Option<()> {
    match input.byte()? {
        MEMOIZE => return Some(()),
        EMPTY_TUPLE => {}
        MARK if pass_items(input, depth)?.0 == TUPLE => {}
        _ => return None,
    }
    if !matches!(input.byte()?, NEWOBJ | REDUCE) {
        return None;
    }
    loop {
        match input.byte()? {
            MEMOIZE => return Some(()),
            MARK => match pass_items(input, depth)? {
                (APPENDS, _) => continue,
                (SETITEMS, count) if count.is_multiple_of(2) => continue,
                (TUPLE | FROZENSET, _) => {}
                _ => return None,
            },
            EMPTY_DICT => {
                input.expect(MARK)?;
                pass_pairs(input, depth)?;
            }
            opcode => pass(opcode, input, deeper(depth)?)?,
        }
        return input.expect(BUILD);
    }
}

/// Whether a string that was written as a long one is the module of a class: it is not long.
#[inline]
pub(super) fn is_module(text: &[u8]) -> bool {
    text.len() <= u8::MAX.into()
}
