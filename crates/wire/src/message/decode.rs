//! An object in a message as a value.

use super::Error;
use super::node::{Id, Message, Node, is_dict, is_list, is_tuple};
use crate::pickle::input::{Input, parse};
use crate::pickle::{DEPTH, op};
use crate::value::{Class, Object, Value};
use std::collections::{HashMap, HashSet};

/// What a value costs, its text apart.
const COST: u64 = 64;
/// What the values may come to for each byte of a message.
const PER_BYTE: u64 = 64;
/// What they may always come to.
const LEAST: u64 = 16 << 20;

const DEEP: Error = Error::Limit("it is nested deeper than 128, or contains itself");
const OFTEN: Error = Error::Limit("it refers to its parts too often");

/// Makes values of one message.
pub(super) struct Decode<'a> {
    message: Message<'a>,
    /// Whether objects of classes are data too.
    objects: bool,
    depth: usize,
    left: u64,
}

impl<'a> Decode<'a> {
    /// Of plain data.
    pub(super) fn plain(message: Message<'a>) -> Self {
        let left = LEAST + PER_BYTE * message.bytes.len() as u64;
        Self { message, objects: false, depth: 0, left }
    }

    /// Of plain data, with objects of classes described.
    pub(super) fn objects(message: Message<'a>) -> Self {
        Self { objects: true, ..Self::plain(message) }
    }

    /// The value of a node.
    pub(super) fn value(&mut self, id: Id) -> Result<Value, Error> {
        let id = self.message.resolve(id);
        let node = self.message.node(id);
        if node.is_changed {
            return Err(Error::Opaque("what is changed after it was made".into()));
        }
        self.charge(0)?;
        if let Some(value) = self.constant(id, node)? {
            return Ok(value);
        }
        if self.depth == DEPTH {
            return Err(DEEP);
        }
        self.depth += 1;
        let value = self.whole(id, node.code);
        self.depth -= 1;
        value
    }

    fn charge(&mut self, bytes: usize) -> Result<(), Error> {
        self.left = self.left.checked_sub(COST + bytes as u64).ok_or(OFTEN)?;
        Ok(())
    }

    /// What one opcode makes.
    fn constant(&mut self, id: Id, node: &Node) -> Result<Option<Value>, Error> {
        let mut input = self.message.input(id);
        let wrong = |reason| self.message.malformed(id, reason);
        Ok(Some(match node.code {
            op::NONE => Value::None,
            op::NEWTRUE => Value::Bool(true),
            op::NEWFALSE => Value::Bool(false),
            op::BININT1 => Value::from(input.byte().map_err(wrong)?),
            op::BININT2 => Value::from(u16::from_le_bytes(input.array().map_err(wrong)?)),
            op::BININT => Value::from(i32::from_le_bytes(input.array().map_err(wrong)?)),
            op::BINFLOAT => Value::Float(f64::from_be_bytes(input.array().map_err(wrong)?)),
            op::LONG1 | op::LONG4 => Value::int_of(self.bytes(id, &mut input, node.code)?),
            op::INT | op::LONG => decimal(input.line().map_err(wrong)?)
                .ok_or_else(|| Error::Opaque("an int of more than 128 bits as text".into()))?,
            op::FLOAT => Value::Float(parse(input.line().map_err(wrong)?).map_err(wrong)?),
            op::SHORT_BINUNICODE | op::BINUNICODE | op::BINUNICODE8 => {
                let text = self.bytes(id, &mut input, node.code)?;
                let text = str::from_utf8(text)
                    .map_err(|_| Error::Opaque("a str with a lone surrogate".into()))?;
                Value::from(text)
            }
            op::SHORT_BINBYTES | op::BINBYTES | op::BINBYTES8 => {
                Value::Bytes(self.bytes(id, &mut input, node.code)?.to_vec())
            }
            op::BYTEARRAY8 => Value::ByteArray(self.bytes(id, &mut input, node.code)?.to_vec()),
            op::EMPTY_TUPLE => Value::Tuple(Vec::new()),
            _ => return Ok(None),
        }))
    }

