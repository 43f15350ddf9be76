//! Classes and their instances as the C API sees them, where PyO3 has no safe form for it.
//!
//! `_pickle` asks the same questions by the same functions, so what is found here is what it would find.

use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyCFunction, PyDict, PyModule, PyString, PyTuple, PyType};
use std::ffi::{c_int, c_void};

fn slot(class: &Bound<'_, PyType>, number: c_int) -> *mut c_void {
    // SAFETY: a living type, and the number of a slot that types have; since 3.10 any type may be asked.
    unsafe { ffi::PyType_GetSlot(class.as_type_ptr(), number) }
}

/// Whether both have the same function in these places; only the addresses are looked at.
fn agree(one: &Bound<'_, PyType>, other: &Bound<'_, PyType>, slots: &[c_int]) -> bool {
    slots.iter().all(|number| slot(one, *number) == slot(other, *number))
}

/// Whether attributes of the class's instances are found as those of an `object` are: neither `__getattribute__`
/// nor `__getattr__` is the class's own.
#[inline]
pub(super) fn looks_up_plainly(class: &Bound<'_, PyType>) -> bool {
    agree(class, &class.py().get_type::<PyAny>(), &[ffi::Py_tp_getattro])
}

/// Whether the metaclass leaves to `type` how attributes of classes are found, and which classes are equal.
pub(super) fn is_plain_metaclass(metaclass: &Bound<'_, PyType>) -> bool {
    let slots = [ffi::Py_tp_getattro, ffi::Py_tp_hash, ffi::Py_tp_richcompare];
    agree(metaclass, &metaclass.py().get_type::<PyType>(), &slots)
}

/// Whether instances are made by `object.__new__`, which runs no code of the user's.
#[inline]
pub(super) fn is_made_plainly(class: &Bound<'_, PyType>) -> bool {
    agree(class, &class.py().get_type::<PyAny>(), &[ffi::Py_tp_new])
}

/// Whether the object is one that pickles as its name: a class, or a function of a module.
#[inline]
pub(crate) fn is_global(object: &Bound<'_, PyAny>) -> bool {
    static FUNCTION: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let py = object.py();
    if object.is_instance_of::<PyType>() {
        return true;
    }
    if object.is_exact_instance_of::<PyCFunction>() {
        let bound_to = object.getattr(intern!(py, "__self__"));
        return bound_to.is_ok_and(|it| it.is_none() || it.is_instance_of::<PyModule>());
    }
    FUNCTION.import(py, "types", "FunctionType").is_ok_and(|it| object.get_type().is(it))
}

/// A new instance, as the opcode NEWOBJ makes it.
///
/// `None` if the class has no `__new__`.
///
/// # Errors
/// What `__new__` raises.
#[inline]
pub(super) fn make<'py>(
    class: &Bound<'py, PyType>,
    arguments: &Bound<'py, PyTuple>,
) -> Option<PyResult<Bound<'py, PyAny>>> {
    let py = class.py();
    let new = slot(class, ffi::Py_tp_new);
    if new.is_null() {
        return None;
    }
    // SAFETY: "the slot tp_new holds a newfunc" or null, which was refused.
    let new = unsafe { std::mem::transmute::<*mut c_void, ffi::newfunc>(new) };
    // SAFETY: the function of this very type, with a tuple, and no keywords, for which null stands.
    let made = unsafe { new(class.as_type_ptr(), arguments.as_ptr(), std::ptr::null_mut()) };
    // SAFETY: it returns a new reference, or null with an exception set.
    Some(unsafe { Bound::from_owned_ptr_or_err(py, made) })
}

/// Sets an attribute of that name, whatever it is.
///
/// # Errors
/// `TypeError` for a name that is no string, and what the setting raises.
pub(super) fn set_attribute(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyAny>,
    value: &Bound<'_, PyAny>,
) -> PyResult<()> {
    // SAFETY: three living objects.
    match unsafe { ffi::PyObject_SetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) } {
        0 => Ok(()),
        _ => Err(PyErr::fetch(object.py())),
    }
}

/// Whether the object has that attribute; where the lookup is plain, a missing one costs no exception.
#[inline]
pub(super) fn has(object: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> bool {
    // SAFETY: a living object and a string; it "always succeeds".
    unsafe { ffi::PyObject_HasAttr(object.as_ptr(), name.as_ptr()) != 0 }
}

/// The attribute of that name, if the object has one; where the lookup is plain, a missing one costs no exception.
///
/// # Errors
/// What the lookup raises, but for that it is missing.
#[inline]
pub(super) fn found<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    if looks_up_plainly(&object.get_type()) && !has(object, name) {
        return Ok(None);
    }
    object.getattr_opt(name)
}

/// The dict with the object's attributes, whatever `__dict__` says; `None` if there is none, or it is not
/// exactly a dict.
#[inline]
pub(super) fn attributes<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    // SAFETY: a living object; the second argument is not used.
    let dict = unsafe { ffi::PyObject_GenericGetDict(object.as_ptr(), std::ptr::null_mut()) };
    // SAFETY: it returns a new reference, or null with an exception set.
    let dict = unsafe { Bound::from_owned_ptr_or_err(object.py(), dict) };
    dict.ok()?.cast_into_exact::<PyDict>().ok()
}

/// The module of that name that was imported, or is being imported, if it is an ordinary one.
#[inline]
pub(super) fn module<'py>(name: &Bound<'py, PyString>) -> Option<Bound<'py, PyModule>> {
    let py = name.py();
    // SAFETY: the interpreter is attached; "always succeeds".
    let modules = unsafe { ffi::PyImport_GetModuleDict() };
    // SAFETY: a borrowed reference to what the interpreter keeps.
    let modules = unsafe { Bound::from_borrowed_ptr(py, modules) };
    let modules = modules.cast_exact::<PyDict>().ok()?;
    modules.get_item(name).ok()??.cast_into_exact().ok()
}

/// What a name leads to from those of a module on, attribute by attribute where it has dots.
///
/// # Errors
/// What looking for an attribute raises.
#[inline]
pub(super) fn by_path<'py>(
    names: &Bound<'py, PyDict>,
    name: &Bound<'py, PyString>,
) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Some((first, rest)) = name.to_str()?.split_once('.') else { return names.get_item(name) };
    let Some(first) = names.get_item(first)? else { return Ok(None) };
    rest.split('.').try_fold(first, |object, part| object.getattr(part)).map(Some)
}
