//! The one pass over a message: the stack machine of pickle, with places on its stack instead of objects.

use super::node::{Event, Id, Message, NONE, Node, is_dict, is_get, is_list, is_object};
use super::{Error, Reply, Request};
use crate::pickle::input::{Input, Wrong};
use crate::pickle::memo::Memo;
use crate::pickle::op;

/// Looks through messages. It keeps its memory from one to the next, and a message borrows it.
///
/// The pass takes time and memory in proportion to the bytes, whatever is in them, and never recurses.
///
/// # Examples
/// ```
/// use procession_wire::message::{Call, Scanner};
///
/// let mut bytes = Vec::new();
/// Call::new(&mut bytes, Some("7f01"), "put").arg(&5_u8.into()).kwd("timeout", &0.5.into()).end();
/// let mut scanner = Scanner::new();
/// let request = scanner.request(&bytes)?;
/// assert_eq!((request.ident, request.method), (Some("7f01"), "put"));
/// assert_eq!(request.args[0].value()?.as_int(), Some(5));
/// assert_eq!(request.kwds[0].0, "timeout");
/// # Ok::<(), procession_wire::message::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Scanner {
    nodes: Vec<Node>,
    events: Vec<Event>,
    stack: Vec<Id>,
    /// How high the stack was at each mark, and where the mark was set.
    marks: Vec<(u32, u32)>,
    memo: Memo<Id>,
    protocol: u8,
    names_classes: bool,
    names_tokens: bool,
}

/// Memory for more nodes, events or marks than this is not kept for the next message. The stack holds nodes, the memo has events.
const KEPT: usize = 1 << 12;

const NOTHING: Wrong = "too little is on the stack";
const CONTAINER: Wrong = "nothing can be added to what is on the stack";