    /// The bytes behind their length.
    fn bytes(&mut self, id: Id, input: &mut Input<'a>, code: u8) -> Result<&'a [u8], Error> {
        let bytes = match code {
            op::LONG1 | op::SHORT_BINUNICODE | op::SHORT_BINBYTES => input.counted::<1>(),
            op::LONG4 | op::BINUNICODE | op::BINBYTES => input.counted::<4>(),
            _ => input.counted::<8>(),
        };
        let bytes = bytes.map_err(|reason| self.message.malformed(id, reason))?;
        self.charge(bytes.len())?;
        Ok(bytes)
    }

    /// What is made of parts.
    fn whole(&mut self, id: Id, code: u8) -> Result<Value, Error> {
        match code {
            _ if is_list(code) => Ok(Value::List(self.all(id)?)),
            _ if is_tuple(code) => Ok(Value::Tuple(self.all(id)?)),
            _ if is_dict(code) => Ok(Value::Dict(self.pairs(id)?)),
            op::EMPTY_SET => Ok(Value::Set(distinct(self.all(id)?))),
            op::FROZENSET => Ok(Value::FrozenSet(distinct(self.all(id)?))),
            op::REDUCE | op::NEWOBJ => self.object(id, code),
            op::GLOBAL | op::STACK_GLOBAL if self.objects => {
                let (module, name) = self.class(id)?;
                Ok(Class::new(module, name).into())
            }
            _ => Err(self.opaque(id)),
        }
    }

    fn all(&mut self, id: Id) -> Result<Vec<Value>, Error> {
        let parts = self.message.parts(id);
        parts.map(|part| self.value(part)).collect()
    }

    /// Of two values for a key the later one counts, in the place of the first.
    fn pairs(&mut self, id: Id) -> Result<Vec<(Value, Value)>, Error> {
        let mut parts = self.message.parts(id);
        let mut pairs = Vec::new();
        while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            pairs.push((self.value(key)?, self.value(value)?));
        }
        let mut places = HashMap::with_capacity(pairs.len());
        let mut kept = vec![true; pairs.len()];
        let mut later = Vec::new();
        for (place, (key, _)) in pairs.iter().enumerate() {
            if let Some(first) = places.get(key) {
                later.push((*first, place));
                kept[place] = false;
            } else {
                places.insert(key, place);
            }
        }
        drop(places);
        for (first, place) in later {
            pairs[first].1 = std::mem::replace(&mut pairs[place].1, Value::None);
        }
        let mut kept = kept.into_iter();
        pairs.retain(|_| kept.next().unwrap_or(true));
        Ok(pairs)
    }

    fn class(&self, id: Id) -> Result<(&'a str, &'a str), Error> {
        self.message.class(id).ok_or_else(|| self.opaque(id))
    }

    /// What a class makes of arguments, and what was put into it then.
    fn object(&mut self, id: Id, code: u8) -> Result<Value, Error> {
        let mut parts = self.message.parts(id);
        let (Some(callable), Some(args)) = (parts.next(), parts.next()) else {
            return Err(self.opaque(id));
        };
        let class = self.class(callable)?;
        let is_known = is_known(class) && code == op::REDUCE && parts.clone().next().is_none();
        if !self.objects && !is_known {
            return Err(self.opaque(id));
        }
        let Value::Tuple(args) = self.value(args)? else { return Err(self.opaque(id)) };
        if is_known && let Some(value) = known(class.1, &args) {
            return Ok(value);
        }
        if !self.objects {
            return Err(self.opaque(id));
        }
        let mut object = Object {
            class: Class::new(class.0, class.1),
            is_bare: code == op::NEWOBJ,
            args,
            state: None,
            items: Vec::new(),
            pairs: Vec::new(),
        };
        for group in parts {
            match self.message.node(group).code {
                op::APPEND | op::APPENDS | op::ADDITEMS => object.items.extend(self.all(group)?),
                op::SETITEM | op::SETITEMS => object.pairs.extend(self.pairs(group)?),
                _ => object.state = self.all(group)?.pop(),
            }
        }
        Ok(Value::Object(Box::new(object)))
    }

