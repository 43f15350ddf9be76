//! The methods of `SemLock` that cost as much as the lock.

use super::SemLock;
use super::direct::{answer, method, none, truth};
use pyo3::ffi::{self, PyMethodDefPointer};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyTuple};

/// PyO3's `acquire`, for calls with arguments.
static ACQUIRE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module.py().get_type::<SemLock>();
    let plain = PyMethodDefPointer { PyCFunction: release };
    method(&class, c"release", plain, ffi::METH_NOARGS)?;
    let keywords = PyMethodDefPointer { PyCFunctionFastWithKeywords: acquire };
    let before = method(&class, c"acquire", keywords, ffi::METH_FASTCALL | ffi::METH_KEYWORDS)?;
    ACQUIRE.get_or_init(module.py(), || before);
    Ok(())
}

fn take(py: Python<'_>, lock: &SemLock) -> PyResult<*mut ffi::PyObject> {
    let state = lock.state()?;
    Ok(truth(state.try_acquire() || state.acquire(py, true, None)?))
}

fn give(_py: Python<'_>, lock: &SemLock) -> PyResult<*mut ffi::PyObject> {
    lock.state()?.release()?;
    Ok(none())
}

unsafe extern "C" fn release(
    lock: *mut ffi::PyObject,
    _nothing: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter calls it as a method of the class.
    unsafe { answer(lock, give) }
}

unsafe extern "C" fn acquire(
    lock: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    if count == 0 && names.is_null() {
        // SAFETY: the interpreter calls it as a method of the class.
        return unsafe { answer(lock, take) };
    }
    let with_arguments = |py: Python<'_>, _: &SemLock| {
        // SAFETY: as the interpreter's convention says: `count` arguments, and behind them one for
        // each of the names, borrowed for the call.
        let call = unsafe { arguments_of(py, lock, arguments, count, names) }?;
        let before = ACQUIRE.get(py).expect("kept when the method was replaced").bind(py);
        Ok(before.call(call.0, Some(&call.1))?.into_ptr())
    };
    // SAFETY: the interpreter calls it as a method of the class.
    unsafe { answer(lock, with_arguments) }
}

/// The receiver and the arguments of a call, as a tuple and a dict.
///
/// # Safety
/// `lock`, `count` values at `arguments`, and one more there for each of `names`, which is null or a
/// tuple of strings, are borrowed objects.
unsafe fn arguments_of<'py>(
    py: Python<'py>,
    lock: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> PyResult<(Bound<'py, PyTuple>, Bound<'py, PyDict>)> {
    let argument = |number: usize| {
        // SAFETY: inside the array, by the callers below, where an object lies.
        let argument = unsafe { arguments.wrapping_add(number).read() };
        // SAFETY: a borrowed object, which gets a reference of its own.
        unsafe { Bound::from_borrowed_ptr(py, argument) }
    };
    // SAFETY: borrowed.
    let lock = unsafe { Bound::from_borrowed_ptr(py, lock) };
    let count = count as usize;
    let positional = std::iter::once(lock).chain((0..count).map(argument)).collect::<Vec<_>>();
    let keywords = PyDict::new(py);
    // SAFETY: null or borrowed.
    if let Some(names) = unsafe { Bound::from_borrowed_ptr_or_opt(py, names) } {
        for (number, name) in names.cast_into::<PyTuple>()?.iter().enumerate() {
            keywords.set_item(name, argument(count + number))?;
        }
    }
    Ok((PyTuple::new(py, positional)?, keywords))
}
