//! Methods that the interpreter calls without anything between.
//!
//! PyO3 wraps each method in what is right for all of them: the arguments are taken apart, the receiver's type
//! is looked at again, the attachment is counted. Taking and giving back a free lock takes less time than that.
//! So for the few methods that are called that often the class gets a method of the C API in the place of
//! PyO3's, which stays behind it for calls with arguments.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use pyo3::{PyClass, ffi};
use std::ffi::CStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

/// Runs `body` for the interpreter.
///
/// # Safety
/// The interpreter calls the method, on an object of the class `T`.
#[inline]
pub(crate) unsafe fn answer<T: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync>(
    receiver: *mut ffi::PyObject,
    body: impl FnOnce(Python<'_>, &T) -> PyResult<*mut ffi::PyObject>,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter is attached where it calls a method.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: the caller's reference outlives the call.
    let receiver = unsafe { Borrowed::from_ptr(py, receiver) };
    // SAFETY: of the class `T`, by the caller; the descriptor of a method has checked it.
    let receiver = unsafe { receiver.cast_unchecked::<T>() };
    match catch_unwind(AssertUnwindSafe(|| body(py, receiver.get()))) {
        Ok(Ok(object)) => object,
        Ok(Err(error)) => {
            error.restore(py);
            ptr::null_mut()
        }
        Err(_) => {
            PyRuntimeError::new_err("the engine panicked; standard error says where").restore(py);
            ptr::null_mut()
        }
    }
}

/// A new reference to `None`.
#[inline]
pub(crate) fn none() -> *mut ffi::PyObject {
    // SAFETY: `None` is always there.
    let none = unsafe { ffi::Py_None() };
    // SAFETY: an object; whoever gets the reference is attached.
    unsafe { ffi::Py_NewRef(none) }
}

/// A new reference to `True` or `False`.
#[inline]
pub(crate) fn truth(value: bool) -> *mut ffi::PyObject {
    let object = if value {
        // SAFETY: it is always there.
        unsafe { ffi::Py_True() }
    } else {
        // SAFETY: it is always there.
        unsafe { ffi::Py_False() }
    };
    // SAFETY: an object; whoever gets the reference is attached.
    unsafe { ffi::Py_NewRef(object) }
}

/// Puts a method in the place of PyO3's of the same name, whose documentation it keeps; PyO3's.
pub(crate) fn method(
    class: &Bound<'_, PyType>,
    name: &'static CStr,
    function: ffi::PyMethodDefPointer,
    flags: i32,
) -> PyResult<Py<PyAny>> {
    let attribute = name.to_str().expect("names of methods are ASCII");
    let before = class.getattr(attribute)?;
    let definition = ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: function,
        ml_flags: flags,
        ml_doc: documentation(&before)?,
    };
    // A method's definition lives as long as the process, as a static one does.
    let definition = Box::leak(Box::new(definition));
    // SAFETY: a class, and a definition that lives for ever and whose function has the form that its
    // flags say.
    let made = unsafe { ffi::PyDescr_NewMethod(class.as_type_ptr(), definition) };
    // SAFETY: a new reference, or null and an exception.
    class.setattr(attribute, unsafe { Bound::from_owned_ptr_or_err(class.py(), made)? })?;
    Ok(before.unbind())
}

/// Puts a getter and a setter in the place of PyO3's of the same name.
pub(crate) fn property(
    class: &Bound<'_, PyType>,
    name: &'static CStr,
    get: ffi::getter,
    set: ffi::setter,
) -> PyResult<()> {
    let attribute = name.to_str().expect("names of properties are ASCII");
    let definition = Box::leak(Box::new(ffi::PyGetSetDef {
        name: name.as_ptr(),
        get: Some(get),
        set: Some(set),
        doc: documentation(&class.getattr(attribute)?)?,
        closure: ptr::null_mut(),
    }));
    // SAFETY: a class, and a definition that lives for ever.
    let made = unsafe { ffi::PyDescr_NewGetSet(class.as_type_ptr(), definition) };
    // SAFETY: a new reference, or null and an exception.
    class.setattr(attribute, unsafe { Bound::from_owned_ptr_or_err(class.py(), made)? })
}

/// The signature and the documentation of what is replaced, as the C API has them.
fn documentation(of: &Bound<'_, PyAny>) -> PyResult<*const std::os::raw::c_char> {
    let text: Option<String> = of.getattr("__doc__")?.extract()?;
    let signature: Option<String> = match of.getattr("__text_signature__") {
        Ok(signature) => signature.extract()?,
        Err(_) => None,
    };
    let text = text.unwrap_or_default();
    let text = match signature {
        Some(signature) => {
            let name: String = of.getattr("__name__")?.extract()?;
            format!("{name}{signature}\n--\n\n{text}")
        }
        None => text,
    };
    Ok(std::ffi::CString::new(text)?.into_raw())
}
