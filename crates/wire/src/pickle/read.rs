//! The tree of a pickle to serde.

use super::error::Part;
use super::tree::{Tree, Value};
use super::{DEPTH, Error, machine, persistent};
use serde::de::value::{CowStrDeserializer, SeqDeserializer};
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;
use std::borrow::Cow;
use std::cell::Cell;

/// What a value costs that is read, its text apart.
const COST: u64 = 32;
/// What may be read from each byte of a pickle, on average.
const PER_BYTE: u64 = 64;
/// What may be read from any pickle.
const LEAST: u64 = 16 << 20;

/// The value in a pickle of any protocol from 0 to 5.
///
/// A pickle from anywhere is safe to read: nothing in it is called, and the time and memory that it
/// takes are bounded by its length. A pickle may refer to a part of it many times, and each time
/// that is a value anew here; if that comes to more than 64 bytes for each of the pickle's, and more
/// than 16 MiB, it is refused.
///
/// # Errors
/// [`Error`] names the place of what cannot be mapped, see the [mapping](super), or says where the
/// bytes are no pickle.
///
/// # Examples
/// ```
/// use procession_wire::pickle;
///
/// // pickle.dumps({"a": [1, 2.5]}, 0)
/// let pickle = b"(dp0\nVa\np1\n(lp2\nI1\naF2.5\nas.";
/// let value: std::collections::HashMap<String, (u8, f64)> = pickle::from_slice(pickle)?;
/// assert_eq!(value["a"], (1, 2.5));
/// # Ok::<(), pickle::Error>(())
/// ```
pub fn from_slice<'a, T: Deserialize<'a>>(pickle: &'a [u8]) -> Result<T, Error> {
    read(machine::run(pickle)?, pickle.len())
}

/// The same from the opcodes of one value alone, a part of a pickle.
///
/// # Errors
/// As [`from_slice`].
pub(crate) fn from_opcodes<'a, T: Deserialize<'a>>(opcodes: &'a [u8]) -> Result<T, Error> {
    read(machine::run_opcodes(opcodes)?, opcodes.len())
}

fn read<'a, T: Deserialize<'a>>(
    (tree, root): (Tree<'a>, Value<'a>),
    length: usize,
) -> Result<T, Error> {
    let left = Cell::new(LEAST + PER_BYTE * length as u64);
    T::deserialize(Reader { tree: &tree, left: &left, value: root, depth: 0 })
}

/// Reads one value of the tree.
#[derive(Clone, Copy)]
struct Reader<'t, 'a> {
    tree: &'t Tree<'a>,
    /// What may still be read.
    left: &'t Cell<u64>,
    value: Value<'a>,
    depth: usize,
}

impl<'t, 'a> Reader<'t, 'a> {
    fn charge(&self) -> Result<(), Error> {
        let cost = COST + self.value.len() as u64;
        match self.left.get().checked_sub(cost) {
            Some(left) => {
                self.left.set(left);
                Ok(())
            }
            None => Err(Error::new("the pickle refers to its parts too often")),
        }
    }

    /// A part of this value.
    fn part(&self, value: Value<'a>) -> Self {
        Self { value, ..*self }
    }

    fn inside(self) -> Result<Self, Error> {
        if self.depth == DEPTH {
            let reason = format!("it is nested deeper than {DEPTH}, or contains itself");
            return Err(Error::new(reason));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn sequence<V: Visitor<'a>>(self, parts: usize, visitor: V) -> Result<V::Value, Error> {
        let parts = self.tree.parts(parts);
        let mut items = Items { reader: self.inside()?, parts, next: 0 };
        let value = visitor.visit_seq(&mut items)?;
        whole(items.next, parts.len()).map(|()| value)
    }

    fn dict<V: Visitor<'a>>(self, parts: usize, visitor: V) -> Result<V::Value, Error> {
        let parts = self.tree.parts(parts);
        let mut entries = Entries { reader: self.inside()?, parts, next: 0 };
        let value = visitor.visit_map(&mut entries)?;
        whole(entries.next / 2, parts.len() / 2).map(|()| value)
    }

