//! The methods of `SynchronizedValue` that cost as much as the value.

use super::value::SynchronizedValue;
use crate::sync::direct::{answer, method, none, property};
use pyo3::ffi::{self, PyMethodDefPointer};
use pyo3::prelude::*;
use std::os::raw::{c_int, c_void};

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module.py().get_type::<SynchronizedValue>();
    property(&class, c"value", get, set)?;
    let plain = PyMethodDefPointer { PyCFunction: get_lock };
    method(&class, c"get_lock", plain, ffi::METH_NOARGS)?;
    Ok(())
}

unsafe extern "C" fn get(value: *mut ffi::PyObject, _closure: *mut c_void) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls it as a getter of the class.
    unsafe { answer(value, |py, value: &SynchronizedValue| Ok(value.read(py)?.into_ptr())) }
}

unsafe extern "C" fn set(
    value: *mut ffi::PyObject,
    new: *mut ffi::PyObject,
    _closure: *mut c_void,
) -> c_int {
    let write = |py: Python<'_>, value: &SynchronizedValue| {
        // SAFETY: null, to delete, or borrowed for the call.
        let new = unsafe { Borrowed::from_ptr_or_opt(py, new) };
        value.write(py, new.as_deref())?;
        Ok(none())
    };
    // SAFETY: the interpreter calls it as a setter of the class.
    let done = unsafe { answer(value, write) };
    if done.is_null() {
        return -1;
    }
    // SAFETY: the reference to `None` that was just made.
    unsafe { ffi::Py_DecRef(done) };
    0
}

unsafe extern "C" fn get_lock(
    value: *mut ffi::PyObject,
    _nothing: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls it as a method of the class.
    unsafe { answer(value, |py, value: &SynchronizedValue| Ok(value.lock(py)?.into_ptr())) }
}
