//! `Array`: CPython's `array.array`, numbers of one machine type.

use super::arena::Place;
use super::call::{Answer, Call, Called, Fault, Hosted, Turn, plain};
use super::index::{Index, place};
use super::raise;
use super::store::Store;
use procession_ipc::Plain;
use procession_ipc::sync::InnerLock;
use procession_shm::Region;
use procession_sys::Deadline;
use procession_wire::message::{Argument, Exception};
use procession_wire::value::Value;
use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

/// Numbers, one behind the other as they lie in memory.
#[derive(Debug)]
pub(crate) struct Array {
    kind: Kind,
    memory: Memory,
    store: Rc<Store>,
}

/// A type code of CPython's.
#[derive(Clone, Copy, Debug)]
struct Kind {
    code: char,
    width: usize,
    number: Number,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Signed,
    Unsigned,
    Float,
    Character,
}

impl Kind {
    fn of(code: &str) -> Option<Self> {
        let mut chars = code.chars();
        let (Some(code), None) = (chars.next(), chars.next()) else { return None };
        let (width, number) = match code {
            'b' => (1, Number::Signed),
            'B' => (1, Number::Unsigned),
            'h' => (2, Number::Signed),
            'H' => (2, Number::Unsigned),
            'i' => (4, Number::Signed),
            'I' => (4, Number::Unsigned),
            'l' | 'q' => (8, Number::Signed),
            'L' | 'Q' => (8, Number::Unsigned),
            'f' => (4, Number::Float),
            'd' => (8, Number::Float),
            'u' | 'w' => (4, Number::Character),
            _ => return None,
        };
        Some(Self { code, width, number })
    }

    /// The bytes of a value, as this machine writes them.
    fn write(self, value: &Value, to: &mut Vec<u8>) -> Result<(), Exception> {
        match self.number {
            Number::Float => {
                let Some(number) = value.as_float() else {
                    let name = value.type_name();
                    return Err(raise::type_error(format!("must be real number, not {name}")));
                };
                if self.width == 4 {
                    to.extend((number as f32).to_ne_bytes());
                } else {
                    to.extend(number.to_ne_bytes());
                }
            }
            Number::Character => {
                let mut chars = value.as_str().unwrap_or_default().chars();
                let (Some(one), None) = (chars.next(), chars.next()) else {
                    return Err(raise::type_error("array item must be a unicode character"));
                };
                to.extend(u32::from(one).to_ne_bytes());
            }
            Number::Signed | Number::Unsigned => {
                let Some(number) = value.as_int() else {
                    let name = value.type_name();
                    let text = format!("'{name}' object cannot be interpreted as an integer");
                    return Err(raise::type_error(text));
                };
                let bits = u32::try_from(self.width).unwrap_or(8) * 8;
                let (least, most) = if self.number == Number::Signed {
                    (-(1_i128 << (bits - 1)), (1 << (bits - 1)) - 1)
                } else {
                    (0, (1 << bits) - 1)
                };
                if number < least || number > most {
                    let side =
                        if number < least { "less than minimum" } else { "greater than maximum" };
                    let text = format!("integer of an array of '{}' is {side}", self.code);
                    return Err(raise::overflow_error(text));
                }
                let all = number.to_ne_bytes();
                let low = if cfg!(target_endian = "little") {
                    &all[..self.width]
                } else {
                    &all[all.len() - self.width..]
                };
                to.extend(low);
            }
        }
        Ok(())
    }

    fn read(self, bytes: &[u8]) -> Value {
        match (self.number, bytes) {
            (Number::Float, &[a, b, c, d]) => Value::Float(f32::from_ne_bytes([a, b, c, d]).into()),
            (Number::Float, bytes) => {
                Value::Float(bytes.try_into().map_or(f64::NAN, f64::from_ne_bytes))
            }
            (Number::Character, bytes) => {
                let code = bytes.try_into().map_or(0, u32::from_ne_bytes);
                Value::Str(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER).to_string())
            }
            (signed, bytes) => {
                let negative = |most: u8| signed == Number::Signed && most >= 0x80;
                let most =
                    if cfg!(target_endian = "little") { bytes.last() } else { bytes.first() };
                let fill = if negative(most.copied().unwrap_or(0)) { 0xff } else { 0 };
                let mut all = [fill; 16];
                let whole = all.len();
                if cfg!(target_endian = "little") {
                    all[..bytes.len()].copy_from_slice(bytes);
                } else {
                    all[whole - bytes.len()..].copy_from_slice(bytes);
                }
                Value::Int(i128::from_ne_bytes(all))
            }
        }
    }
}

