//! A value as a pickle, or a part of one: protocol 4, nothing remembered, no frames.

use super::{Class, Object, Value};
use crate::pickle::{emit, op};

/// What stands before a tuple that is not yet known to the reader to be one.
pub(crate) fn begin_tuple(to: &mut Vec<u8>, len: usize) {
    if len > 3 {
        to.push(op::MARK);
    }
}

/// Makes a tuple of as many values.
pub(crate) fn end_tuple(to: &mut Vec<u8>, len: usize) {
    to.push(match len {
        0 => op::EMPTY_TUPLE,
        1 => op::TUPLE1,
        2 => op::TUPLE2,
        3 => op::TUPLE3,
        _ => op::TUPLE,
    });
}

fn tuple(to: &mut Vec<u8>, values: &[Value], memos: &mut u32) {
    begin_tuple(to, values.len());
    all(to, values, memos);
    end_tuple(to, values.len());
}

fn all(to: &mut Vec<u8>, values: &[Value], memos: &mut u32) {
    values.iter().for_each(|value| value.append(to, memos));
}

/// Values above a mark, which an opcode puts into what is below.
fn marked(to: &mut Vec<u8>, values: &[Value], code: u8, memos: &mut u32) {
    if !values.is_empty() {
        to.push(op::MARK);
        all(to, values, memos);
        to.push(code);
    }
}

fn pairs(to: &mut Vec<u8>, pairs: &[(Value, Value)], memos: &mut u32) {
    if !pairs.is_empty() {
        to.push(op::MARK);
        for (key, value) in pairs {
            key.append(to, memos);
            value.append(to, memos);
        }
        to.push(op::SETITEMS);
    }
}

impl Class {
    fn append(&self, to: &mut Vec<u8>) {
        emit::global(to, &self.module, &self.name);
    }
}

impl Object {
    fn append(&self, to: &mut Vec<u8>, memos: &mut u32) {
        self.class.append(to);
        tuple(to, &self.args, memos);
        to.push(if self.is_bare { op::NEWOBJ } else { op::REDUCE });
        marked(to, &self.items, op::APPENDS, memos);
        pairs(to, &self.pairs, memos);
        if let Some(state) = &self.state {
            state.append(to, memos);
            to.push(op::BUILD);
        }
    }
}

impl Value {
    /// The value as a pickle.
    #[must_use]
    pub fn to_pickle(&self) -> Vec<u8> {
        let mut pickle = vec![op::PROTO, 4];
        self.append(&mut pickle, &mut 0);
        pickle.push(op::STOP);
        pickle
    }

    /// Appends the opcodes that make it, to a message that has remembered `memos` things so far.
    pub(crate) fn append(&self, to: &mut Vec<u8>, memos: &mut u32) {
        match self {
            Self::None => to.push(op::NONE),
            Self::Bool(value) => emit::boolean(to, *value),
            Self::Int(value) => emit::large_int(to, *value),
            Self::Large(value) => emit::long(to, value.as_bytes()),
            Self::Float(value) => emit::float(to, *value),
            Self::Str(text) => emit::text(to, text),
            Self::Bytes(bytes) => emit::bytes(to, bytes),
            Self::ByteArray(bytes) => emit::byte_array(to, bytes),
            Self::List(values) => {
                to.push(op::EMPTY_LIST);
                marked(to, values, op::APPENDS, memos);
            }
            Self::Tuple(values) => tuple(to, values, memos),
            Self::Set(values) => {
                to.push(op::EMPTY_SET);
                marked(to, values, op::ADDITEMS, memos);
            }
            Self::FrozenSet(values) => {
                to.push(op::MARK);
                all(to, values, memos);
                to.push(op::FROZENSET);
            }
            Self::Dict(parts) => {
                to.push(op::EMPTY_DICT);
                pairs(to, parts, memos);
            }
            Self::Slice(parts) => {
                emit::global(to, "builtins", "slice");
                tuple(to, &**parts, memos);
                to.push(op::REDUCE);
            }
            Self::Class(class) => class.append(to),
            Self::Object(object) => object.append(to, memos),
            Self::Payload(payload) => payload.append(to, memos),
        }
    }
}
