//! `with lock:`, without a bound method each time.
//!
//! The interpreter looks `__enter__` and `__exit__` up in the class and binds them to the lock. Of a method
//! it makes an object for that, twice a block, which takes longer than the lock. So the class has
//! descriptors there that give out what was bound once.
//!
//! What is bound is the lock's [`Grip`], not the lock, which could never go otherwise.

use super::SemLock;
use super::direct::{answer, none, truth};
use super::sem_lock::State;
use pyo3::exceptions::PyRuntimeError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;
use std::ffi::{CStr, c_void};
use std::ptr;
use std::sync::Arc;

/// A lock, for the functions that take it and give it back.
#[pyclass(frozen, module = "procession._core")]
struct Grip(Arc<State>);

/// The functions of one lock, made when it is first used in a `with` block.
pub(super) struct Functions {
    enter: PyOnceLock<Py<PyAny>>,
    exit: PyOnceLock<Py<PyAny>>,
}

/// One of the two methods.
struct Way {
    name: &'static CStr,
    /// What the class had in its place, for those who ask the class.
    before: PyOnceLock<Py<PyAny>>,
    /// Where the definition of the function lies, which is never freed.
    definition: PyOnceLock<usize>,
}

static ENTER: Way = Way::new(c"__enter__");
static EXIT: Way = Way::new(c"__exit__");

/// Puts the descriptors in the place of PyO3's methods.
pub(super) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    ENTER.install(module, c"procession._core._Enter", give_enter as *mut c_void)?;
    EXIT.install(module, c"procession._core._Exit", give_exit as *mut c_void)
}

impl Way {
    const fn new(name: &'static CStr) -> Self {
        Self { name, before: PyOnceLock::new(), definition: PyOnceLock::new() }
    }

    fn class_attribute(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let before = self.before.get(py).map(|before| before.clone_ref(py));
        before.ok_or_else(|| PyRuntimeError::new_err("the class is not complete yet"))
    }

    /// `get` is a `descrgetfunc`.
    fn install(
        &self,
        module: &Bound<'_, PyModule>,
        type_name: &'static CStr,
        get: *mut c_void,
    ) -> PyResult<()> {
        let py = module.py();
        let class = py.get_type::<SemLock>();
        let attribute = self.name.to_str().expect("names of methods are ASCII");
        let before = class.getattr(attribute)?.unbind();
        self.before.get_or_init(py, || before);
        let mut slots = [
            ffi::PyType_Slot { slot: ffi::Py_tp_descr_get, pfunc: get },
            ffi::PyType_Slot { slot: 0, pfunc: ptr::null_mut() },
        ];
        let mut spec = ffi::PyType_Spec {
            name: type_name.as_ptr(),
            basicsize: 0,
            itemsize: 0,
            flags: ffi::Py_TPFLAGS_DEFAULT as u32,
            slots: slots.as_mut_ptr(),
        };
        // SAFETY: the name lives for ever, the slots end with a zero and are read within the call, and
        // the one function is of the form that its slot has.
        let made = unsafe { ffi::PyType_FromSpec(&raw mut spec) };
        // SAFETY: a new reference, or null and an exception.
        let descriptor = unsafe { Bound::from_owned_ptr_or_err(py, made)? };
        class.setattr(attribute, descriptor.call0()?)
    }
}

impl Functions {
    pub(super) const fn new() -> Self {
        Self { enter: PyOnceLock::new(), exit: PyOnceLock::new() }
    }

    fn enter(&self, py: Python<'_>, lock: &SemLock) -> PyResult<&Py<PyAny>> {
        let function = ffi::PyMethodDefPointer { PyCFunction: take };
        self.enter.get_or_try_init(py, || bind(py, lock, &ENTER, function, ffi::METH_NOARGS))
    }

    fn exit(&self, py: Python<'_>, lock: &SemLock) -> PyResult<&Py<PyAny>> {
        let function = ffi::PyMethodDefPointer { PyCFunctionFast: give };
        self.exit.get_or_try_init(py, || bind(py, lock, &EXIT, function, ffi::METH_FASTCALL))
    }
}

