//! What `__reduce_ex__` says of objects whose classes are not ordinary.
//!
//! It may have effects, so it is asked once for each object. The answers are kept until the message is done: if it
//! turns out to be `pickle`'s to write, the pickler gets those that were had already.

use super::{instance, pickler};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyFrozenSet, PySet, PyTuple, PyType};

/// What is asked for.
pub(super) const PROTOCOL: u8 = 5;

/// An object, and what its `__reduce_ex__` returned or raised.
pub(super) type Answer<'py> = (Bound<'py, PyAny>, PyResult<Bound<'py, PyAny>>);

/// How an object is made.
pub(super) struct Recipe<'py> {
    /// A class, if it `is_new`; else what is called.
    pub(super) maker: Bound<'py, PyAny>,
    pub(super) is_new: bool,
    pub(super) arguments: Bound<'py, PyTuple>,
    pub(super) state: Option<Bound<'py, PyAny>>,
}

/// Whether `pickle` would ask the `__reduce_ex__` of the object, which is neither a class nor a function.
///
/// # Errors
/// What stands in the way of an answer.
pub(super) fn is_asked(object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> PyResult<bool> {
    static BUFFER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let is_pickles_own = object.is_exact_instance_of::<PySet>()
        || object.is_exact_instance_of::<PyFrozenSet>()
        || class.is(BUFFER.import(object.py(), "pickle", "PickleBuffer")?);
    Ok(!is_pickles_own && !pickler::is_registered(class)?)
}

/// Asks an object.
///
/// # Errors
/// What it raises; `AttributeError` if there is nothing to ask.
pub(super) fn ask<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    object.getattr(intern!(object.py(), "__reduce_ex__"))?.call1((PROTOCOL,))
}

/// The recipe in an answer, if it is one of those that are written here.
///
/// # Errors
/// What stands in the way of an answer.
pub(super) fn recipe<'py>(
    object: &Bound<'py, PyAny>,
    answer: &Bound<'py, PyAny>,
) -> PyResult<Option<Recipe<'py>>> {
    let py = object.py();
    let Ok(parts) = answer.cast_exact::<PyTuple>() else { return Ok(None) };
    let len = parts.len();
    if !(2..=6).contains(&len) || !(3..len).all(|at| is_none(parts, at)) {
        return Ok(None);
    }
    let maker = parts.get_item(0)?;
    let Ok(arguments) = parts.get_item(1)?.cast_into_exact::<PyTuple>() else { return Ok(None) };
    let state = (len > 2 && !is_none(parts, 2)).then(|| parts.get_item(2)).transpose()?;
    if !is_new_object(&maker)? {
        let is_other_new = maker.getattr(intern!(py, "__name__")).is_ok_and(is_name_of_new);
        let recipe = Recipe { maker, is_new: false, arguments, state };
        return Ok((!is_other_new).then_some(recipe));
    }
    let Ok(class) = arguments.get_item(0) else { return Ok(None) };
    let is_class =
        class.cast::<PyType>().is_ok_and(|class| instance::says_its_class(object, class));
    let arguments = arguments.get_slice(1, arguments.len());
    Ok(is_class.then_some(Recipe { maker: class, is_new: true, arguments, state }))
}

fn is_none(parts: &Bound<'_, PyTuple>, at: usize) -> bool {
    parts.get_item(at).is_ok_and(|part| part.is_none())
}

/// Whether it is the function that stands for the opcode NEWOBJ.
fn is_new_object(maker: &Bound<'_, PyAny>) -> PyResult<bool> {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = maker.py();
    let new =
        NEW.get_or_try_init(py, || py.import("copyreg")?.getattr("__newobj__").map(Bound::unbind))?;
    Ok(maker.is(new))
}

/// `pickle` knows the functions that stand for opcodes by their names.
fn is_name_of_new(name: Bound<'_, PyAny>) -> bool {
    name.extract::<&str>().is_ok_and(|name| matches!(name, "__newobj__" | "__newobj_ex__"))
}
