//! Python objects as bytes and back.
//!
//! The bytes are a pickle, whatever made them, so that every language and every version reads the
//! same. Plain data and most objects of classes are written and read here; the rest is `pickle`'s.
//!
//! | room | holds |
//! |---|---|
//! | `write`, `read` | plain data, and objects of classes in it |
//! | `objects` | how those are written |
//! | `machine` | how what stock picklers write of plain data is read |
//! | `atoms` | the parts of it that stand for themselves |
//! | `instance` | which instances are ordinary; the names of classes and functions |
//! | `reduced` | what the others say of themselves |
//! | `dialect` | how they are written, and whether a message is written so |
//! | `revive` | classes, functions and objects from messages |
//! | `class` | what the C API knows of them |
//! | `input` | the bytes of a message |
//! | `pickler` | everything else |
//! | `parcel` | messages too large to be copied twice |
//! | `apart` | bytes that stay where they are until then |
//! | `view` | received bytes that are not copied at all |
//! | `serializer` | picklers that the user brings |
//! | `seen`, `keys` | which objects were met; the keys of dicts that were read |
//! | `number` | integers |

mod apart;
mod atoms;
mod class;
mod dialect;
mod input;
mod instance;
mod keys;
mod machine;
mod number;
mod objects;
mod parcel;
mod pickler;
mod read;
mod reduced;
mod revive;
mod seen;
mod serializer;
mod view;
mod write;

pub(crate) use atoms::Outcome;
pub(crate) use class::is_global;
pub(crate) use procession_ipc::byte_queue::Scratch;
pub(crate) use serializer::Serializer;

use apart::Apart;
use procession_ipc::byte_queue::is_large;
use procession_ipc::message::Parcel;
use procession_shm::Family;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use read::{Instances, Unread};
use reduced::Answer;
use write::Written;

/// The format of bytes that nobody encoded: `put_bytes` in Rust.
const BYTES: u8 = 2;
/// The format of a pickle.
pub(crate) const PICKLE: u8 = 3;
/// The format of a pickle with its buffers, see `parcel`.
pub(crate) const BUFFERS: u8 = 4;

/// What an object became.
#[must_use]
pub(crate) enum Encoded {
    /// A message of format [`PICKLE`], in the vector that was given.
    Bytes,
    /// What goes as a parcel, made of the vector and of this.
    Large(Large),
}

/// The parts of a large message that are not in the vector.
pub(crate) struct Large {
    /// Where the pickle begins in the vector; what is before it comes first in the parcel.
    start: usize,
    apart: Vec<Apart>,
    are_buffers: bool,
}

impl Large {
    /// The parcel, in the arena of `family`, of this and of the vector that it was encoded with. Large
    /// copies are made without the interpreter.
    ///
    /// # Errors
    /// `OSError` if shared memory has no room.
    pub(crate) fn to_parcel(
        &self,
        py: Python<'_>,
        family: &'static Family,
        bytes: &[u8],
    ) -> PyResult<Parcel> {
        if self.are_buffers {
            let (head, pickle) = bytes.split_at(self.start);
            return parcel::of_buffers(py, family, head, pickle, &self.apart);
        }
        parcel::of_parts(py, family, bytes, &self.apart)
    }
}

/// Encodes an object, whose pickle is appended to `bytes`.
///
/// # Errors
/// What pickling raises.
#[inline]
pub(crate) fn encode(object: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> PyResult<Encoded> {
    let (start, mut apart, mut answers) = (bytes.len(), Vec::new(), Vec::new());
    if write::write(object, bytes, Some(&mut apart), Some(&mut answers)).is_none() {
        bytes.truncate(start);
        return encode_by_pickler(object, bytes, apart, answers);
    }
    Ok(sized(start, bytes, apart, false))
}

/// As [`encode`], with `bytes` empty, as one pickle that is read without anything beside it, and whether it is
/// plain data.
///
/// # Errors
/// As [`encode`].
#[inline]
pub(crate) fn encode_alone(
    object: &Bound<'_, PyAny>,
    bytes: &mut Vec<u8>,
) -> PyResult<(Encoded, bool)> {
    let (mut apart, mut answers) = (Vec::new(), Vec::new());
    if let Some(written) = write::write(object, bytes, Some(&mut apart), Some(&mut answers)) {
        return Ok((sized(0, bytes, apart, false), written == Written::Plain));
    }
    bytes.clear();
    pickler::dump(object, bytes, None, answers)?;
    Ok((sized(0, bytes, Vec::new(), false), false))
}

#[cold]
fn encode_by_pickler<'py>(
    object: &Bound<'py, PyAny>,
    bytes: &mut Vec<u8>,
    mut apart: Vec<Apart>,
    answers: Vec<Answer<'py>>,
) -> PyResult<Encoded> {
    let start = bytes.len();
    apart.clear();
    pickler::dump(object, bytes, Some(&mut apart), answers)?;
    let are_buffers = !apart.is_empty();
    Ok(sized(start, bytes, apart, are_buffers))
}