/// A function that is bound to the lock's grip.
fn bind(
    py: Python<'_>,
    lock: &SemLock,
    way: &Way,
    function: ffi::PyMethodDefPointer,
    flags: i32,
) -> PyResult<Py<PyAny>> {
    let grip = Py::new(py, Grip(Arc::clone(lock.shared_state()?)))?;
    let definition = *way.definition.get_or_init(py, || {
        let definition = ffi::PyMethodDef {
            ml_name: way.name.as_ptr(),
            ml_meth: function,
            ml_flags: flags,
            ml_doc: ptr::null(),
        };
        ptr::from_mut(Box::leak(Box::new(definition))).expose_provenance()
    });
    let definition = ptr::with_exposed_provenance_mut(definition);
    // SAFETY: the definition lives for ever, its function has the form that its flags say; the grip is
    // an object of the class that the function expects.
    let made = unsafe { ffi::PyCFunction_NewEx(definition, grip.as_ptr(), ptr::null_mut()) };
    // SAFETY: a new reference, or null and an exception.
    Ok(unsafe { Bound::from_owned_ptr_or_err(py, made)? }.unbind())
}

unsafe extern "C" fn take(
    grip: *mut ffi::PyObject,
    _nothing: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    let take = |py: Python<'_>, grip: &Grip| {
        let state = &grip.0;
        Ok(truth(state.try_acquire() || state.acquire(py, true, None)?))
    };
    // SAFETY: the function is bound to a grip.
    unsafe { answer(grip, take) }
}

unsafe extern "C" fn give(
    grip: *mut ffi::PyObject,
    _arguments: *mut *mut ffi::PyObject,
    _count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    let give = |_py: Python<'_>, grip: &Grip| {
        grip.0.release()?;
        Ok(none())
    };
    // SAFETY: the function is bound to a grip.
    unsafe { answer(grip, give) }
}

unsafe extern "C" fn give_enter(
    _descriptor: *mut ffi::PyObject,
    lock: *mut ffi::PyObject,
    _class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter asks for an attribute.
    unsafe { give_out(&ENTER, lock, |py, lock| lock.bound().enter(py, lock)) }
}

unsafe extern "C" fn give_exit(
    _descriptor: *mut ffi::PyObject,
    lock: *mut ffi::PyObject,
    _class: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter asks for an attribute.
    unsafe { give_out(&EXIT, lock, |py, lock| lock.bound().exit(py, lock)) }
}

/// The object as a lock.
#[inline]
fn as_lock<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Borrowed<'a, 'py, SemLock>> {
    /// Classes of locks that were met before, as a rule `Lock` and `RLock`; kept, so that no other
    /// class ever has their addresses.
    static KNOWN: [PyOnceLock<Py<PyType>>; 2] = [PyOnceLock::new(), PyOnceLock::new()];
    let py = object.py();
    let class = object.get_type_ptr();
    if KNOWN.iter().any(|known| known.get(py).is_some_and(|known| known.as_ptr().cast() == class)) {
        // SAFETY: of a class that was found to be one of locks.
        return Ok(unsafe { object.cast_unchecked() });
    }
    let lock = object.cast::<SemLock>()?;
    if let Some(room) = KNOWN.iter().find(|known| known.get(py).is_none()) {
        room.get_or_init(py, || object.get_type().unbind());
    }
    Ok(lock)
}

/// What a descriptor answers: of a lock the function that is bound, of the class the method that was
/// there before.
///
/// # Safety
/// The interpreter is attached; `lock` is null or borrowed for the call.
#[inline]
unsafe fn give_out(
    way: &Way,
    lock: *mut ffi::PyObject,
    function: impl for<'a> FnOnce(Python<'_>, &'a SemLock) -> PyResult<&'a Py<PyAny>>,
) -> *mut ffi::PyObject {
    // SAFETY: the caller says so.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: the caller says so.
    let lock = unsafe { Borrowed::from_ptr_or_opt(py, lock) };
    let found = match lock {
        Some(lock) => as_lock(lock).and_then(|lock| Ok(function(py, lock.get())?.clone_ref(py))),
        None => way.class_attribute(py),
    };
    found.map_or_else(
        |error| {
            error.restore(py);
            ptr::null_mut()
        },
        Py::into_ptr,
    )
}
