//! Picklers that the user brings.

use super::{Encoded, parcel};
use procession_ipc::byte_queue::is_large;
use procession_shm::Family;
use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

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
    /// What the option `serializer=` of queues and pools says: `None`, `"pickle"`, `"cloudpickle"` or
    /// an object with a `dumps`, which returns a pickle.
    ///
    /// # Errors
    /// `ValueError` for another name, `TypeError` for an object without `dumps`, and `ImportError`
    /// where cloudpickle is not installed.
    pub(crate) fn from_option(option: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(option) = option else { return Ok(Self::Pickle) };
        let Ok(name) = option.cast::<PyString>() else {
            return match option.getattr("dumps") {
                Ok(dumps) if dumps.is_callable() => Ok(Self::Other(dumps.unbind())),
                _ => Err(PyTypeError::new_err("a serializer is a name or has a method dumps")),
            };
        };
        match name.to_str()? {
            "pickle" => Ok(Self::Pickle),
            "cloudpickle" => {
                let dumps = option.py().import("cloudpickle")?.getattr("dumps")?;
                Ok(Self::Other(dumps.unbind()))
            }
            name => Err(PyValueError::new_err(format!(
                "no serializer is called {name:?}; there are \"pickle\" and \"cloudpickle\""
            ))),
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
        family: &'static Family,
        bytes: &mut Vec<u8>,
    ) -> PyResult<Encoded> {
        match self {
            Self::Pickle => super::encode(object, family, bytes),
            Self::Other(dumps) => encode_by(dumps, object, family, bytes),
        }
    }
}

fn encode_by(
    dumps: &Py<PyAny>,
    object: &Bound<'_, PyAny>,
    family: &'static Family,
    bytes: &mut Vec<u8>,
) -> PyResult<Encoded> {
    let py = object.py();
    let pickle = dumps.bind(py).call1((object,))?;
    match pickle.cast_exact::<PyBytes>() {
        Ok(pickle) if is_large(pickle.as_bytes().len()) => {
            return parcel::of_whole(py, family, pickle.as_bytes()).map(Encoded::Parcel);
        }
        Ok(pickle) => bytes.extend_from_slice(pickle.as_bytes()),
        Err(_) => bytes.extend(PyBuffer::<u8>::get(&pickle)?.to_vec(py)?),
    }
    if is_large(bytes.len()) {
        return parcel::of_whole(py, family, bytes).map(Encoded::Parcel);
    }
    Ok(Encoded::Bytes)
}
