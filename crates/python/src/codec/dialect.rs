//! How instances are written here, and whether a message has nothing but what is written here.
//!
//! It is what `pickle` writes of them, with two differences by which a reader knows, while it reads from the
//! front, what comes. Any `pickle.loads` reads it.
//!
//! | part | opcodes |
//! |---|---|
//! | class, the first time | its module by the opcode of long strings, its name by that of short ones, STACK_GLOBAL, MEMOIZE |
//! | class, again | BINGET or LONG_BINGET |
//! | new instance | EMPTY_TUPLE, NEWOBJ |
//! | attributes | EMPTY_DICT, MARK, pairs, SETITEMS, BUILD |
//! | no attributes | MEMOIZE, and nobody asks for what it keeps |

use super::input::Input;
use procession_wire::pickle::op::*;

/// So many containers may be open.
pub(super) const DEEPEST: usize = 256;

/// Whether the message goes on as it is written here, up to its end, from `opcode` on, which names a class.
/// `open` containers have not ended.
///
/// Instances are made while they are read, with what their classes do then. What has begun must not be begun
/// anew by `pickle`, so it is looked at first: managers put the pickles of several programs together.
pub(super) fn is_spoken(mut opcode: u8, mut input: Input<'_>, mut open: usize) -> bool {
    while opcode != STOP {
        let Some(next) = pass(opcode, &mut input, &mut open) else { return false };
        opcode = next;
    }
    open == 0
}

/// Passes over one thing; what comes after it. `None` if it is not written so here.
#[inline]
fn pass(opcode: u8, input: &mut Input<'_>, open: &mut usize) -> Option<u8> {
    match opcode {
        NONE | NEWTRUE | NEWFALSE | EMPTY_TUPLE | EMPTY_LIST | EMPTY_DICT | BUILD => {}
        BININT1 => drop(input.array::<1>()?),
        BININT2 => drop(input.array::<2>()?),
        BININT => drop(input.array::<4>()?),
        BINFLOAT => drop(input.array::<8>()?),
        LONG1 | SHORT_BINUNICODE | SHORT_BINBYTES => drop(input.len8()?),
        LONG4 | BINBYTES => drop(input.len32()?),
        BINUNICODE8 | BINBYTES8 | BYTEARRAY8 => drop(input.len64()?),
        MARK => {
            *open += 1;
            if *open == DEEPEST {
                return None;
            }
        }
        TUPLE | APPENDS | SETITEMS => *open = open.checked_sub(1)?,
        BINUNICODE => {
            if is_module(input.len32()?) {
                input.expect(SHORT_BINUNICODE)?;
                input.len8()?;
                input.expect(STACK_GLOBAL)?;
                input.expect(MEMOIZE)?;
                instance(input)?;
            }
        }
        BINGET => {
            input.byte()?;
            instance(input)?;
        }
        LONG_BINGET => {
            input.array::<4>()?;
            instance(input)?;
        }
        _ => return None,
    }
    input.byte()
}

fn instance(input: &mut Input<'_>) -> Option<()> {
    input.expect(EMPTY_TUPLE)?;
    input.expect(NEWOBJ)?;
    match input.peek()? {
        MEMOIZE => input.expect(MEMOIZE),
        EMPTY_DICT => Some(()),
        _ => None,
    }
}

/// Whether a string that was written as a long one is the module of a class: it is not long.
#[inline]
pub(super) fn is_module(text: &[u8]) -> bool {
    text.len() <= u8::MAX.into()
}
