//! Bytes that are not copied into the encoded message, but stay where they are until they are written
//! to where the message goes.

use procession_sys::bytes::Bytes;
use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use std::sync::atomic::AtomicU8;

/// From so many bytes on it pays.
pub(crate) const LARGE: usize = 64 << 10;

/// Bytes of a Python object, which do not move and are not freed while this lives.
pub(crate) struct Apart {
    /// After how many bytes of the message they come.
    pub(crate) at: usize,
    pub(crate) is_readonly: bool,
    span: Span,
    keeper: Keeper,
}

/// What keeps the span valid.
enum Keeper {
    /// An immutable object.
    Object {
        #[expect(dead_code, reason = "kept, not read")]
        object: Py<PyAny>,
    },
    Export {
        #[expect(dead_code, reason = "kept, not read")]
        export: PyUntypedBuffer,
    },
}

#[derive(Clone, Copy)]
struct Span {
    start: *const u8,
    len: usize,
}

// SAFETY: only read, while the `Keeper` beside it keeps the bytes in their place.
unsafe impl Send for Span {}
// SAFETY: as for `Send`.
unsafe impl Sync for Span {}

impl Apart {
    pub(super) fn of_bytes(at: usize, object: &Bound<'_, PyBytes>) -> Self {
        let bytes = object.as_bytes();
        Self {
            at,
            is_readonly: true,
            span: Span { start: bytes.as_ptr(), len: bytes.len() },
            keeper: Keeper::Object { object: object.clone().into_any().unbind() },
        }
    }

    /// `text` is what the string keeps as its UTF-8 for as long as it lives.
    pub(super) fn of_text(at: usize, object: &Bound<'_, PyString>, text: &str) -> Self {
        Self {
            at,
            is_readonly: true,
            span: Span { start: text.as_ptr(), len: text.len() },
            keeper: Keeper::Object { object: object.clone().into_any().unbind() },
        }
    }

    /// The memory of any object that exports it in one piece.
    ///
    /// # Errors
    /// `BufferError` if it does not.
    pub(super) fn of_export(at: usize, object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let export = PyUntypedBuffer::get(object)?;
        if !export.is_c_contiguous() && !export.is_fortran_contiguous() {
            return Err(PyBufferError::new_err("the memory is not in one piece"));
        }
        let span =
            Span { start: export.buf_ptr().cast::<u8>().cast_const(), len: export.len_bytes() };
        let is_readonly = export.readonly();
        Ok(Self { at, is_readonly, span, keeper: Keeper::Export { export } })
    }

    pub(crate) fn len(&self) -> usize {
        self.span.len
    }

    /// The bytes. Those of an export may be written while they are sent, by another thread; the message
    /// then is a mixture, as with stock.
    pub(crate) fn bytes(&self) -> Bytes<'_> {
        let Span { start, len } = self.span;
        if len == 0 {
            return Bytes::Still(&[]);
        }
        match self.keeper {
            Keeper::Object { .. } => {
                // SAFETY: "valid for reads of `len` bytes", "not mutated for the duration": they are of an
                // immutable object, which the keeper keeps as long as the borrow lasts.
                Bytes::Still(unsafe { std::slice::from_raw_parts(start, len) })
            }
            Keeper::Export { .. } => {
                let start = start.cast::<AtomicU8>();
                // SAFETY: "valid for reads of `len` bytes": the export keeps them where they are, and in
                // being, as long as the borrow lasts. "Not mutated ... except inside an `UnsafeCell`": as
                // atomics they may be, by whoever has the object; nobody writes through this reference.
                Bytes::Moving(unsafe { std::slice::from_raw_parts(start, len) })
            }
        }
    }
}
