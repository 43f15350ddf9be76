//! The stack machine that a pickle is a program for.
//!
//! One pass over the bytes. No length in them is believed before that many bytes are there, and
//! each opcode adds one value at most, so what is allocated is a fixed multiple of the pickle.
//! Nothing is called: what calling a class would make is an object of that class, which keeps its
//! name and nothing else. The few calls by which the older protocols write bytes and sets are known.

use super::Error;
use super::input::{Input, NUMBER, Wrong, parse};
use super::memo::Memo;
use super::op;
use super::tree::{Tree, Value};

/// The tree that the pickle makes, and its root.
///
/// # Errors
/// If the bytes are no pickle, or more than one.
pub(super) fn run(pickle: &[u8]) -> Result<(Tree<'_>, Value<'_>), Error> {
    let mut machine = Machine::new(pickle);
    loop {
        let at = machine.input.at();
        let wrong = |reason| Error::malformed(at, reason);
        let code = machine.input.byte().map_err(wrong)?;
        if code == op::STOP {
            let root = machine.pop().map_err(wrong)?;
            return match pickle.len() - machine.input.at() {
                0 => Ok((machine.tree, root)),
                more => Err(Error::new(format!("{more} bytes are left over"))),
            };
        }
        machine.step(code).map_err(wrong)?;
    }
}

/// The same for the opcodes of one value alone, a part of a pickle.
///
/// # Errors
/// If they make no value.
pub(super) fn run_opcodes(opcodes: &[u8]) -> Result<(Tree<'_>, Value<'_>), Error> {
    let mut machine = Machine::new(opcodes);
    while machine.input.at() < opcodes.len() {
        let at = machine.input.at();
        let step = machine.input.byte().and_then(|code| machine.step(code));
        step.map_err(|reason| Error::malformed(at, reason))?;
    }
    let root = machine.pop().map_err(|reason| Error::malformed(opcodes.len(), reason))?;
    Ok((machine.tree, root))
}

struct Machine<'a> {
    input: Input<'a>,
    stack: Vec<Value<'a>>,
    /// How high the stack was at each mark.
    marks: Vec<usize>,
    memo: Memo<Value<'a>>,
    tree: Tree<'a>,
}

