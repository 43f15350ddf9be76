//! A serializer that forwards to another one, and notes which types write themselves how.
//!
//! Every value that a type writes is wrapped, so that it too meets a guard, one that knows its type.
//! What is noted: each shape; fields that are skipped; and options that hold what a describing
//! format writes as nothing. Nothing is changed on the way.

use super::notes::Notes;
use super::{compact, known};
use serde::ser::{
    self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::any::type_name;
use std::fmt::{self, Display};
use std::marker::PhantomData;

/// So many bytes are copied faster than they are written one by one.
const WORTH_A_COPY: usize = 64;

/// Writes the value through a guard.
#[inline(always)]
pub(super) fn serialize<T, S>(value: &T, serializer: S, notes: &Notes) -> Result<S::Ok, Refused>
where
    T: Serialize + ?Sized,
    S: Serializer,
{
    let guard = Guard::<S, T> { serializer, notes, in_some: None, of: PhantomData };
    value.serialize(guard).map_err(|refused| refused.note(notes))
}

/// The value was refused; what was said, unless it is in the notes.
#[derive(Debug)]
#[expect(clippy::box_collection, reason = "one word, so that results stay in registers")]
pub(super) struct Refused(Option<Box<String>>);

impl Refused {
    pub(super) fn noted() -> Self {
        Self(None)
    }

    #[cold]
    fn note(self, notes: &Notes) -> Self {
        if let Some(said) = self.0 {
            notes.complain(*said);
        }
        Self(None)
    }
}

impl Display for Refused {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_ref().map_or("see the notes", |said| said.as_str()))
    }
}

impl std::error::Error for Refused {}

impl ser::Error for Refused {
    #[cold]
    fn custom<M: Display>(message: M) -> Self {
        Self(Some(Box::new(message.to_string())))
    }
}

/// Notes what the serializer behind the guard said.
#[inline(always)]
fn heard<V, E: Display>(notes: &Notes, result: Result<V, E>) -> Result<V, Refused> {
    result.map_err(
        #[cold]
        |error| {
            notes.complain(error.to_string());
            Refused::noted()
        },
    )
}

/// Guards what a value of type `T` writes.
struct Guard<'n, S, T: ?Sized> {
    serializer: S,
    notes: &'n Notes,
    /// The option, if this is directly in one.
    in_some: Option<&'static str>,
    of: PhantomData<fn(&T)>,
}

impl<'n, S, T: ?Sized> Guard<'n, S, T> {
    #[inline(always)]
    fn meet(&self, shape: u64) {
        if !known::is_plain::<T>() {
            self.notes.meet(known::key::<T>(shape));
        }
    }

    #[inline(always)]
    fn lose(&self) {
        if let Some(option) = self.in_some
            && !self.notes.is_compact()
        {
            self.notes.lose(option);
        }
    }

    #[inline(always)]
    fn part<'v, P: ?Sized>(&self, value: &'v P) -> Part<'n, 'v, P> {
        Part { value, notes: self.notes, in_some: None }
    }
}

/// A value in another one, which meets its own guard.
struct Part<'n, 'v, T: ?Sized> {
    value: &'v T,
    notes: &'n Notes,
    in_some: Option<&'static str>,
}

impl<T: Serialize + ?Sized> Serialize for Part<'_, '_, T> {
    #[inline(always)]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (notes, in_some) = (self.notes, self.in_some);
        let guard = Guard::<S, T> { serializer, notes, in_some, of: PhantomData };
        self.value.serialize(guard).map_err(
            #[cold]
            |refused| {
                refused.note(notes);
                ser::Error::custom("see the notes")
            },
        )
    }
}

macro_rules! forward_plain {
    ($($method:ident($($value:ident: $type:ty)?) $($lose:ident)?;)*) => {$(
        #[inline]
        fn $method(self $(, $value: $type)?) -> Result<S::Ok, Refused> {
            self.meet(0);
            $(self.$lose();)?
            heard(self.notes, self.serializer.$method($($value)?))
        }
    )*};
}

macro_rules! forward_compound {
    ($($method:ident($($arg:ident: $type:ty),*) -> $compound:ident, $shape:expr;)*) => {$(
        #[inline]
        fn $method(self, $($arg: $type),*) -> Result<Self::$compound, Refused> {
            self.meet($shape);
            let inner = heard(self.notes, self.serializer.$method($($arg),*))?;
            Ok(Compound { inner, notes: self.notes, of: PhantomData })
        }
    )*};
}

impl<'n, S: Serializer, T: ?Sized> Serializer for Guard<'n, S, T> {
    type Ok = S::Ok;
    type Error = Refused;
    type SerializeSeq = Compound<'n, S::SerializeSeq, T>;
    type SerializeTuple = Compound<'n, S::SerializeTuple, T>;
    type SerializeTupleStruct = Compound<'n, S::SerializeTupleStruct, T>;
    type SerializeTupleVariant = Compound<'n, S::SerializeTupleVariant, T>;
    type SerializeMap = Compound<'n, S::SerializeMap, T>;
    type SerializeStruct = Compound<'n, S::SerializeStruct, T>;
    type SerializeStructVariant = Compound<'n, S::SerializeStructVariant, T>;

