//! `Array`: CPython's `array.array`, numbers of one machine type.

use super::arena::Place;
use super::call::{Answer, Call, Called, Fault, Hosted, Turn, plain};
use super::index::{Index, place};
use super::raise;
use super::store::Store;
use crate::memory::code::{Code, Number};
use crate::memory::numbers::Numbers;
use procession_sys::Deadline;
use procession_wire::message::{Argument, Exception};
use procession_wire::value::Value;
use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

/// Numbers, one behind the other as they lie in memory.
#[derive(Debug)]
pub(crate) struct Array {
    code: Code,
    memory: Memory,
    store: Rc<Store>,
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
    Arena(Numbers),
}

fn raised(error: &procession_ipc::Error) -> Exception {
    match error {
        error if error.is_out_of_memory() => raise::memory_error(error.to_string()),
        error => raise::runtime_error(error.to_string()),
    }
}

impl Memory {
    /// Numbers with these bytes, in the arena if the engine has the type.
    fn in_arena(code: Code, bytes: Vec<u8>) -> Result<Self, Exception> {
        match Numbers::new(code, &bytes).map_err(|error| raised(&error))? {
            Some(numbers) => Ok(Self::Arena(numbers)),
            None => Ok(Self::Own(bytes)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Arena(numbers) => numbers.size(),
        }
    }

    /// How much of it is the server's own memory.
    fn own(&self) -> usize {
        match self {
            Self::Own(bytes) => bytes.len(),
            Self::Arena(_) => 0,
        }
    }

    fn read(&self, at: usize, to: &mut [u8]) -> Result<(), Exception> {
        match self {
            Self::Own(bytes) => to.copy_from_slice(&bytes[at..at + to.len()]),
            Self::Arena(numbers) => numbers
                .read(at, to, Deadline::after(PATIENCE), || false)
                .map_err(|error| raised(&error))?,
        }
        Ok(())
    }

    fn write(&mut self, at: usize, from: &[u8]) -> Result<(), Exception> {
        match self {
            Self::Own(bytes) => bytes[at..at + from.len()].copy_from_slice(from),
            Self::Arena(numbers) => numbers
                .write(at, from, Deadline::after(PATIENCE), || false)
                .map_err(|error| raised(&error))?,
        }
        Ok(())
    }

    /// All bytes.
    fn all(&self) -> Result<Cow<'_, [u8]>, Exception> {
        match self {
            Self::Own(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Arena(numbers) => {
                let mut bytes = vec![0; numbers.size()];
                self.read(0, &mut bytes)?;
                Ok(Cow::Owned(bytes))
            }
        }
    }

    fn place(&self, code: Code) -> Option<Place> {
        let Self::Arena(numbers) = self else { return None };
        Some(Place { handle: numbers.held().handle(), kind: "Array", code: Some(code.letter) })
    }
}

impl Array {
    /// From the arguments of `Array(typecode, sequence, lock=True)`; the lock means nothing, as in stock.
    pub(crate) fn create(call: &Call<'_>, turn: &Turn<'_>) -> Result<Box<dyn Hosted>, Fault> {
        let names = ["typecode", "sequence", "lock"];
        let [Some(code), Some(initial), _] = call.bind(names, 2)? else {
            return Err(Fault::NoMethod);
        };
        let code = plain(code, "a type code")?;
        let Some(code) = code.as_str().and_then(Code::of) else {
            let text = "bad typecode (must be b, B, u, w, h, H, i, I, l, L, q, Q, f or d)";
            return Err(raise::value_error(text).into());
        };
        let initial = values(initial)?;
        let size = initial.len() * code.width;
        turn.store.has_room(size, 1)?;
        let mut bytes = Vec::with_capacity(size);
        for value in &initial {
            code.write(value, &mut bytes)?;
        }
        let memory = match turn.bells {
            Some(_) => Memory::in_arena(code, bytes)?,
            None => Memory::Own(bytes),
        };
        turn.store.take(memory.own())?;
        Ok(Box::new(Self { code, memory, store: Rc::clone(turn.store) }))
    }

    fn len(&self) -> usize {
        self.memory.len() / self.code.width
    }

    fn as_python(&self, bytes: Vec<u8>) -> Value {
        let code = Value::Str(self.code.letter.to_string());
        Value::call("array", "array", vec![code, Value::Bytes(bytes)])
    }

    fn get(&self, argument: &Argument<'_>) -> Called {
        match Index::of(argument, "array")? {
            Index::At(index) => {
                let place = place(index, self.len(), "array index out of range")?;
                let mut bytes = vec![0; self.code.width];
                self.memory.read(place * self.code.width, &mut bytes)?;
                Ok(self.code.read(&bytes).into())
            }
            Index::Slice(slice) => {
                let places = slice.places(self.len())?;
                let (all, width) = (self.memory.all()?, self.code.width);
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
        self.code.write(&plain(value, "a number")?, &mut bytes)?;
        Ok(self.memory.write(place * self.code.width, &bytes)?)
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
        let letter = self.code.letter;
        let bytes = self.memory.all()?;
        if bytes.is_empty() {
            return Ok(format!("array('{letter}')"));
        }
        let values = bytes.chunks(self.code.width).map(|bytes| self.code.read(bytes));
        if self.code.number == Number::Character {
            let text: String =
                values.filter_map(|value| value.as_str().map(ToOwned::to_owned)).collect();
            return Ok(format!("array('{letter}', {})", Value::Str(text)));
        }
        Ok(format!("array('{letter}', {})", Value::List(values.collect())))
    }

    fn contents(&self) -> Result<Answer, Fault> {
        Ok(Answer::Value(self.as_python(self.memory.all()?.into_owned())))
    }

    fn share(&mut self, _turn: &mut Turn<'_>) -> Option<Place> {
        self.memory.place(self.code)
    }
}
