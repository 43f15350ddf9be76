//! serde to a pickle.
//!
//! Protocol 4, which every CPython from 3.4 on reads; integers and texts in the form that CPython
//! would choose. Nothing is remembered: Rust's values do not share their parts.

use super::error::Part;
use super::{DEPTH, Error, emit, op, persistent};
use serde::ser::{self, Serialize};

/// The value as a pickle.
///
/// # Errors
/// [`Error`] names the place of what cannot be mapped, see the [mapping](super).
///
/// # Examples
/// ```
/// let pickle = procession_wire::pickle::to_vec(&(1, "two")).unwrap();
/// assert_eq!(pickle, b"\x80\x04K\x01\x8c\x03two\x86.");
/// ```
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    append(value, &mut bytes)?;
    Ok(bytes)
}

/// Appends the value as a pickle.
///
/// # Errors
/// As [`to_vec`]; `bytes` is as before then.
pub fn append<T: Serialize + ?Sized>(value: &T, bytes: &mut Vec<u8>) -> Result<(), Error> {
    let start = bytes.len();
    bytes.extend([op::PROTO, 4]);
    let result = append_opcodes(value, bytes);
    match result {
        Ok(()) => bytes.push(op::STOP),
        Err(_) => bytes.truncate(start),
    }
    result
}

/// Appends the opcodes that make the value, as a part of a pickle.
///
/// # Errors
/// As [`to_vec`]; `bytes` may end with half a value then.
pub(crate) fn append_opcodes<T: Serialize + ?Sized>(
    value: &T,
    bytes: &mut Vec<u8>,
) -> Result<(), Error> {
    value.serialize(&mut Writer { bytes, depth: 0, is_key: false, some_at: None })
}

struct Writer<'b> {
    bytes: &'b mut Vec<u8>,
    depth: usize,
    /// Whether this is a part of a key, which Python has to hash.
    is_key: bool,
    /// Where a `Some` began: nothing was written of what is in it as long as the bytes end there.
    some_at: Option<usize>,
}

impl<'b> Writer<'b> {
    fn nothing(&mut self, what: &str) -> Result<(), Error> {
        if self.some_at == Some(self.bytes.len()) {
            return Err(Error::new(format!("Some({what}) would arrive as None; use an enum")));
        }
        self.bytes.push(op::NONE);
        Ok(())
    }

    fn hashable(&self, what: &str) -> Result<(), Error> {
        if self.is_key {
            return Err(Error::new(format!("a {what} cannot be a key of a dict")));
        }
        Ok(())
    }

    fn enter(&mut self) -> Result<(), Error> {
        if self.depth == DEPTH {
            return Err(Error::new(format!("it is nested deeper than {DEPTH}")));
        }
        self.depth += 1;
        self.some_at = None;
        Ok(())
    }

    /// Begins `{name: `.
    fn variant(&mut self, name: &'static str) -> Result<(), Error> {
        self.hashable("variant with a value")?;
        self.enter()?;
        self.bytes.push(op::EMPTY_DICT);
        emit::text(self.bytes, name);
        Ok(())
    }

    fn list(&mut self) -> Result<(), Error> {
        self.hashable("list")?;
        self.enter()?;
        self.bytes.extend([op::EMPTY_LIST, op::MARK]);
        Ok(())
    }

    fn tuple(&mut self, len: usize) -> Result<(), Error> {
        self.enter()?;
        if len > 3 {
            self.bytes.push(op::MARK);
        }
        Ok(())
    }

    fn dict(&mut self) -> Result<(), Error> {
        self.hashable("dict")?;
        self.enter()?;
        self.bytes.extend([op::EMPTY_DICT, op::MARK]);
        Ok(())
    }

    fn parts<'w>(&'w mut self, kind: Kind, variant: Option<&'static str>) -> Parts<'w, 'b> {
        Parts { writer: self, kind, variant, count: 0, key_at: 0 }
    }
}

macro_rules! ints {
    ($($method:ident: $type:ty),*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Error> {
            emit::int(self.bytes, i64::from(value));
            Ok(())
        }
    )*};
}

