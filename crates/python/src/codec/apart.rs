//! Bytes that are not copied into the encoded message, but stay where they are until they are written
//! to where the message goes.

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyBufferError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

/// From so many bytes on it pays.
pub(crate) const LARGE: usize = 64 << 10;

/// Bytes of a Python object, which do not move and are not freed while this lives.
pub(crate) struct Apart {
    /// After how many bytes of the message they come.
    pub(crate) at: usize,
    pub(crate) is_readonly: bool,
    span: Span,
    /// Keeps the span valid.
    _keeper: Keeper,
}

#[expect(dead_code, reason = "kept, not read")]
enum Keeper {
    Object(Py<PyAny>),
    Export(PyUntypedBuffer),
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
            _keeper: Keeper::Object(object.clone().into_any().unbind()),
        }
    }

    /// `text` is what the string keeps as its UTF-8 for as long as it lives.
    pub(super) fn of_text(at: usize, object: &Bound<'_, PyString>, text: &str) -> Self {
        Self {
            at,
            is_readonly: true,
            span: Span { start: text.as_ptr(), len: text.len() },
            _keeper: Keeper::Object(object.clone().into_any().unbind()),
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
        Ok(Self { at, is_readonly, span, _keeper: Keeper::Export(export) })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        if self.span.len == 0 {
            return &[];
        }
        // SAFETY: `start` is the address of `len` bytes of an object that the keeper keeps, either
        // immutable or exported, so that they stay where they are. A thread that writes to them while
        // they are sent makes the message a mixture, as with stock; nothing here depends on them.
        unsafe { std::slice::from_raw_parts(self.span.start, self.span.len) }
    }
}