/// Appends the pickle of an object to `bytes` that is not large, needs no pickler, and need not be asked; `false` if it
/// is or does, and then `bytes` is as before.
#[inline]
pub(crate) fn append_small(object: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> bool {
    let (start, mut apart) = (bytes.len(), Vec::new());
    let written = write::write(object, bytes, Some(&mut apart), None);
    let is_done = written.is_some() && apart.is_empty() && !is_large(bytes.len() - start);
    if !is_done {
        bytes.truncate(start);
    }
    is_done
}

/// As [`append_small`], of an item of a list that stands for itself and is not long; what it is not is given back.
#[inline]
pub(crate) fn append_item<'py>(
    list: &Bound<'py, PyList>,
    at: usize,
    bytes: &mut Vec<u8>,
) -> Outcome<'py> {
    write::write_of_list(list, at, bytes)
}

/// Which of the two the pickle is that begins at `start`. `are_buffers` says that `apart` are the buffers of
/// protocol 5.
#[inline]
pub(crate) fn sized(start: usize, bytes: &[u8], apart: Vec<Apart>, are_buffers: bool) -> Encoded {
    if apart.is_empty() && !is_large(bytes.len()) {
        return Encoded::Bytes;
    }
    Encoded::Large(Large { start, apart, are_buffers })
}

/// Appends the pickle of an object to `bytes`, in one piece.
///
/// # Errors
/// What pickling raises; `bytes` is as before then.
#[inline]
pub(crate) fn encode_whole(object: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> PyResult<()> {
    let (start, mut answers) = (bytes.len(), Vec::new());
    if write::write(object, bytes, None, Some(&mut answers)).is_some() {
        return Ok(());
    }
    bytes.truncate(start);
    let mut pickle = Vec::new();
    pickler::dump(object, &mut pickle, None, answers)?;
    bytes.append(&mut pickle);
    Ok(())
}

/// The object that is pickled in `bytes`.
///
/// # Errors
/// What unpickling raises.
#[inline]
pub(crate) fn decode<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    read::read(py, bytes, Instances::Are).or_else(|why| decode_by_pickle(py, bytes, why))
}

#[inline(never)]
fn decode_by_pickle<'py>(
    py: Python<'py>,
    bytes: &[u8],
    why: Unread,
) -> PyResult<Bound<'py, PyAny>> {
    match why {
        Unread::Other => pickler::load(PyBytes::new(py, bytes).as_any()),
        Unread::Raised(error) => Err(*error),
    }
}

/// The same for plain data, and nothing else.
#[inline]
pub(crate) fn decode_plain<'py>(py: Python<'py>, bytes: &[u8]) -> Option<Bound<'py, PyAny>> {
    read::read(py, bytes, Instances::AreNot).ok()
}

/// The object in a message of that format.
///
/// # Errors
/// What unpickling raises; `ValueError` for a format that is not Python's.
#[inline]
pub(crate) fn decode_message<'py>(
    py: Python<'py>,
    format: u8,
    bytes: &[u8],
) -> PyResult<Bound<'py, PyAny>> {
    match format {
        PICKLE => decode(py, bytes),
        BYTES => Ok(PyBytes::new(py, bytes).into_any()),
        other => Err(foreign(other)),
    }
}

/// The object in a parcel, behind `head` bytes of something else.
///
/// # Errors
/// As [`decode_message`].
pub(crate) fn decode_parcel(
    py: Python<'_>,
    parcel: Parcel,
    head: usize,
) -> PyResult<Bound<'_, PyAny>> {
    match parcel.format() {
        PICKLE => parcel::read_whole(py, parcel, head),
        BUFFERS => parcel::read_buffers(py, parcel, head),
        BYTES => Ok(PyBytes::new(py, &parcel.bytes()[head..]).into_any()),
        other => Err(foreign(other)),
    }
}

#[cold]
fn foreign(format: u8) -> PyErr {
    PyValueError::new_err(format!(
        "a message of format {format}, which is Rust's own; let the Rust side speak pickle"
    ))
}

/// The object as a pickle that `pickle.loads` reads; plain data without calling `pickle`.
#[pyfunction]
fn dumps<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    let mut scratch = Scratch::take();
    let bytes = scratch.vec();
    encode_whole(object, bytes)?;
    Ok(PyBytes::new(object.py(), bytes))
}

/// The object that was pickled.
#[pyfunction]
fn loads<'py>(data: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(bytes) = data.cast_exact::<PyBytes>() else { return pickler::load(data) };
    match read::read(data.py(), bytes.as_bytes(), Instances::Are) {
        Ok(object) => Ok(object),
        Err(Unread::Other) => pickler::load(data),
        Err(Unread::Raised(error)) => Err(*error),
    }
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<view::View>()?;
    module.add_function(wrap_pyfunction!(dumps, module)?)?;
    module.add_function(wrap_pyfunction!(loads, module)?)
}