impl<'a> Machine<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            input: Input::new(bytes),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            tree: Tree::default(),
        }
    }

    fn step(&mut self, code: u8) -> Result<(), Wrong> {
        match code {
            op::PROTO if self.input.byte()? > 5 => return Err("the protocol is not known"),
            op::PROTO | op::READONLY_BUFFER => {}
            op::FRAME => drop(self.input.array::<8>()?),
            op::MARK => self.marks.push(self.stack.len()),
            op::POP if self.marks.last() == Some(&self.stack.len()) => drop(self.marks.pop()),
            op::POP => drop(self.pop()?),
            op::POP_MARK => {
                let mark = self.mark()?;
                self.stack.truncate(mark);
            }
            op::DUP => self.stack.push(self.top()?),
            op::GET | op::BINGET | op::LONG_BINGET => {
                let index = self.input.index(code)?;
                self.stack.push(self.memo.get(index).ok_or("nothing is remembered under that")?);
            }
            op::PUT | op::BINPUT | op::LONG_BINPUT => {
                let index = self.input.index(code)?;
                self.memo.put(index, self.top()?);
            }
            op::MEMOIZE => self.memo.push(self.top()?),
            op::APPEND => self.append()?,
            op::APPENDS => self.extend(|into| matches!(into, Value::List(_)))?,
            op::ADDITEMS => self.extend(|into| matches!(into, Value::Set(_)))?,
            op::SETITEM => self.set_item()?,
            op::SETITEMS => self.extend(|into| matches!(into, Value::Dict(_)))?,
            op::BUILD => drop(self.pop()?),
            _ => {
                let value = self.value(code)?;
                self.stack.push(value);
            }
        }
        Ok(())
    }

    /// The value that an opcode makes.
    fn value(&mut self, code: u8) -> Result<Value<'a>, Wrong> {
        let input = &mut self.input;
        Ok(match code {
            op::NONE => Value::None,
            op::NEWTRUE => Value::Bool(true),
            op::NEWFALSE => Value::Bool(false),
            op::BININT1 => Value::Int(i64::from(input.byte()?)),
            op::BININT2 => Value::Int(i64::from(u16::from_le_bytes(input.array()?))),
            op::BININT => Value::Int(i64::from(i32::from_le_bytes(input.array()?))),
            op::LONG1 => Value::Long(input.counted::<1>()?),
            op::LONG4 => Value::Long(input.counted::<4>()?),
            op::INT => int(input.line()?)?,
            op::LONG => digits(input.line()?)?,
            op::FLOAT => float(input.line()?)?,
            op::BINFLOAT => Value::Float(f64::from_be_bytes(input.array()?)),
            op::UNICODE => Value::Escaped(input.line()?),
            op::SHORT_BINUNICODE => Value::Text(input.counted::<1>()?),
            op::BINUNICODE => Value::Text(input.counted::<4>()?),
            op::BINUNICODE8 => Value::Text(input.counted::<8>()?),
            op::SHORT_BINBYTES => Value::Bytes(input.counted::<1>()?),
            op::BINBYTES => Value::Bytes(input.counted::<4>()?),
            op::BINBYTES8 | op::BYTEARRAY8 => Value::Bytes(input.counted::<8>()?),
            op::STRING => foreign(input.line()?, PYTHON_2),
            op::SHORT_BINSTRING => foreign(input.counted::<1>()?, PYTHON_2),
            op::BINSTRING => foreign(input.counted::<4>()?, PYTHON_2),
            op::EMPTY_LIST => Value::List(self.tree.add(Vec::new())),
            op::EMPTY_DICT => Value::Dict(self.tree.add(Vec::new())),
            op::EMPTY_SET => Value::Set(self.tree.add(Vec::new())),
            op::EMPTY_TUPLE => Value::Tuple(self.tree.add(Vec::new())),
            op::TUPLE1 => Value::Tuple(self.pop_into(1)?),
            op::TUPLE2 => Value::Tuple(self.pop_into(2)?),
            op::TUPLE3 => Value::Tuple(self.pop_into(3)?),
            op::LIST => Value::List(self.pop_marked()?),
            op::TUPLE => Value::Tuple(self.pop_marked()?),
            op::FROZENSET => Value::Set(self.pop_marked()?),
            op::DICT => {
                let parts = self.pop_marked()?;
                pairs(self.tree.parts(parts).len())?;
                Value::Dict(parts)
            }
            _ => return self.object(code),
        })
    }

    /// What an opcode makes that names classes, or calls them.
    fn object(&mut self, code: u8) -> Result<Value<'a>, Wrong> {
        Ok(match code {
            op::GLOBAL => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                self.tree.add_class(module, name)
            }
            op::STACK_GLOBAL => match (self.pop()?, self.pop()?) {
                (Value::Text(name), Value::Text(module)) => self.tree.add_class(module, name),
                _ => return Err("a class is named by two str"),
            },
            op::INST => {
                let (module, name) = (self.input.line()?, self.input.line()?);
                let mark = self.mark()?;
                self.stack.truncate(mark);
                self.tree.add_class(module, name).made()
            }
            op::OBJ => {
                let mark = self.mark()?;
                let class = self.stack.get(mark).copied().ok_or("no class is above the mark")?;
                self.stack.truncate(mark);
                class.made()
            }
            op::REDUCE => {
                let arguments = self.pop()?;
                let callable = self.pop()?;
                self.known_call(callable, arguments).unwrap_or(callable.made())
            }
            op::NEWOBJ => {
                self.pop()?;
                self.pop()?.made()
            }
            op::NEWOBJ_EX => {
                self.pop()?;
                self.pop()?;
                self.pop()?.made()
            }
            op::PERSID => {
                let id = Value::Text(self.input.line()?);
                Value::Persistent(self.tree.add(vec![id]))
            }
            op::BINPERSID => Value::Persistent(self.pop_into(1)?),
            op::EXT1 => foreign(self.input.array::<1>()?, EXTENSION),
            op::EXT2 => foreign(self.input.array::<2>()?, EXTENSION),
            op::EXT4 => foreign(self.input.array::<4>()?, EXTENSION),
            op::NEXT_BUFFER => Value::Foreign("an out-of-band buffer"),
            _ => return Err("the opcode is not known"),
        })
    }

    /// What these calls give, by which protocols below 5 write bytes, bytearrays and sets.
    fn known_call(&mut self, callable: Value<'a>, arguments: Value<'a>) -> Option<Value<'a>> {
        let (Value::Class(class), Value::Tuple(arguments)) = (callable, arguments) else {
            return None;
        };
        let arguments = self.tree.parts(arguments);
        match self.tree.class(class) {
            (b"_codecs", b"encode") => match *arguments {
                [text, encoding] if is_latin(encoding) => text.as_latin(),
                _ => None,
            },
            (b"builtins" | b"__builtin__", b"bytes" | b"bytearray") => match *arguments {
                [] => Some(Value::Bytes(&[])),
                [text, encoding] if is_latin(encoding) => text.as_latin(),
                [bytes] if bytes.is_bytes() => Some(bytes),
                _ => None,
            },
            (b"builtins" | b"__builtin__", b"set" | b"frozenset") => match *arguments {
                [] => Some(Value::Set(self.tree.add(Vec::new()))),
                [Value::List(parts)] => Some(Value::Set(parts)),
                _ => None,
            },
            _ => None,
        }
    }

    /// How low the stack must not get: to the last mark.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn top(&self) -> Result<Value<'a>, Wrong> {
        self.stack[self.floor()..].last().copied().ok_or(NOTHING)
    }

    fn pop(&mut self) -> Result<Value<'a>, Wrong> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    fn mark(&mut self) -> Result<usize, Wrong> {
        self.marks.pop().ok_or("no mark was set")
    }

    /// Takes the top `count` values off the stack, as parts.
    fn pop_into(&mut self, count: usize) -> Result<usize, Wrong> {
        let at = self.stack.len() - self.floor();
        let at = self.floor() + at.checked_sub(count).ok_or(NOTHING)?;
        let parts = self.stack.split_off(at);
        Ok(self.tree.add(parts))
    }

    /// Takes what is above the mark off the stack, as parts.
    fn pop_marked(&mut self) -> Result<usize, Wrong> {
        let mark = self.mark()?;
        let parts = self.stack.split_off(mark);
        Ok(self.tree.add(parts))
    }

    fn append(&mut self) -> Result<(), Wrong> {
        let item = self.pop()?;
        match self.top()? {
            Value::List(parts) => self.tree.parts_mut(parts).push(item),
            Value::Object(_) | Value::Foreign(_) => {}
            _ => return Err(CONTAINER),
        }
        Ok(())
    }

    fn set_item(&mut self) -> Result<(), Wrong> {
        let value = self.pop()?;
        let key = self.pop()?;
        match self.top()? {
            Value::Dict(parts) => self.tree.parts_mut(parts).extend([key, value]),
            Value::Object(_) | Value::Foreign(_) => {}
            _ => return Err(CONTAINER),
        }
        Ok(())
    }

    /// Adds what is above the mark to the container below it.
    fn extend(&mut self, fits: fn(Value<'_>) -> bool) -> Result<(), Wrong> {
        let mark = self.mark()?;
        let into = self.stack[self.floor()..mark].last().copied().ok_or(NOTHING)?;
        match into {
            Value::List(parts) | Value::Set(parts) | Value::Dict(parts) if fits(into) => {
                if matches!(into, Value::Dict(_)) {
                    pairs(self.stack.len() - mark)?;
                }
                self.tree.parts_mut(parts).extend(self.stack.drain(mark..));
            }
            Value::Object(_) | Value::Foreign(_) => self.stack.truncate(mark),
            _ => return Err(CONTAINER),
        }
        Ok(())
    }
}

