//! Taking an object out of a message, with what it refers to.
//!
//! What lies between the object's first opcode and its last is copied, without frames and without what is remembered for
//! nothing. What it takes from the memo may have been made outside of it: by an argument before, by the list of which it is an
//! element. That is made first, remembered and dropped, as a pickler would do that met it earlier.
//!
//! Places nest: of two objects one lies in the other, or they are apart. What an object refers to and does not contain begins
//! before it. So making it first comes to an end.

use super::node::{Event, Id, Message, is_get};
use super::{Error, Payload};
use crate::payload::Builder;
use crate::pickle::op;
use std::collections::{BTreeMap, HashMap};

/// How often the events of a message may be gone through for one object. Each object that has to be made first is gone
/// through once; picklers write few of them in each other, and a message that was made to cost much may have many.
const ROUNDS: usize = 64;
/// So many are always allowed.
const LEAST: usize = 1 << 12;

const TANGLED: Error = Error::Limit("an argument refers to others in a way that no pickler writes");

const OLD: Error =
    Error::Limit("below protocol 3 a pickle names classes as in Python 2; use a newer protocol");

/// The object by itself.
pub(super) fn payload(message: Message<'_>, id: Id) -> Result<Payload, Error> {
    if message.is_of_python_2 {
        return Err(OLD);
    }
    let id = message.resolve(id);
    let node = message.node(id);
    let length = (node.end - node.start) as usize;
    let mut cut = Cut {
        message,
        to: Builder::new(length),
        root: None,
        numbers: HashMap::new(),
        made: BTreeMap::new(),
        left: ROUNDS * message.events.len() + LEAST,
    };
    match opcodes(message, id) {
        Some(opcodes) => cut.to.copy(opcodes),
        None => cut.all(id)?,
    }
    Ok(cut.to.end(message.names_tokens))
}

/// What makes the object, if it uses no memo and lies in no frames of its own: it needs no cutting.
pub(super) fn opcodes(message: Message<'_>, id: Id) -> Option<&[u8]> {
    let id = message.resolve(id);
    let node = message.node(id);
    let is_simple = message.events_of(id).is_empty();
    is_simple.then(|| &message.bytes[node.start as usize..node.end as usize])
}

struct Cut<'a> {
    message: Message<'a>,
    to: Builder,
    /// The object, if it refers to something outside: that may refer back to it.
    root: Option<Id>,
    /// What is remembered, and under which number.
    numbers: HashMap<Id, u32>,
    /// What was made so far and is remembered, by the place where it begins.
    made: BTreeMap<u32, Id>,
    /// How many events may still be gone through.
    left: usize,
}

enum Task {
    /// Push it; what it refers to outside comes before.
    Make(Id),
    /// The same, and drop it: it is to be remembered.
    Remember(Id),
    /// Push it; all that it refers to is there.
    Copy(Id),
    /// Drop the top value.
    Pop,
}

impl<'a> Cut<'a> {
    fn all(&mut self, id: Id) -> Result<(), Error> {
        let mut tasks = vec![Task::Make(id)];
        while let Some(task) = tasks.pop() {
            match task {
                Task::Remember(id) if self.numbers.contains_key(&id) => {}
                Task::Remember(id) => tasks.extend([Task::Pop, Task::Make(id)]),
                Task::Make(id) => {
                    tasks.push(Task::Copy(id));
                    let before = tasks.len();
                    self.outside(id, &mut tasks)?;
                    if tasks.len() > before {
                        self.root.get_or_insert(id);
                        tasks[before..].reverse();
                    }
                }
                Task::Copy(id) => self.copy(id)?,
                Task::Pop => self.to.pop(),
            }
        }
        Ok(())
    }

    /// What an object takes from the memo that was made outside of it.
    fn outside(&mut self, id: Id, tasks: &mut Vec<Task>) -> Result<(), Error> {
        let node = self.message.node(id);
        let events = self.message.events_of(id);
        self.left = self.left.checked_sub(events.len()).ok_or(TANGLED)?;
        for event in events {
            if !is_get(self.message.bytes[event.at as usize])
                || self.numbers.contains_key(&event.node)
            {
                continue;
            }
            let taken = self.message.node(event.node);
            if taken.start < node.start || taken.end > node.end {
                if taken.start > node.start {
                    // It begins in the object and ends behind it, so it was changed from elsewhere.
                    return Err(TANGLED);
                }
                tasks.push(Task::Remember(event.node));
            }
        }
        Ok(())
    }

    /// Pushes an object of which all that it refers to is remembered, or is in it.
    fn copy(&mut self, id: Id) -> Result<(), Error> {
        if let Some(number) = self.numbers.get(&id) {
            // It was in what it refers to.
            self.to.get(*number);
            return Ok(());
        }
        let node = self.message.node(id);
        let bytes = self.message.bytes;
        let mut from = node.start;
        let mut events = self.message.events_of(id);
        while let Some((event, rest)) = events.split_first() {
            if let Some(made) = self.made_between(from, event.at) {
                let whole = self.message.node(made);
                self.to.copy(&bytes[from as usize..whole.start as usize]);
                self.to.get(self.numbers[&made]);
                from = whole.end;
                events = &events[events.partition_point(|event| event.at < from)..];
                continue;
            }
            self.to.copy(&bytes[from as usize..event.at as usize]);
            from = self.event(event)?;
            events = rest;
        }
        self.to.copy(&bytes[from as usize..node.end as usize]);
        if self.numbers.contains_key(&id) {
            self.made.insert(node.start, id);
        }
        Ok(())
    }

    /// Something that was made already and begins between these places, the second one included.
    fn made_between(&self, from: u32, to: u32) -> Option<Id> {
        if self.made.is_empty() {
            return None;
        }
        self.made.range(from..=to).next().map(|(_, id)| *id)
    }

    /// What an event becomes; where it ends.
    fn event(&mut self, event: &Event) -> Result<u32, Error> {
        let code = self.message.bytes[event.at as usize];
        let length = match code {
            op::FRAME => 9,
            op::LONG_BINGET | op::LONG_BINPUT => 5,
            op::PROTO | op::BINGET | op::BINPUT => 2,
            op::MEMOIZE => 1,
            _ => {
                let rest = &self.message.bytes[event.at as usize..];
                rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1)
            }
        };
        if is_get(code) {
            self.to.get(*self.numbers.get(&event.node).ok_or(TANGLED)?);
        } else if !matches!(code, op::FRAME | op::PROTO) && self.is_wanted(event.node) {
            let number = self.to.memoize();
            self.numbers.insert(event.node, number);
        }
        Ok(event.at + length as u32)
    }

    /// Whether an object has to be remembered here.
    fn is_wanted(&self, id: Id) -> bool {
        (self.message.node(id).is_used || Some(id) == self.root) && !self.numbers.contains_key(&id)
    }
}