impl Scanner {
    /// With no memory yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks through a request.
    ///
    /// # Errors
    /// If the bytes are no pickle, or no request.
    pub fn request<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Request<'a>, Error> {
        let root = self.scan(bytes)?;
        Request::of(self.message(bytes), root)
    }

    /// Looks through a reply.
    ///
    /// # Errors
    /// If the bytes are no pickle, or no reply.
    pub fn reply<'a>(&'a mut self, bytes: &'a [u8]) -> Result<Reply<'a>, Error> {
        let root = self.scan(bytes)?;
        Reply::of(self.message(bytes), root)
    }

    pub(super) fn message<'a>(&'a self, bytes: &'a [u8]) -> Message<'a> {
        Message {
            bytes,
            nodes: &self.nodes,
            events: &self.events,
            names_tokens: self.names_tokens,
            is_of_python_2: self.names_classes && self.protocol < 3,
        }
    }

    fn reset(&mut self) {
        let most = self.nodes.capacity().max(self.events.capacity()).max(self.marks.capacity());
        if most > KEPT {
            *self = Self::default();
        }
        self.nodes.clear();
        self.events.clear();
        self.stack.clear();
        self.marks.clear();
        self.memo.clear();
        (self.protocol, self.names_classes, self.names_tokens) = (0, false, false);
    }

    /// Looks through a pickle; which node is its value.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<Id, Error> {
        self.reset();
        if u32::try_from(bytes.len()).is_err() {
            return Err(Error::Limit("a message has to be shorter than 4 GiB"));
        }
        let mut input = Input::new(bytes);
        loop {
            let at = input.at();
            let wrong = |reason| Error::Malformed { at, reason };
            let code = input.byte().map_err(wrong)?;
            if code == op::STOP {
                let root = self.pop().map_err(wrong)?;
                if !self.stack.is_empty() || !self.marks.is_empty() {
                    return Err(wrong("more than one value is on the stack"));
                }
                if input.at() < bytes.len() {
                    return Err(wrong("bytes are left over behind the end"));
                }
                return Ok(root);
            }
            self.step(code, at as u32, &mut input, bytes).map_err(wrong)?;
        }
    }

    fn step(
        &mut self,
        code: u8,
        at: u32,
        input: &mut Input<'_>,
        bytes: &[u8],
    ) -> Result<(), Wrong> {
        match code {
            op::NONE
            | op::NEWTRUE
            | op::NEWFALSE
            | op::EMPTY_TUPLE
            | op::EMPTY_LIST
            | op::EMPTY_DICT
            | op::EMPTY_SET => {}
            op::BININT1 | op::EXT1 => drop(input.array::<1>()?),
            op::BININT2 | op::EXT2 => drop(input.array::<2>()?),
            op::BININT | op::EXT4 => drop(input.array::<4>()?),
            op::BINFLOAT => drop(input.array::<8>()?),
            op::SHORT_BINUNICODE | op::SHORT_BINBYTES | op::SHORT_BINSTRING | op::LONG1 => {
                input.counted::<1>()?;
            }
            op::BINUNICODE | op::BINBYTES | op::BINSTRING | op::LONG4 => {
                input.counted::<4>()?;
            }
            op::BINUNICODE8 | op::BINBYTES8 | op::BYTEARRAY8 => {
                input.counted::<8>()?;
            }
            op::INT | op::LONG | op::FLOAT | op::UNICODE | op::STRING | op::PERSID => {
                input.line()?;
            }
            op::GLOBAL => {
                let (module, name) = (input.line()?, input.line()?);
                self.name(is_token(module, name));
            }
            _ => return self.act(code, at, input, bytes),
        }
        self.push(code, at, input.at());
        Ok(())
    }

    /// Carries out an opcode that does more than push a constant.
    fn act(&mut self, code: u8, at: u32, input: &mut Input<'_>, bytes: &[u8]) -> Result<(), Wrong> {
        match code {
            op::PROTO => {
                self.protocol = input.byte()?;
                if self.protocol > 5 {
                    return Err("the protocol is not known");
                }
                self.event(at, NONE);
            }
            op::FRAME => {
                input.array::<8>()?;
                self.event(at, NONE);
            }
            op::MARK => self.marks.push((self.stack.len() as u32, at)),
            op::POP if self.marks.last().is_some_and(|mark| mark.0 == self.stack.len() as u32) => {
                self.marks.pop();
            }
            op::POP => drop(self.pop()?),
            op::POP_MARK => {
                let (height, _) = self.mark()?;
                self.stack.truncate(height);
            }
            op::DUP => return Err("no pickler writes DUP, and it is not read"),
            op::GET | op::BINGET | op::LONG_BINGET => {
                let index = input.index(code)?;
                let taken = self.memo.get(index).ok_or("nothing is remembered under that")?;
                self.nodes[taken as usize].is_used = true;
                self.event(at, taken);
                self.push(code, at, input.at());
                if let Some(node) = self.nodes.last_mut() {
                    node.first = taken;
                }
            }
            op::MEMOIZE | op::PUT | op::BINPUT | op::LONG_BINPUT => {
                let id = self.top()?;
                let node = &mut self.nodes[id as usize];
                let known = if is_get(node.code) { node.first } else { id };
                match code {
                    op::MEMOIZE => self.memo.push(known),
                    _ => self.memo.put(input.index(code)?, known),
                }
                node.end = input.at() as u32;
                self.event(at, known);
            }
            op::TUPLE1 => self.collect(code, 1, input)?,
            op::TUPLE2 | op::NEWOBJ | op::REDUCE => self.collect(code, 2, input)?,
            op::TUPLE3 | op::NEWOBJ_EX => self.collect(code, 3, input)?,
            op::BINPERSID => self.collect(code, 1, input)?,
            op::STACK_GLOBAL => {
                self.collect(code, 2, input)?;
                self.name(self.is_token(bytes));
            }
            op::TUPLE | op::LIST | op::DICT | op::FROZENSET | op::OBJ => {
                let (height, start) = self.mark()?;
                self.whole(code, height, start, input);
            }
            op::INST => {
                let (module, name) = (input.line()?, input.line()?);
                self.name(is_token(module, name));
                let (height, start) = self.mark()?;
                self.whole(code, height, start, input);
            }
            op::APPEND | op::BUILD => self.add(code, self.height(1)?, input)?,
            op::SETITEM => self.add(code, self.height(2)?, input)?,
            op::APPENDS | op::SETITEMS | op::ADDITEMS => {
                let (height, _) = self.mark()?;
                self.add(code, height, input)?;
            }
            op::READONLY_BUFFER => {
                let id = self.top()?;
                self.nodes[id as usize].end = input.at() as u32;
            }
            op::NEXT_BUFFER => return Err("an out-of-band buffer is not in the message"),
            _ => return Err("the opcode is not known"),
        }
        Ok(())
    }

    /// A class is named.
    fn name(&mut self, is_token: bool) {
        self.names_classes = true;
        self.names_tokens |= is_token;
    }

    fn event(&mut self, at: u32, node: Id) {
        self.events.push(Event { at, node });
    }

    #[inline]
    fn push(&mut self, code: u8, start: u32, end: usize) {
        let id = self.nodes.len() as Id;
        self.stack.push(id);
        self.nodes.push(Node {
            code,
            is_used: false,
            is_changed: false,
            start,
            end: end as u32,
            first: NONE,
            last: NONE,
            next: NONE,
        });
    }

    /// How low the stack must not get: to the last mark.
    fn floor(&self) -> usize {
        self.marks.last().map_or(0, |mark| mark.0 as usize)
    }

    fn top(&self) -> Result<Id, Wrong> {
        self.height(1).map(|height| self.stack[height])
    }

    fn pop(&mut self) -> Result<Id, Wrong> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// How high the stack is below the top `count` values.
    fn height(&self, count: usize) -> Result<usize, Wrong> {
        let height = self.stack.len().checked_sub(count).ok_or(NOTHING)?;
        if height < self.floor() { Err(NOTHING) } else { Ok(height) }
    }

    /// Takes the last mark away.
    fn mark(&mut self) -> Result<(usize, u32), Wrong> {
        let (height, at) = self.marks.pop().ok_or("no mark was set")?;
        Ok((height as usize, at))
    }

    /// Makes one value of the top `count`.
    fn collect(&mut self, code: u8, count: usize, input: &Input<'_>) -> Result<(), Wrong> {
        let height = self.height(count)?;
        let start = self.nodes[self.stack[height] as usize].start;
        self.whole(code, height, start, input);
        Ok(())
    }

    /// Makes one value of all above `height`.
    fn whole(&mut self, code: u8, height: usize, start: u32, input: &Input<'_>) {
        let id = self.nodes.len() as Id;
        let (first, last) = self.link(height);
        self.push(code, start, input.at());
        let node = &mut self.nodes[id as usize];
        (node.first, node.last) = (first, last);
    }

    /// Takes all above `height` off the stack, as the parts of one whole: the first and the last.
    fn link(&mut self, height: usize) -> (Id, Id) {
        let parts = &self.stack[height..];
        for pair in parts.windows(2) {
            self.nodes[pair[0] as usize].next = pair[1];
        }
        let ends = (parts.first(), parts.last());
        let ends = (ends.0.copied().unwrap_or(NONE), ends.1.copied().unwrap_or(NONE));
        self.stack.truncate(height);
        ends
    }

    /// Adds all above `height` to what is below.
    fn add(&mut self, code: u8, height: usize, input: &Input<'_>) -> Result<(), Wrong> {
        if height == self.floor() {
            return Err(NOTHING);
        }
        let into = self.stack[height - 1];
        let count = self.stack.len() - height;
        if matches!(code, op::SETITEM | op::SETITEMS) && count % 2 == 1 {
            return Err("a key without a value");
        }
        let (first, last) = self.link(height);
        let target = &mut self.nodes[into as usize];
        target.end = input.at() as u32;
        let is_plain = match code {
            op::APPEND | op::APPENDS => is_list(target.code),
            op::SETITEM | op::SETITEMS => is_dict(target.code),
            op::ADDITEMS => target.code == op::EMPTY_SET,
            _ => false,
        };
        if is_plain {
            self.attach(into, first, last);
        } else if is_object(target.code) {
            // What is put into an object is a part by itself, under the opcode that puts it there.
            let group = self.nodes.len() as Id;
            self.push(code, input.at() as u32, input.at());
            self.stack.pop();
            let node = &mut self.nodes[group as usize];
            (node.first, node.last) = (first, last);
            self.attach(into, group, group);
        } else if is_get(target.code) || code == op::BUILD {
            target.is_changed = true;
        } else {
            return Err(CONTAINER);
        }
        Ok(())
    }

    /// Appends parts, which hang together, to those of a whole.
    fn attach(&mut self, whole: Id, first: Id, last: Id) {
        if first == NONE {
            return;
        }
        let node = &mut self.nodes[whole as usize];
        let before = std::mem::replace(&mut node.last, last);
        if before == NONE {
            node.first = first;
        } else {
            self.nodes[before as usize].next = first;
        }
    }

    /// Whether the class on the top of the stack is that of tokens.
    fn is_token(&self, bytes: &[u8]) -> bool {
        let message = self.message(bytes);
        let Some(&id) = self.stack.last() else { return false };
        let mut parts = message.parts(id).map(|part| message.text(part));
        matches!((parts.next(), parts.next()), (Some(Some(module)), Some(Some(name))) if is_token(module, name))
    }
}

fn is_token(module: &[u8], name: &[u8]) -> bool {
    module == super::token::MODULE.as_bytes() && name == super::token::NAME.as_bytes()
}
