//! Integers, as pickle writes them: little-endian two's complement.

use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyBytes, PyInt};

/// How many of the bytes of `value` are needed to know it.
pub(super) fn needed(value: i128) -> usize {
    let sign_bits = if value < 0 { value.leading_ones() } else { value.leading_zeros() };
    size_of::<i128>() - (sign_bits as usize - 1) / 8
}

/// The bytes of a large number.
pub(super) fn to_bytes(number: &Bound<'_, PyInt>) -> PyResult<Vec<u8>> {
    if let Ok(value) = number.extract::<i128>() {
        return Ok(value.to_le_bytes()[..needed(value)].to_vec());
    }
    let py = number.py();
    let bits: usize = number.call_method0("bit_length")?.extract()?;
    let signed = [("signed", true)].into_py_dict(py)?;
    let bytes = number.call_method("to_bytes", (bits / 8 + 1, "little"), Some(&signed))?;
    Ok(bytes.cast_into::<PyBytes>()?.as_bytes().to_vec())
}

/// The number of those bytes.
pub(super) fn from_bytes<'py>(py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
    const MOST: usize = size_of::<i128>();
    let sign = if bytes.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
    if bytes.len() <= 8 {
        let mut all = [sign; 8];
        all[..bytes.len()].copy_from_slice(bytes);
        return Ok(i64::from_le_bytes(all).into_pyobject(py)?.into_any());
    }
    if bytes.len() <= MOST {
        let mut all = [sign; MOST];
        all[..bytes.len()].copy_from_slice(bytes);
        return Ok(i128::from_le_bytes(all).into_pyobject(py)?.into_any());
    }
    let signed = [("signed", true)].into_py_dict(py)?;
    let bytes = PyBytes::new(py, bytes);
    py.get_type::<PyInt>().call_method("from_bytes", (bytes, "little"), Some(&signed))
}