impl<'w, 'b> ser::Serializer for &'w mut Writer<'b> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Parts<'w, 'b>;
    type SerializeTuple = Parts<'w, 'b>;
    type SerializeTupleStruct = Parts<'w, 'b>;
    type SerializeTupleVariant = Parts<'w, 'b>;
    type SerializeMap = Parts<'w, 'b>;
    type SerializeStruct = Parts<'w, 'b>;
    type SerializeStructVariant = Parts<'w, 'b>;

    ints! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        emit::boolean(self.bytes, value);
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Error> {
        self.serialize_i128(i128::from(value))
    }

    fn serialize_i128(self, value: i128) -> Result<(), Error> {
        emit::large_int(self.bytes, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result<(), Error> {
        if let Ok(value) = i128::try_from(value) {
            return self.serialize_i128(value);
        }
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&value.to_le_bytes());
        emit::long(self.bytes, &bytes);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        emit::float(self.bytes, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        emit::text(self.bytes, value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        emit::text(self.bytes, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        emit::bytes(self.bytes, value);
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.nothing("None")
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.some_at = Some(self.bytes.len());
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.nothing("()")
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<(), Error> {
        self.nothing(name)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Error> {
        emit::text(self.bytes, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(&mut *self)?;
        if name == persistent::NAME {
            self.bytes.push(op::BINPERSID);
        }
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.variant(variant)?;
        value.serialize(&mut *self).map_err(|error| error.within(&Part::Name(variant)))?;
        self.bytes.push(op::SETITEM);
        self.depth -= 1;
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Parts<'w, 'b>, Error> {
        self.list()?;
        Ok(self.parts(Kind::List, None))
    }

    fn serialize_tuple(self, len: usize) -> Result<Parts<'w, 'b>, Error> {
        self.tuple(len)?;
        Ok(self.parts(Kind::Tuple(len), None))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<Parts<'w, 'b>, Error> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        len: usize,
    ) -> Result<Parts<'w, 'b>, Error> {
        self.variant(variant)?;
        self.tuple(len)?;
        Ok(self.parts(Kind::Tuple(len), Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Parts<'w, 'b>, Error> {
        self.dict()?;
        Ok(self.parts(Kind::Dict, None))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Parts<'w, 'b>, Error> {
        self.serialize_map(None)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Parts<'w, 'b>, Error> {
        self.variant(variant)?;
        self.dict()?;
        Ok(self.parts(Kind::Dict, Some(variant)))
    }
}

#[derive(Clone, Copy)]
enum Kind {
    List,
    /// Of so many parts.
    Tuple(usize),
    Dict,
}

/// The parts of a list, tuple or dict, one after the other.
struct Parts<'w, 'b> {
    writer: &'w mut Writer<'b>,
    kind: Kind,
    /// The variant whose fields they are.
    variant: Option<&'static str>,
    count: usize,
    /// Where the last key of a map begins.
    key_at: usize,
}

impl Parts<'_, '_> {
    #[inline]
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let (index, variant) = (self.count, self.variant);
        self.count += 1;
        value
            .serialize(&mut *self.writer)
            .map_err(|error| placed(error.within(&Part::Index(index)), variant))
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        let variant = self.variant;
        emit::text(self.writer.bytes, name);
        value
            .serialize(&mut *self.writer)
            .map_err(|error| placed(error.within(&Part::Name(name)), variant))
    }

    fn close(self) -> Result<(), Error> {
        let bytes = &mut *self.writer.bytes;
        match (self.kind, self.count) {
            (Kind::List, _) => bytes.push(op::APPENDS),
            (Kind::Dict, _) => bytes.push(op::SETITEMS),
            (Kind::Tuple(len), count) if len != count => {
                let reason = format!("it was to have {len} parts, and wrote {count}");
                return Err(placed(Error::new(reason), self.variant));
            }
            (Kind::Tuple(0), _) => bytes.push(op::EMPTY_TUPLE),
            (Kind::Tuple(1), _) => bytes.push(op::TUPLE1),
            (Kind::Tuple(2), _) => bytes.push(op::TUPLE2),
            (Kind::Tuple(3), _) => bytes.push(op::TUPLE3),
            (Kind::Tuple(_), _) => bytes.push(op::TUPLE),
        }
        self.writer.depth -= 1;
        if self.variant.is_some() {
            bytes.push(op::SETITEM);
            self.writer.depth -= 1;
        }
        Ok(())
    }
}

#[cold]
fn placed(error: Error, variant: Option<&'static str>) -> Error {
    match variant {
        None => error,
        Some(name) => error.within(&Part::Name(name)),
    }
}

/// The key that these bytes begin with.
#[cold]
fn written_key(bytes: &[u8]) -> Part<'_> {
    match *bytes {
        [op::SHORT_BINUNICODE, len, ref rest @ ..] => {
            let name = rest.get(..usize::from(len)).and_then(|name| str::from_utf8(name).ok());
            name.map_or(Part::Key, Part::Name)
        }
        [op::BININT1, number, ..] => Part::Number(i64::from(number)),
        [op::BININT2, a, b, ..] => Part::Number(i64::from(u16::from_le_bytes([a, b]))),
        [op::BININT, a, b, c, d, ..] => Part::Number(i64::from(i32::from_le_bytes([a, b, c, d]))),
        _ => Part::Key,
    }
}

macro_rules! parts {
    ($($compound:ident: $method:ident($($key:ident)?) => $part:ident;)*) => {$(
        impl ser::$compound for Parts<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> Result<(), Error> {
                self.$part($($key,)? value)
            }

            fn end(self) -> Result<(), Error> {
                self.close()
            }
        }
    )*};
}

parts! {
    SerializeSeq: serialize_element() => item;
    SerializeTuple: serialize_element() => item;
    SerializeTupleStruct: serialize_field() => item;
    SerializeTupleVariant: serialize_field() => item;
    SerializeStruct: serialize_field(key) => field;
    SerializeStructVariant: serialize_field(key) => field;
}

impl ser::SerializeMap for Parts<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.key_at = self.writer.bytes.len();
        self.writer.is_key = true;
        key.serialize(&mut *self.writer).map_err(|error| error.within(&Part::Key))?;
        self.writer.is_key = false;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value
            .serialize(&mut *self.writer)
            .map_err(|error| error.within(&written_key(&self.writer.bytes[self.key_at..])))
    }

    fn end(self) -> Result<(), Error> {
        self.close()
    }
}
