//! What `__reduce_ex__` says of objects whose classes are not ordinary.
//!
//! It may have effects, so it is asked once for each object. The answers are kept until the message is done: if it
//! turns out to be `pickle`'s to write, the pickler gets those that were had already.

use super::{instance, pickler};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyIterator, PyList, PyTuple, PyType};

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
    pub(super) items: Option<Bound<'py, PyList>>,
    /// Tuples, as the object gave them.
    pub(super) pairs: Option<Bound<'py, PyList>>,
    pub(super) state: Option<Bound<'py, PyAny>>,
}

/// Whether `pickle` would ask the `__reduce_ex__` of the object, which is no class, no function and no container.
///
/// # Errors
/// What stands in the way of an answer.
pub(super) fn is_asked(object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> PyResult<bool> {
    static BUFFER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    let is_buffer = class.is(BUFFER.import(object.py(), "pickle", "PickleBuffer")?);
    Ok(!is_buffer && !pickler::is_registered(class)?)
}

/// Asks an object.
///
/// # Errors
/// What it raises; `AttributeError` if there is nothing to ask.
pub(super) fn ask<'py>(object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    object.getattr(intern!(object.py(), "__reduce_ex__"))?.call1((PROTOCOL,))
}

/// The recipe in an answer, if it is one of those that are written here, and the answer as it has to be kept: its
/// iterators can be run through but once.
///
/// # Errors
/// What stands in the way of an answer, and what the iterators raise.
pub(super) fn recipe<'py>(
    object: &Bound<'py, PyAny>,
    answer: Bound<'py, PyAny>,
) -> PyResult<(Bound<'py, PyAny>, Option<Recipe<'py>>)> {
    let Ok(parts) = answer.cast_exact::<PyTuple>() else { return Ok((answer, None)) };
    let len = parts.len();
    if !(2..=6).contains(&len) || !is_none(parts, 5) {
        return Ok((answer, None));
    }
    let Some((maker, is_new, arguments)) = beginning(object, parts) else {
        return Ok((answer, None));
    };
    let state = part(parts, 2);
    let (items, pairs) = (part(parts, 3), part(parts, 4));
    if items.is_none() && pairs.is_none() {
        let recipe = Recipe { maker, is_new, arguments, items: None, pairs: None, state };
        return Ok((answer, Some(recipe)));
    }
    let are_iterators =
        [&items, &pairs].into_iter().flatten().all(|part| part.cast::<PyIterator>().is_ok());
    if !are_iterators {
        return Ok((answer, None));
    }
    let list = |part: Option<Bound<'py, PyAny>>| part.map(|part| listed(&part)).transpose();
    let (items, pairs) = (list(items)?, list(pairs)?);
    let again =
        |list: &Option<Bound<'py, PyList>>| list.as_ref().map(|it| it.try_iter()).transpose();
    let kept = (parts.get_item(0)?, parts.get_item(1)?, &state, again(&items)?, again(&pairs)?);
    let kept = kept.into_pyobject(object.py())?.into_any();
    Ok((kept, Some(Recipe { maker, is_new, arguments, items, pairs, state })))
}

fn listed<'py>(iterator: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(iterator.py());
    iterator.try_iter()?.try_for_each(|item| list.append(item?))?;
    Ok(list)
}

/// What makes the object, whether that is a class, and of what.
fn beginning<'py>(
    object: &Bound<'py, PyAny>,
    parts: &Bound<'py, PyTuple>,
) -> Option<(Bound<'py, PyAny>, bool, Bound<'py, PyTuple>)> {
    let py = object.py();
    let maker = parts.get_item(0).ok()?;
    let arguments = parts.get_item(1).ok()?.cast_into_exact::<PyTuple>().ok()?;
    if !is_new_object(&maker) {
        let is_other_new = maker.getattr(intern!(py, "__name__")).is_ok_and(is_name_of_new);
        return (!is_other_new).then_some((maker, false, arguments));
    }
    let class = arguments.get_item(0).ok()?;
    let is_class =
        class.cast::<PyType>().is_ok_and(|class| instance::says_its_class(object, class));
    let arguments = arguments.get_slice(1, arguments.len());
    is_class.then_some((class, true, arguments))
}

/// A part that is there and not None.
fn part<'py>(parts: &Bound<'py, PyTuple>, at: usize) -> Option<Bound<'py, PyAny>> {
    parts.get_item(at).ok().filter(|part| !part.is_none())
}

fn is_none(parts: &Bound<'_, PyTuple>, at: usize) -> bool {
    part(parts, at).is_none()
}

/// Whether it is the function that stands for the opcode NEWOBJ.
fn is_new_object(maker: &Bound<'_, PyAny>) -> bool {
    static NEW: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = maker.py();
    let new = || py.import("copyreg").and_then(|it| it.getattr("__newobj__")).map(Bound::unbind);
    NEW.get_or_try_init(py, new).is_ok_and(|new| maker.is(new))
}

/// `pickle` knows the functions that stand for opcodes by their names.
fn is_name_of_new(name: Bound<'_, PyAny>) -> bool {
    name.extract::<&str>().is_ok_and(|name| matches!(name, "__newobj__" | "__newobj_ex__"))
}