    /// It is no plain data; says what it is.
    #[cold]
    fn opaque(&self, id: Id) -> Error {
        /// Longer names are cut.
        const CHARS: usize = 100;
        let callable = self.message.parts(id).next();
        let class = self.message.class(id);
        let of_class = callable.and_then(|callable| self.message.class(callable));
        let cut = |name: &str| name.chars().take(CHARS).collect::<String>();
        Error::Opaque(match (class, of_class) {
            (Some((module, name)), _) => {
                format!("the class or function {}.{}", cut(module), cut(name))
            }
            (None, Some((module, name))) => {
                format!("an object of {}.{}", cut(module), cut(name))
            }
            (None, None) => "what it is".to_owned(),
        })
    }
}

/// `bool` as `00` and `01`, or an int, with or without an L.
fn decimal(line: &[u8]) -> Option<Value> {
    match line {
        b"00" => Some(Value::Bool(false)),
        b"01" => Some(Value::Bool(true)),
        line => parse(line.strip_suffix(b"L").unwrap_or(line)).ok().map(Value::Int),
    }
}

fn distinct(values: Vec<Value>) -> Vec<Value> {
    let mut seen = HashSet::with_capacity(values.len());
    let kept: Vec<bool> = values.iter().map(|value| seen.insert(value)).collect();
    drop(seen);
    let mut kept = kept.into_iter();
    values.into_iter().filter(|_| kept.next().unwrap_or(true)).collect()
}

/// Whether calling it makes plain data, with the right arguments.
fn is_known((module, name): (&str, &str)) -> bool {
    match module {
        "builtins" | "__builtin__" => {
            matches!(name, "slice" | "set" | "frozenset" | "bytes" | "bytearray" | "list")
        }
        "_codecs" => name == "encode",
        _ => false,
    }
}

/// What the calls give by which picklers write plain data.
fn known(name: &str, args: &[Value]) -> Option<Value> {
    let latin = |text: &str| text.chars().map(u8::try_from).collect::<Result<Vec<_>, _>>().ok();
    let is_latin = |name: &str| matches!(name, "latin1" | "latin-1");
    match (name, args) {
        ("slice", [start, stop, step]) => {
            Some(Value::Slice(Box::new([start.clone(), stop.clone(), step.clone()])))
        }
        ("set", []) => Some(Value::Set(Vec::new())),
        ("set", [Value::List(values)]) => Some(Value::Set(distinct(values.clone()))),
        ("frozenset", []) => Some(Value::FrozenSet(Vec::new())),
        ("frozenset", [Value::List(values)]) => Some(Value::FrozenSet(distinct(values.clone()))),
        ("list", []) => Some(Value::List(Vec::new())),
        ("list", [Value::List(values) | Value::Tuple(values)]) => Some(Value::List(values.clone())),
        ("bytes", []) => Some(Value::Bytes(Vec::new())),
        ("bytes", [Value::Bytes(bytes)]) => Some(Value::Bytes(bytes.clone())),
        ("bytearray", []) => Some(Value::ByteArray(Vec::new())),
        ("bytearray", [Value::Bytes(bytes)]) => Some(Value::ByteArray(bytes.clone())),
        ("bytearray", [Value::Str(text), Value::Str(encoding)]) if is_latin(encoding) => {
            latin(text).map(Value::ByteArray)
        }
        ("encode", [Value::Str(text), Value::Str(encoding)]) if is_latin(encoding) => {
            latin(text).map(Value::Bytes)
        }
        _ => None,
    }
}
