//! What the pass finds: where in the bytes an object is made, and of what.

use super::Error;
use crate::pickle::input::Input;
use crate::pickle::op;

/// The number of a node.
pub(super) type Id = u32;

/// No node.
pub(super) const NONE: Id = Id::MAX;

/// One object, as the opcodes from `start` to `end` make it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node {
    /// The opcode that pushed it. For what it then became, see `parts`.
    pub(super) code: u8,
    /// Whether something takes it from the memo.
    pub(super) is_used: bool,
    /// Whether it was changed in a way that `parts` do not tell.
    pub(super) is_changed: bool,
    pub(super) start: u32,
    /// With all that is later added to it.
    pub(super) end: u32,
    /// The first part; of something taken from the memo, what was taken.
    pub(super) first: Id,
    pub(super) last: Id,
    /// The next part of the same whole.
    pub(super) next: Id,
}

/// Something in the bytes that is not copied as it is: frames and the memo.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) at: u32,
    /// What is remembered, or taken from the memo.
    pub(super) node: Id,
}

/// A message that was looked through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Message<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) nodes: &'a [Node],
    pub(super) events: &'a [Event],
    pub(super) names_tokens: bool,
    /// Whether classes are named in it as in Python 2, which readers know by the protocol.
    pub(super) is_of_python_2: bool,
}

impl<'a> Message<'a> {
    pub(super) fn node(&self, id: Id) -> &'a Node {
        &self.nodes[id as usize]
    }

    /// What a node stands for, if it was taken from the memo.
    pub(super) fn resolve(&self, id: Id) -> Id {
        let node = self.node(id);
        if is_get(node.code) && !node.is_changed { node.first } else { id }
    }

    /// The parts of a whole, in their order.
    pub(super) fn parts(&self, id: Id) -> Parts<'a> {
        let node = self.node(id);
        Parts { message: *self, next: if is_get(node.code) { NONE } else { node.first } }
    }

    /// The opcode that makes it and what follows it, for what is made by one opcode.
    pub(super) fn input(&self, id: Id) -> Input<'a> {
        Input::new(&self.bytes[self.node(id).start as usize + 1..])
    }

    /// The bytes of a str of the binary forms.
    pub(super) fn text(&self, id: Id) -> Option<&'a [u8]> {
        let id = self.resolve(id);
        let mut input = self.input(id);
        match self.node(id).code {
            op::SHORT_BINUNICODE => input.counted::<1>(),
            op::BINUNICODE => input.counted::<4>(),
            op::BINUNICODE8 => input.counted::<8>(),
            _ => return None,
        }
        .ok()
    }

    /// The text of a str of the binary forms, as every CPython from 3.0 on writes names.
    pub(super) fn name(&self, id: Id) -> Option<&'a str> {
        str::from_utf8(self.text(id)?).ok()
    }

    /// The parts of a tuple.
    pub(super) fn tuple(&self, id: Id) -> Option<Parts<'a>> {
        let id = self.resolve(id);
        let node = self.node(id);
        (is_tuple(node.code) && !node.is_changed).then(|| self.parts(id))
    }

    /// Module and name of a class or function.
    pub(super) fn class(&self, id: Id) -> Option<(&'a str, &'a str)> {
        let id = self.resolve(id);
        match self.node(id).code {
            op::STACK_GLOBAL => {
                let mut parts = self.parts(id);
                Some((self.name(parts.next()?)?, self.name(parts.next()?)?))
            }
            op::GLOBAL => {
                let mut input = self.input(id);
                let (module, name) = (input.line().ok()?, input.line().ok()?);
                Some((str::from_utf8(module).ok()?, str::from_utf8(name).ok()?))
            }
            _ => None,
        }
    }

    /// The events in what makes an object.
    pub(super) fn events_of(&self, id: Id) -> &'a [Event] {
        let node = self.node(id);
        let first = self.events.partition_point(|event| event.at < node.start);
        let last = self.events.partition_point(|event| event.at < node.end);
        &self.events[first..last]
    }

    pub(super) fn malformed(&self, id: Id, reason: &'static str) -> Error {
        Error::Malformed { at: self.node(id).start as usize, reason }
    }
}

/// See [`Message::parts`].
#[derive(Clone, Debug)]
pub(super) struct Parts<'a> {
    message: Message<'a>,
    next: Id,
}

impl Iterator for Parts<'_> {
    type Item = Id;

    fn next(&mut self) -> Option<Id> {
        if self.next == NONE {
            return None;
        }
        let id = self.next;
        self.next = self.message.node(id).next;
        Some(id)
    }
}

pub(super) fn is_get(code: u8) -> bool {
    matches!(code, op::GET | op::BINGET | op::LONG_BINGET)
}

pub(super) fn is_tuple(code: u8) -> bool {
    matches!(code, op::TUPLE | op::EMPTY_TUPLE | op::TUPLE1 | op::TUPLE2 | op::TUPLE3)
}

pub(super) fn is_list(code: u8) -> bool {
    matches!(code, op::LIST | op::EMPTY_LIST)
}

pub(super) fn is_dict(code: u8) -> bool {
    matches!(code, op::DICT | op::EMPTY_DICT)
}

/// Whether it is an object of a class, which takes anything in its own way.
pub(super) fn is_object(code: u8) -> bool {
    matches!(
        code,
        op::REDUCE
            | op::NEWOBJ
            | op::NEWOBJ_EX
            | op::INST
            | op::OBJ
            | op::PERSID
            | op::BINPERSID
            | op::EXT1
            | op::EXT2
            | op::EXT4
            | op::GLOBAL
            | op::STACK_GLOBAL
    )
}
