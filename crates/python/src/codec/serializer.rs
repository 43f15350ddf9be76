//! Picklers that the user brings.

use super::{Encoded, Outcome, sized};
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString};

/// How objects that a user puts become messages.
///
/// Whatever writes them, they are pickles; so whoever reads them need not know.
pub(crate) enum Serializer {
    /// As `multiprocessing` does it.
    Pickle,
    /// By the `dumps` of this object.
    Other(Py<PyAny>),
}

impl Serializer {
    /// What the option `serializer=` of queues and pools says: `None` or `"pickle"`, the name of a
    /// module with a `dumps`, such as `"cloudpickle"`, or an object with one.
    ///
    /// # Errors
    /// `TypeError` for an object without `dumps`, `ImportError` where the module is not installed.
    pub(crate) fn from_option(option: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(option) = option else { return Ok(Self::Pickle) };
        let dumps = match option.cast::<PyString>() {
            Ok(name) if name.to_str()? == "pickle" => return Ok(Self::Pickle),
            Ok(name) => option.py().import(name)?.getattr("dumps"),
            Err(_) => option.getattr("dumps"),
        };
        match dumps {
            Ok(dumps) if dumps.is_callable() => Ok(Self::Other(dumps.unbind())),
            _ => {
                Err(PyTypeError::new_err("a serializer has a function dumps that returns a pickle"))
            }
        }
    }

    /// As [`encode`](super::encode).
    ///
    /// # Errors
    /// As there.
    #[inline]
    pub(crate) fn encode(
        &self,
        object: &Bound<'_, PyAny>,
        bytes: &mut Vec<u8>,
    ) -> PyResult<Encoded> {
        match self {
            Self::Pickle => super::encode(object, bytes),
            Self::Other(dumps) => encode_by(dumps, object, bytes),
        }
    }

    /// As [`append_small`](super::append_small); never for objects that the user's `dumps` has to see.
    #[inline]
    pub(crate) fn append_small(&self, object: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> bool {
        matches!(self, Self::Pickle) && super::append_small(object, bytes)
    }

    /// As [`append_item`](super::append_item).
    #[inline]
    pub(crate) fn append_item<'py>(
        &self,
        list: &Bound<'py, PyList>,
        at: usize,
        bytes: &mut Vec<u8>,
    ) -> Outcome<'py> {
        match self {
            Self::Pickle => super::append_item(list, at, bytes),
            Self::Other(_) => list.get_item(at).map_or(Outcome::None, Outcome::Other),
        }
    }
}

fn encode_by(
    dumps: &Py<PyAny>,
    object: &Bound<'_, PyAny>,
    bytes: &mut Vec<u8>,
) -> PyResult<Encoded> {
    let (py, start) = (object.py(), bytes.len());
    let pickle = dumps.bind(py).call1((object,))?;
    match pickle.cast_exact::<PyBytes>() {
        Ok(pickle) => bytes.extend_from_slice(pickle.as_bytes()),
        Err(_) => bytes.extend(PyBuffer::<u8>::get(&pickle)?.to_vec(py)?),
    }
    Ok(sized(start, bytes, Vec::new(), false))
}
