//! The tree.

use super::Large;
use crate::payload::Payload;
use crate::pickle::emit::shortest;

/// One Python value that owns everything in it.
///
/// Equality and hash are Python's: numbers are equal across their types, bytes and bytearrays are, sets and frozensets are, and
/// the order of a dict is no matter. Objects of classes, which Python would ask, are compared by what they are made of, and a
/// NaN equals itself, as the same object does in a container of Python's. Its text is Python's `repr`.
///
/// # Examples
/// ```
/// use procession_wire::value::Value;
///
/// let value = Value::List(vec![Value::from(1_usize), Value::from("it's"), Value::None]);
/// assert_eq!(value.to_string(), r#"[1, "it's", None]"#);
/// assert_eq!(Value::Bool(true), Value::Float(1.0));
/// ```
#[derive(Clone, Debug)]
pub enum Value {
    /// `None`.
    None,
    /// `bool`.
    Bool(bool),
    /// `int` of at most 128 bits.
    Int(i128),
    /// `int` of more.
    Large(Large),
    /// `float`.
    Float(f64),
    /// `str`, without lone surrogates.
    Str(String),
    /// `bytes`.
    Bytes(Vec<u8>),
    /// `bytearray`.
    ByteArray(Vec<u8>),
    /// `list`.
    List(Vec<Value>),
    /// `tuple`.
    Tuple(Vec<Value>),
    /// `set`, each member once.
    Set(Vec<Value>),
    /// `frozenset`, each member once.
    FrozenSet(Vec<Value>),
    /// `dict`, in its order, each key once.
    Dict(Vec<(Value, Value)>),
    /// `slice`: start, stop and step.
    Slice(Box<[Value; 3]>),
    /// A class or function, by its name.
    Class(Box<Class>),
    /// What a class or function makes of arguments.
    Object(Box<Object>),
    /// An object of any kind, as opaque bytes.
    Payload(Payload),
}

/// The name of a class or function. Nothing here looks it up.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Class {
    /// Its module.
    pub module: String,
    /// Its name in the module.
    pub name: String,
}

impl Class {
    /// The class of that name.
    pub fn new(module: impl Into<String>, name: impl Into<String>) -> Self {
        Self { module: module.into(), name: name.into() }
    }

    /// Whether it is that one.
    #[must_use]
    pub fn is(&self, module: &str, name: &str) -> bool {
        self.module == module && self.name == name
    }
}

/// What a class or function makes of arguments, in the parts of which Python's `__reduce__` gives it.
#[derive(Clone, Debug)]
pub struct Object {
    /// What is called.
    pub class: Class,
    /// Whether it is only made (`__new__`), and not called.
    pub is_bare: bool,
    /// The arguments.
    pub args: Vec<Value>,
    /// What `__setstate__` gets, or goes into `__dict__`.
    pub state: Option<Value>,
    /// What is appended to it.
    pub items: Vec<Value>,
    /// What is put into it under keys.
    pub pairs: Vec<(Value, Value)>,
}

impl Value {
    /// What `module.name(*args)` returns.
    #[must_use]
    pub fn call(module: &str, name: &str, args: Vec<Self>) -> Self {
        Self::Object(Box::new(Object {
            class: Class::new(module, name),
            is_bare: false,
            args,
            state: None,
            items: Vec::new(),
            pairs: Vec::new(),
        }))
    }

    /// An object of the class `module.name`, not initialised, with that state: a dict of its attributes, or what its
    /// `__setstate__` takes.
    #[must_use]
    pub fn object(module: &str, name: &str, state: Self) -> Self {
        Self::Object(Box::new(Object {
            class: Class::new(module, name),
            is_bare: true,
            args: Vec::new(),
            state: Some(state),
            items: Vec::new(),
            pairs: Vec::new(),
        }))
    }

    /// An int in two's complement, little-endian, of any length; no bytes are 0.
    #[must_use]
    pub fn int_of(bytes: &[u8]) -> Self {
        let bytes = shortest(bytes);
        let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut all = [if negative { 0xff } else { 0 }; 16];
        match all.get_mut(..bytes.len()) {
            Some(low) => {
                low.copy_from_slice(bytes);
                Self::Int(i128::from_le_bytes(all))
            }
            None => Self::Large(Large::of(bytes)),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl From<Payload> for Value {
    fn from(value: Payload) -> Self {
        Self::Payload(value)
    }
}

impl From<Class> for Value {
    fn from(value: Class) -> Self {
        Self::Class(Box::new(value))
    }
}

/// `None` for what is not there.
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

macro_rules! ints {
    ($($type:ty),*) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::Int(value as i128)
            }
        }
    )*};
}

ints!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize, i128);