    /// As a sequence: bytes are one of numbers then.
    fn listed<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        if !self.value.is_bytes() {
            return self.deserialize_any(visitor);
        }
        self.charge()?;
        let bytes = self.value.bytes()?;
        let mut items = SeqDeserializer::new(bytes.iter().copied());
        let value = visitor.visit_seq(&mut items)?;
        items.end().map(|()| value)
    }
}

/// Whether all parts were wanted.
fn whole(read: usize, len: usize) -> Result<(), Error> {
    if read == len {
        return Ok(());
    }
    Err(Error::new(format!("it has {len} items, and {read} were expected")))
}

fn long<'a, V: Visitor<'a>>(bytes: &[u8], visitor: V) -> Result<V::Value, Error> {
    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
    let fill = if negative { 0xff } else { 0 };
    let len = bytes.iter().rposition(|byte| *byte != fill).map_or(0, |last| last + 1);
    let mut number = [fill; 17];
    match number.get_mut(..len) {
        Some(low) => low.copy_from_slice(&bytes[..len]),
        None => return Err(too_large()),
    }
    let high = number[16];
    let mut low = [0; 16];
    low.copy_from_slice(&number[..16]);
    let signed = i128::from_le_bytes(low);
    if high == fill && (signed < 0) == negative {
        return wide(signed, visitor);
    }
    if negative || high != 0 {
        return Err(too_large());
    }
    visitor.visit_u128(u128::from_le_bytes(low))
}

fn digits<'a, V: Visitor<'a>>(digits: &[u8], visitor: V) -> Result<V::Value, Error> {
    let digits = str::from_utf8(digits).map_err(|_| too_large())?;
    match digits.parse() {
        Ok(number) => wide(number, visitor),
        Err(_) => visitor.visit_u128(digits.parse().map_err(|_| too_large())?),
    }
}

fn wide<'a, V: Visitor<'a>>(number: i128, visitor: V) -> Result<V::Value, Error> {
    if let Ok(number) = i64::try_from(number) {
        return visitor.visit_i64(number);
    }
    match u64::try_from(number) {
        Ok(number) => visitor.visit_u64(number),
        Err(_) => visitor.visit_i128(number),
    }
}

fn too_large() -> Error {
    Error::new("an int beyond 128 bits cannot be mapped to Rust data")
}

impl<'a> Deserializer<'a> for Reader<'_, 'a> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.charge()?;
        match self.value {
            Value::None => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Int(value) => visitor.visit_i64(value),
            Value::Long(bytes) => long(bytes, visitor),
            Value::Digits(text) => digits(text, visitor),
            Value::Float(value) => visitor.visit_f64(value),
            Value::Text(_) | Value::Escaped(_) => match self.value.text()? {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
                Cow::Owned(text) => visitor.visit_string(text),
            },
            Value::Bytes(_) | Value::Latin(_) | Value::EscapedLatin(_) => {
                match self.value.bytes()? {
                    Cow::Borrowed(bytes) => visitor.visit_borrowed_bytes(bytes),
                    Cow::Owned(bytes) => visitor.visit_byte_buf(bytes),
                }
            }
            Value::List(parts) | Value::Tuple(parts) | Value::Set(parts) => {
                self.sequence(parts, visitor)
            }
            Value::Dict(parts) => self.dict(parts, visitor),
            Value::Class(_) | Value::Object(_) | Value::Persistent(_) | Value::Foreign(_) => {
                Err(self.tree.unmapped(self.value))
            }
        }
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value {
            Value::None => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != persistent::NAME {
            return visitor.visit_newtype_struct(self);
        }
        match self.value {
            Value::Persistent(parts) => {
                visitor.visit_newtype_struct(self.part(self.tree.parts(parts)[0]).inside()?)
            }
            _ => Err(Error::new("it is no shared object")),
        }
    }

    fn deserialize_seq<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        self.listed(visitor)
    }

    fn deserialize_tuple<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.listed(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.listed(visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = match self.value {
            value if value.is_text() => Variant { name: self, value: None },
            Value::Dict(parts) => match *self.tree.parts(parts) {
                [name, value] if name.is_text() => {
                    let inside = self.inside()?;
                    Variant { name: inside.part(name), value: Some(inside.part(value)) }
                }
                _ => return Err(Error::new("a variant is a dict with its name as the only key")),
            },
            _ => return Err(Error::new("a variant is a str, or a dict from its name")),
        };
        visitor.visit_enum(variant)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        <V: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct map struct identifier
    }
}