    forward_plain! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_f32(value: f32);
        serialize_f64(value: f64);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_unit_struct(name: &'static str);
        serialize_none() lose;
        serialize_unit() lose;
    }

    forward_compound! {
        serialize_seq(len: Option<usize>) -> SerializeSeq, 0;
        serialize_map(len: Option<usize>) -> SerializeMap, 0;
        serialize_tuple(len: usize) -> SerializeTuple, known::fields(len);
        serialize_tuple_struct(name: &'static str, len: usize) -> SerializeTupleStruct,
            known::fields(len);
        serialize_struct(name: &'static str, len: usize) -> SerializeStruct, known::fields(len);
        serialize_tuple_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeTupleVariant, known::variant(index, len);
        serialize_struct_variant(name: &'static str, index: u32, variant: &'static str, len: usize)
            -> SerializeStructVariant, known::variant(index, len);
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<S::Ok, Refused> {
        self.meet(known::variant(index, 0));
        heard(self.notes, self.serializer.serialize_unit_variant(name, index, variant))
    }

    #[inline]
    fn serialize_newtype_variant<P: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &P,
    ) -> Result<S::Ok, Refused> {
        self.meet(known::variant(index, 1));
        let part = self.part(value);
        let result = self.serializer.serialize_newtype_variant(name, index, variant, &part);
        heard(self.notes, result)
    }

    /// A newtype is written as what is in it, so an option around it is around that.
    #[inline]
    fn serialize_newtype_struct<P: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &P,
    ) -> Result<S::Ok, Refused> {
        self.meet(known::fields(1));
        let part = Part { in_some: self.in_some, ..self.part(value) };
        heard(self.notes, self.serializer.serialize_newtype_struct(name, &part))
    }

    #[inline]
    fn serialize_some<P: Serialize + ?Sized>(self, value: &P) -> Result<S::Ok, Refused> {
        self.meet(0);
        let part = Part { in_some: Some(type_name::<T>()), ..self.part(value) };
        heard(self.notes, self.serializer.serialize_some(&part))
    }

    /// Many numbers or strings need no guards, and bytes go in one piece.
    #[inline]
    fn collect_seq<I>(self, items: I) -> Result<S::Ok, Refused>
    where
        I: IntoIterator,
        I::Item: Serialize,
    {
        let mut items = items.into_iter();
        let len = match items.size_hint() {
            (least, Some(most)) if least == most => Some(least),
            _ => None,
        };
        if type_name::<I::Item>() == "&u8"
            && self.notes.is_compact()
            && let Some(len @ WORTH_A_COPY..) = len
        {
            self.meet(0);
            let bytes = heard(self.notes, compact::gather(items, len))?;
            return heard(self.notes, self.serializer.serialize_bytes(&bytes));
        }
        if known::is_primitive::<I::Item>() {
            self.meet(0);
            return heard(self.notes, self.serializer.collect_seq(items));
        }
        let mut sequence = self.serialize_seq(len)?;
        items.try_for_each(|item| sequence.serialize_element(&item))?;
        sequence.end()
    }

    #[inline]
    fn collect_str<P: Display + ?Sized>(self, value: &P) -> Result<S::Ok, Refused> {
        self.meet(0);
        heard(self.notes, self.serializer.collect_str(value))
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.serializer.is_human_readable()
    }
}

/// The parts that a value of type `T` writes one after the other.
struct Compound<'n, C, T: ?Sized> {
    inner: C,
    notes: &'n Notes,
    of: PhantomData<fn(&T)>,
}

impl<'n, C, T: ?Sized> Compound<'n, C, T> {
    #[inline(always)]
    fn part<'v, P: ?Sized>(&self, value: &'v P) -> Part<'n, 'v, P> {
        Part { value, notes: self.notes, in_some: None }
    }
}

macro_rules! forward_parts {
    ($($compound:ident: $($method:ident($($key:ident)?)),+ $(=> $skip:ident)?;)*) => {$(
        impl<C: $compound, T: ?Sized> $compound for Compound<'_, C, T> {
            type Ok = C::Ok;
            type Error = Refused;

            $(
                #[inline]
                fn $method<P: Serialize + ?Sized>(
                    &mut self,
                    $($key: &'static str,)?
                    value: &P,
                ) -> Result<(), Refused> {
                    if known::is_primitive::<P>() {
                        return heard(self.notes, self.inner.$method($($key,)? value));
                    }
                    let part = self.part(value);
                    heard(self.notes, self.inner.$method($($key,)? &part))
                }
            )+

            $(
                #[inline]
                fn $skip(&mut self, key: &'static str) -> Result<(), Refused> {
                    self.notes.skip(type_name::<T>());
                    heard(self.notes, self.inner.$skip(key))
                }
            )?

            #[inline]
            fn end(self) -> Result<C::Ok, Refused> {
                heard(self.notes, self.inner.end())
            }
        }
    )*};
}

forward_parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeMap: serialize_key(), serialize_value();
    SerializeStruct: serialize_field(key) => skip_field;
    SerializeStructVariant: serialize_field(key) => skip_field;
}
