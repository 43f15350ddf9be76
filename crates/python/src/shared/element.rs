//! Typecodes: which Rust type lies in memory, and to and from Python's numbers.

use procession_shm::Region;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList};
use std::ffi::CStr;

/// What one element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
    Bool,
    Char,
    Wide,
    /// One byte of a type that only ctypes knows.
    Opaque,
}

/// Evaluates the body with `$type` as the Rust type of the element.
macro_rules! typed {
    ($element:expr, $type:ident => $body:expr) => {{
        use $crate::shared::element::Element as E;
        macro_rules! with {
            ($rust:ty) => {{
                type $type = $rust;
                $body
            }};
        }
        match $element {
            E::I8 => with!(i8),
            E::U8 | E::Bool | E::Char | E::Opaque => with!(u8),
            E::I16 => with!(i16),
            E::U16 => with!(u16),
            E::I32 => with!(i32),
            E::U32 | E::Wide => with!(u32),
            E::I64 => with!(i64),
            E::U64 => with!(u64),
            E::F32 => with!(f32),
            E::F64 => with!(f64),
        }
    }};
}
pub(super) use typed;

/// A number in memory that Python has as an `int` or a `float`.
trait Number: Sized {
    fn get(region: Region, at: usize) -> Self;
    fn to_python(self, py: Python<'_>) -> Bound<'_, PyAny>;
}

macro_rules! number {
    ($($type:ty, $python:path);* $(;)?) => { $(
        impl Number for $type {
            #[inline]
            fn get(region: Region, at: usize) -> Self {
                let mut bytes = [0; size_of::<Self>()];
                region.read(at, &mut bytes);
                Self::from_ne_bytes(bytes)
            }

            #[inline]
            fn to_python(self, py: Python<'_>) -> Bound<'_, PyAny> {
                $python(py, self.into())
            }
        }
    )* };
}

#[inline]
fn int(py: Python<'_>, number: i64) -> Bound<'_, PyAny> {
    // Of a `long long` CPython counts the digits first; a `long` is as large on the systems we know.
    // SAFETY: the interpreter is attached, as `py` shows.
    let made = unsafe { ffi::PyLong_FromLong(number as std::os::raw::c_long) };
    // SAFETY: a new reference, or null and an exception, which is for want of memory.
    unsafe { Bound::from_owned_ptr(py, made) }
}

#[inline]
fn float(py: Python<'_>, number: f64) -> Bound<'_, PyAny> {
    PyFloat::new(py, number).into_any()
}

number! {
    i8, int; u8, int; i16, int; u16, int; i32, int; u32, int; i64, int; f32, float; f64, float;
}

impl Number for u64 {
    #[inline]
    fn get(region: Region, at: usize) -> Self {
        i64::get(region, at) as Self
    }

    #[inline]
    fn to_python(self, py: Python<'_>) -> Bound<'_, PyAny> {
        // SAFETY: the interpreter is attached, as `py` shows.
        let made = unsafe { ffi::PyLong_FromUnsignedLongLong(self) };
        // SAFETY: a new reference, or null and an exception, which is for want of memory.
        unsafe { Bound::from_owned_ptr(py, made) }
    }
}

impl Element {
    /// The element of a ctypes typecode, of which `q` and `Q` are `l` and `L`.
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "b" => Self::I8,
            "B" => Self::U8,
            "h" => Self::I16,
            "H" => Self::U16,
            "i" => Self::I32,
            "I" => Self::U32,
            "l" | "q" => Self::I64,
            "L" | "Q" => Self::U64,
            "f" => Self::F32,
            "d" => Self::F64,
            "?" => Self::Bool,
            "c" => Self::Char,
            "u" => Self::Wide,
            _ => Self::Opaque,
        }
    }

    pub(super) fn code(self) -> &'static str {
        match self {
            Self::I8 => "b",
            Self::U8 => "B",
            Self::I16 => "h",
            Self::U16 => "H",
            Self::I32 => "i",
            Self::U32 => "I",
            Self::I64 => "l",
            Self::U64 => "L",
            Self::F32 => "f",
            Self::F64 => "d",
            Self::Bool => "?",
            Self::Char => "c",
            Self::Wide => "u",
            Self::Opaque => "",
        }
    }

    /// What the buffer protocol calls it; `None` where that has no name for it.
    pub(super) fn format(self) -> Option<&'static CStr> {
        Some(match self {
            Self::I8 => c"b",
            Self::U8 => c"B",
            Self::I16 => c"h",
            Self::U16 => c"H",
            Self::I32 => c"i",
            Self::U32 => c"I",
            Self::I64 => c"l",
            Self::U64 => c"L",
            Self::F32 => c"f",
            Self::F64 => c"d",
            Self::Bool => c"?",
            Self::Char => c"c",
            Self::Wide | Self::Opaque => return None,
        })
    }

    #[inline]
    pub(super) fn size(self) -> usize {
        typed!(self, T => size_of::<T>())
    }

    /// Whether it is a number here; what is not is left to ctypes.
    #[inline]
    pub(super) fn is_number(self) -> bool {
        !matches!(self, Self::Bool | Self::Char | Self::Wide | Self::Opaque)
    }

    /// The number at `at`.
    #[inline]
    pub(super) fn read(self, py: Python<'_>, region: Region, at: usize) -> Bound<'_, PyAny> {
        typed!(self, T => T::get(region, at).to_python(py))
    }

    /// The bytes of `value` as an element, and whether it is of a type that needs no ctypes.
    #[inline]
    pub(super) fn bytes_of(self, value: &Bound<'_, PyAny>) -> Option<[u8; 8]> {
        let mut bytes = [0; 8];
        match self {
            Self::F32 | Self::F64 => {
                let number = value.cast_exact::<PyFloat>().ok()?.value();
                if self == Self::F64 {
                    bytes = number.to_ne_bytes();
                } else {
                    // What does not fit is ctypes' to refuse.
                    let narrow = number as f32;
                    if narrow.is_infinite() && number.is_finite() {
                        return None;
                    }
                    bytes[..4].copy_from_slice(&narrow.to_ne_bytes());
                }
            }
            Self::Bool => bytes[0] = u8::from(value.cast_exact::<PyBool>().ok()?.is_true()),
            Self::Char | Self::Wide | Self::Opaque => return None,
            _ => {
                let number = value.cast_exact::<PyInt>().ok()?;
                // SAFETY: a borrowed `int`, which this call accepts without an error.
                let bits = unsafe { ffi::PyLong_AsUnsignedLongLongMask(number.as_ptr()) };
                // As ctypes: what is above the type's bits is cut off.
                let size = self.size();
                bytes[..size].copy_from_slice(&bits.to_le_bytes()[..size]);
            }
        }
        Some(bytes)
    }

    /// The numbers in `bytes`, of which each `step`th from `start` on, `count` of them, as a list.
    pub(super) fn list<'py>(
        self,
        py: Python<'py>,
        bytes: Region,
        start: isize,
        step: isize,
        count: usize,
    ) -> PyResult<Bound<'py, PyList>> {
        // SAFETY: the interpreter is attached, as `py` shows.
        let made = unsafe { ffi::PyList_New(count as ffi::Py_ssize_t) };
        // SAFETY: a new reference, or null and an exception.
        let made = unsafe { Bound::from_owned_ptr_or_err(py, made)? };
        typed!(self, T => for number in 0..count {
            let at = (start + step * number as isize) as usize * size_of::<T>();
            let element = T::get(bytes, at).to_python(py).into_ptr();
            // SAFETY: a new list of `count` places, of which nobody else knows; the element's
            // reference becomes the list's.
            unsafe { ffi::PyList_SetItem(made.as_ptr(), number as ffi::Py_ssize_t, element) };
        });
        Ok(made.cast_into::<PyList>()?)
    }
}