fn values(argument: &Argument<'_>) -> Result<Vec<Value>, Fault> {
    match plain(argument, "an array's initial values")? {
        Value::List(values) | Value::Tuple(values) => Ok(values),
        Value::Bytes(bytes) | Value::ByteArray(bytes) => {
            Ok(bytes.into_iter().map(|byte| Value::from(usize::from(byte))).collect())
        }
        Value::Str(text) => Ok(text.chars().map(|one| Value::Str(one.to_string())).collect()),
        value => {
            let name = value.type_name();
            Err(raise::type_error(format!("'{name}' object is not iterable")).into())
        }
    }
}

/// How long the server waits for one who is just reading or writing an array in the arena, and may have been killed at it.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the numbers lie.
#[derive(Debug)]
enum Memory {
    Own(Vec<u8>),
    /// In an `Array` of the engine, of the type that the code says.
    Arena {
        numbers: Region,
        lock: InnerLock,
    },
}

impl Memory {
    /// Numbers of `kind` with these bytes, in the arena if the engine has the type.
    fn in_arena(kind: Kind, bytes: Vec<u8>) -> Result<Self, Exception> {
        let len = bytes.len() / kind.width;
        let made = match (kind.number, kind.width) {
            (Number::Character, _) => return Ok(Self::Own(bytes)),
            (Number::Float, 4) => shared::<f32>(len),
            (Number::Float, _) => shared::<f64>(len),
            (Number::Signed, 1) => shared::<i8>(len),
            (Number::Signed, 2) => shared::<i16>(len),
            (Number::Signed, 4) => shared::<i32>(len),
            (Number::Signed, _) => shared::<i64>(len),
            (Number::Unsigned, 1) => shared::<u8>(len),
            (Number::Unsigned, 2) => shared::<u16>(len),
            (Number::Unsigned, 4) => shared::<u32>(len),
            (Number::Unsigned, _) => shared::<u64>(len),
        };
        let (numbers, lock) = made.map_err(|error| raise::memory_error(error.to_string()))?;
        numbers.write(0, &bytes);
        Ok(Self::Arena { numbers, lock })
    }

    fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Arena { numbers, .. } => numbers.len(),
        }
    }

    /// How much of it is the server's own memory.
    fn own(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Arena { .. } => 0,
        }
    }

    fn read(&self, at: usize, to: &mut [u8]) -> Result<(), Exception> {
        match self {
            Self::Own(bytes) => to.copy_from_slice(&bytes[at..at + to.len()]),
            Self::Arena { numbers, lock } => locked(lock, || numbers.read(at, to))?,
        }
        Ok(())
    }

    fn write(&mut self, at: usize, from: &[u8]) -> Result<(), Exception> {
        match self {
            Self::Own(bytes) => bytes[at..at + from.len()].copy_from_slice(from),
            Self::Arena { numbers, lock } => locked(lock, || numbers.write(at, from))?,
        }
        Ok(())
    }

    /// All bytes.
    fn all(&self) -> Result<Cow<'_, [u8]>, Exception> {
        match self {
            Self::Own(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Arena { numbers, .. } => {
                let mut bytes = vec![0; numbers.len()];
                self.read(0, &mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    fn place(&self, code: char) -> Option<Place> {
        let Self::Arena { lock, .. } = self else { return None };
        Some(Place { handle: lock.held().handle(), kind: "Array", code: Some(code) })
    }
}

/// An array of the engine: where its numbers are, and its lock.
fn shared<T: Plain>(len: usize) -> Result<(Region, InnerLock), procession_ipc::Error> {
    let array = procession_ipc::Array::<T>::zeroed(len)?;
    Ok((array.region(), InnerLock::of(&array)))
}

fn locked<R>(lock: &InnerLock, work: impl FnOnce() -> R) -> Result<R, Exception> {
    let raised = |error: procession_ipc::Error| raise::runtime_error(error.to_string());
    lock.acquire_until(Deadline::after(PATIENCE), || false).map_err(raised)?;
    let done = work();
    lock.release().map_err(raised)?;
    Ok(done)
}

impl Array {
    /// From the arguments of `Array(typecode, sequence, lock=True)`; the lock means nothing, as in stock.
    pub(crate) fn create(call: &Call<'_>, turn: &Turn<'_>) -> Result<Box<dyn Hosted>, Fault> {
        let names = ["typecode", "sequence", "lock"];
        let [Some(code), Some(initial), _] = call.bind(names, 2)? else {
            return Err(Fault::NoMethod);
        };
        let code = plain(code, "a type code")?;
        let Some(kind) = code.as_str().and_then(Kind::of) else {
            let text = "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)";
            return Err(raise::value_error(text).into());
        };
        let initial = values(initial)?;
        let size = initial.len() * kind.width;
        turn.store.has_room(size, 1)?;
        let mut bytes = Vec::with_capacity(size);
        for value in &initial {
            kind.write(value, &mut bytes)?;
        }
        let memory = match turn.bells {
            Some(_) => Memory::in_arena(kind, bytes)?,
            None => Memory::Own(bytes),
        };
        turn.store.take(memory.own())?;
        Ok(Box::new(Self { kind, memory, store: Rc::clone(turn.store) }))
    }

    fn len(&self) -> usize {
        self.memory.len() / self.kind.width
    }

    fn as_python(&self, bytes: Vec<u8>) -> Value {
        let code = Value::Str(self.kind.code.to_string());
        Value::call("array", "array", vec![code, Value::Bytes(bytes)])
    }

    fn get(&self, argument: &Argument<'_>) -> Called {
        match Index::of(argument, "array")? {
            Index::At(index) => {
                let place = place(index, self.len(), "array index out of range")?;
                let mut bytes = vec![0; self.kind.width];
                self.memory.read(place * self.kind.width, &mut bytes)?;
                Ok(self.kind.read(&bytes).into())
            }
            Index::Slice(slice) => {
                let places = slice.places(self.len())?;
                let (all, width) = (self.memory.all()?, self.kind.width);
                let bytes =
                    places.iter().flat_map(|place| &all[place * width..(place + 1) * width]);
                Ok(self.as_python(bytes.copied().collect()).into())
            }
        }
    }

    fn set(&mut self, at: &Argument<'_>, value: &Argument<'_>) -> Result<(), Fault> {
        let Index::At(index) = Index::of(at, "array")? else {
            return Err(Fault::Beyond("assigning to a slice of an array"));
        };
        let place = place(index, self.len(), "array assignment index out of range")?;
        let mut bytes = Vec::new();
        self.kind.write(&plain(value, "a number")?, &mut bytes)?;
        Ok(self.memory.write(place * self.kind.width, &bytes)?)
    }
}

impl Drop for Array {
    fn drop(&mut self) {
        self.store.free(self.memory.own());
    }
}

impl Hosted for Array {
    fn exposed(&self) -> &'static [&'static str] {
        &["__len__", "__getitem__", "__setitem__"]
    }

    fn call(&mut self, call: &Call<'_>, _turn: &mut Turn<'_>) -> Called {
        match call.method {
            "__len__" => Ok(Value::from(self.len()).into()),
            "__getitem__" => self.get(call.one()?),
            "__setitem__" => {
                let [Some(at), Some(value)] = call.bind(["", ""], 2)? else {
                    return Err(Fault::NoMethod);
                };
                self.set(at, value).map(|()| Value::None.into())
            }
            _ => Err(Fault::NoMethod),
        }
    }

    fn repr(&self, _address: &str) -> Result<String, Fault> {
        let code = self.kind.code;
        let bytes = self.memory.all()?;
        if bytes.is_empty() {
            return Ok(format!("array('{code}')"));
        }
        let values = bytes.chunks(self.kind.width).map(|bytes| self.kind.read(bytes));
        if self.kind.number == Number::Character {
            let text: String =
                values.filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect();
            return Ok(format!("array('{code}', {})", Value::Str(text)));
        }
        Ok(format!("array('{code}', {})", Value::List(values.collect())))
    }

    fn contents(&self) -> Result<Answer, Fault> {
        Ok(Answer::Value(self.as_python(self.memory.all()?.into_owned())))
    }

    fn share(&mut self, _turn: &mut Turn<'_>) -> Option<Place> {
        self.memory.place(self.kind.code)
    }
}
