//! Integers, as pickle writes them: little-endian two's complement.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyInt};

/// How many of the eight bytes of `value` are needed to know it.
pub(super) fn needed(value: i64) -> usize {
    let sign_bits = if value < 0 { value.leading_ones() } else { value.leading_zeros() };
    8 - (sign_bits as usize - 1) / 8
}

/// The bytes of a large number.
pub(super) fn to_bytes(number: &Bound<'_, PyInt>) -> PyResult<Vec<u8>> {
    let py = number.py();
    let bits: usize = number.call_method0("bit_length")?.extract()?;
    let signed = [("signed", true)];
    let signed = pyo3::types::IntoPyDict::into_py_dict(signed, py)?;
    let bytes = number.call_method("to_bytes", (bits / 8 + 1, "little"), Some(&signed))?;
    Ok(bytes.cast_into::<PyBytes>()?.as_bytes().to_vec())
}

/// The number of those bytes.
pub(super) fn from_bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    if bytes.len() <= 8 {
        let sign = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut all = [if sign { 0xff } else { 0 }; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        return Ok(i64::from_le_bytes(all).into_pyobject(py)?.into_any());
    }
    let signed = [("signed", true)];
    let signed = pyo3::types::IntoPyDict::into_py_dict(signed, py)?;
    let bytes = PyBytes::new(py, bytes);
    py.get_type::<PyInt>().call_method("from_bytes", (bytes, "little"), Some(&signed))
}