const NOTHING: Wrong = "too little is on the stack";
const CONTAINER: Wrong = "nothing can be added to what is on the stack";
const PYTHON_2: &str = "a str of Python 2";
const EXTENSION: &str = "an object of a registered extension";

/// Something that is read past.
fn foreign<T>(_: T, what: &'static str) -> Value<'static> {
    Value::Foreign(what)
}

fn pairs(count: usize) -> Result<(), Wrong> {
    if count.is_multiple_of(2) { Ok(()) } else { Err("a key without a value") }
}

fn int(line: &[u8]) -> Result<Value<'_>, Wrong> {
    match line {
        b"00" => Ok(Value::Bool(false)),
        b"01" => Ok(Value::Bool(true)),
        _ => digits(line),
    }
}

fn digits(line: &[u8]) -> Result<Value<'_>, Wrong> {
    let line = line.strip_suffix(b"L").unwrap_or(line);
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(NUMBER);
    }
    Ok(parse(line).map_or(Value::Digits(line), Value::Int))
}

fn float(line: &[u8]) -> Result<Value<'_>, Wrong> {
    parse(line).map(Value::Float)
}

/// Whether it is one of the names that CPython's picklers have for Latin-1.
fn is_latin(encoding: Value<'_>) -> bool {
    matches!(encoding, Value::Text(b"latin1" | b"latin-1") | Value::Escaped(b"latin1" | b"latin-1"))
}

impl<'a> Value<'a> {
    /// What calling this makes.
    fn made(self) -> Self {
        match self {
            Self::Class(class) | Self::Object(class) => Self::Object(class),
            _ => Self::Foreign("what a call returns"),
        }
    }

    fn as_latin(self) -> Option<Self> {
        match self {
            Self::Text(bytes) => Some(Self::Latin(bytes)),
            Self::Escaped(bytes) => Some(Self::EscapedLatin(bytes)),
            _ => None,
        }
    }
}