struct Items<'t, 'a> {
    reader: Reader<'t, 'a>,
    parts: &'t [Value<'a>],
    next: usize,
}

impl<'a> SeqAccess<'a> for Items<'_, 'a> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(value) = self.parts.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        let element = seed.deserialize(self.reader.part(*value));
        element.map(Some).map_err(|error| error.within(&Part::Index(index)))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.parts.len() - self.next)
    }
}

struct Entries<'t, 'a> {
    reader: Reader<'t, 'a>,
    parts: &'t [Value<'a>],
    next: usize,
}

impl<'a> MapAccess<'a> for Entries<'_, 'a> {
    type Error = Error;

    fn next_key_seed<T: DeserializeSeed<'a>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let Some(key) = self.parts.get(self.next) else { return Ok(None) };
        self.next += 1;
        let found = seed.deserialize(self.reader.part(*key));
        found.map(Some).map_err(|error| under(error, *key))
    }

    fn next_value_seed<T: DeserializeSeed<'a>>(&mut self, seed: T) -> Result<T::Value, Error> {
        // A visitor that asks for a value before its key gets the key.
        let at = self.next.min(self.parts.len().saturating_sub(1));
        let Some(value) = self.parts.get(at) else {
            return Err(Error::new("a value was asked of an empty dict"));
        };
        self.next += 1;
        let key = self.parts[at.saturating_sub(1)];
        seed.deserialize(self.reader.part(*value)).map_err(|error| under(error, key))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.parts.len().saturating_sub(self.next) / 2)
    }
}

#[cold]
fn under(error: Error, key: Value<'_>) -> Error {
    match (key, key.text()) {
        (_, Ok(name)) => error.within(&Part::Name(&name)),
        (Value::Int(number), _) => error.within(&Part::Number(number)),
        _ => error.within(&Part::Key),
    }
}

/// A variant by its name, and what is in it.
struct Variant<'t, 'a> {
    name: Reader<'t, 'a>,
    value: Option<Reader<'t, 'a>>,
}

impl<'t, 'a> EnumAccess<'a> for Variant<'t, 'a> {
    type Error = Error;
    type Variant = Content<'t, 'a>;

    fn variant_seed<V: DeserializeSeed<'a>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Content<'t, 'a>), Error> {
        let name: CowStrDeserializer<'_, Error> = CowStrDeserializer::new(self.name.value.text()?);
        let content = Content { name: self.name.value, value: self.value };
        Ok((seed.deserialize(name)?, content))
    }
}

struct Content<'t, 'a> {
    name: Value<'a>,
    value: Option<Reader<'t, 'a>>,
}

impl<'t, 'a> Content<'t, 'a> {
    fn read<R>(self, read: impl FnOnce(Reader<'t, 'a>) -> Result<R, Error>) -> Result<R, Error> {
        let value = self.value.ok_or_else(|| Error::new("the variant needs a value"))?;
        read(value).map_err(|error| under(error, self.name))
    }
}

impl<'a> VariantAccess<'a> for Content<'_, 'a> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.value.is_none() { Ok(()) } else { self.read(<()>::deserialize) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, Error> {
        self.read(|value| seed.deserialize(value))
    }

    fn tuple_variant<V: Visitor<'a>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.read(|value| value.listed(visitor))
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.read(|value| de::Deserializer::deserialize_any(value, visitor))
    }
}
