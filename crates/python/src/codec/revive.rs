//! Classes, functions and objects from pickles, as `_pickle` makes them.
//!
//! All of it may run code of the user's, and is therefore done once: what it raises is final.

use super::{class, pickler};
use procession_wire::pickle::op::*;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple, PyType};

/// The class or function of that name, as the opcode STACK_GLOBAL finds it.
///
/// # Errors
/// What `pickle.loads` raises where there is none, and what an audit hook raises.
pub(super) fn find<'py>(
    module: &Bound<'py, PyString>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    match imported(module, name) {
        Some(found) => audit(module, name).map(|()| found),
        None => by_pickle(module, name),
    }
}

/// What the module has under that name, if it was imported wholly.
fn imported<'py>(
    module: &Bound<'py, PyString>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    let py = module.py();
    let names = class::module(module)?.dict();
    let spec = names.get_item(intern!(py, "__spec__")).ok()??;
    let is_whole = match class::found(&spec, intern!(py, "_initializing")).ok()? {
        Some(initializing) => !initializing.is_truthy().ok()?,
        None => true,
    };
    if is_whole { class::by_path(&names, name).ok()? } else { None }
}

fn audit(module: &Bound<'_, PyString>, name: &Bound<'_, PyString>) -> PyResult<()> {
    static AUDIT: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = module.py();
    let event = intern!(py, "pickle.find_class");
    AUDIT.import(py, "sys", "audit")?.call1((event, module, name)).map(drop)
}

/// Has `pickle` import the module, or say what is wrong.
#[cold]
fn by_pickle<'py>(
    module: &Bound<'py, PyString>,
    name: &Bound<'py, PyString>,
) -> PyResult<Bound<'py, PyAny>> {
    let mut pickle = vec![PROTO, 4];
    for text in [module, name] {
        let text = text.to_str()?.as_bytes();
        pickle.push(BINUNICODE);
        pickle.extend_from_slice(&(text.len() as u32).to_le_bytes());
        pickle.extend_from_slice(text);
    }
    pickle.extend_from_slice(&[STACK_GLOBAL, STOP]);
    pickler::load(PyBytes::new(module.py(), &pickle).as_any())
}

/// A new instance, as the opcode NEWOBJ makes it.
///
/// # Errors
/// What `__new__` raises; `UnpicklingError` if it is no class, or one without `__new__`.
#[inline]
pub(super) fn make<'py>(
    class: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    match class.cast::<PyType>() {
        Ok(class) => class::make(class, arguments).unwrap_or_else(|| Err(has_no_new(class))),
        Err(_) => Err(is_no_class(class)),
    }
}

/// Where the attributes of a new instance belong, if the class has no say in that.
#[inline]
pub(super) fn attributes<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    let py = object.py();
    if !class::looks_up_plainly(&object.get_type())
        || class::has(object, intern!(py, "__setstate__"))
    {
        return None;
    }
    object.getattr(intern!(py, "__dict__")).ok()?.cast_into_exact().ok()
}

/// Gives an object more items, as the opcode APPENDS does.
///
/// # Errors
/// What `extend` or `append` raises; `AttributeError` if there is neither.
pub(super) fn append<'py>(
    object: &Bound<'py, PyAny>,
    items: Vec<Bound<'py, PyAny>>,
) -> PyResult<()> {
    let py = object.py();
    if let Ok(list) = object.cast_exact::<PyList>() {
        return items.into_iter().try_for_each(|item| list.append(item));
    }
    if let Some(extend) = class::found(object, intern!(py, "extend"))? {
        return extend.call1((PyList::new(py, items)?,)).map(drop);
    }
    let append = object.getattr(intern!(py, "append"))?;
    items.into_iter().try_for_each(|item| append.call1((item,)).map(drop))
}

/// Sets what comes in pairs, as the opcode SETITEMS does.
///
/// # Errors
/// What the setting of an item raises.
pub(super) fn set_items<'py>(
    object: &Bound<'py, PyAny>,
    pairs: &[Bound<'py, PyAny>],
) -> PyResult<()> {
    let (pairs, _) = pairs.as_chunks();
    pairs.iter().try_for_each(|[key, value]| object.set_item(key, value))
}

/// Gives an object its state, as the opcode BUILD does.
///
/// # Errors
/// What `__setstate__` and the setting of attributes raise; `AttributeError` if there is no `__dict__`, and
/// `UnpicklingError` for a state that is none.
pub(super) fn build(object: &Bound<'_, PyAny>, state: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = object.py();
    if let Some(set_state) = class::found(object, intern!(py, "__setstate__"))? {
        return set_state.call1((state,)).map(drop);
    }
    let (state, slots) = match state.cast::<PyTuple>() {
        Ok(both) if both.len() == 2 => (&both.get_item(0)?, Some(both.get_item(1)?)),
        _ => (state, None),
    };
    if !state.is_none() {
        let Ok(state) = state.cast::<PyDict>() else {
            return Err(refused(py, "state is not a dictionary"));
        };
        let attributes = object.getattr(intern!(py, "__dict__"))?;
        for (name, value) in state {
            match name.cast_exact::<PyString>().ok().and_then(|name| name.to_str().ok()) {
                Some(name) => attributes.set_item(PyString::intern(py, name), value)?,
                None => attributes.set_item(name, value)?,
            }
        }
    }
    let Some(slots) = slots else { return Ok(()) };
    let Ok(slots) = slots.cast::<PyDict>() else {
        return Err(refused(py, "slot state is not a dictionary"));
    };
    slots.iter().try_for_each(|(name, value)| class::set_attribute(object, &name, &value))
}

#[cold]
fn has_no_new(class: &Bound<'_, PyType>) -> PyErr {
    let name = class.name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
    refused(class.py(), &format!("NEWOBJ class argument '{name}' doesn't have __new__"))
}

#[cold]
fn is_no_class(object: &Bound<'_, PyAny>) -> PyErr {
    let kind = object.get_type();
    let name = kind.name().map_or_else(|_| "?".to_owned(), |name| name.to_string());
    refused(object.py(), &format!("NEWOBJ class argument must be a type, not {name}"))
}

/// For a message of which something was made before it was found to be damaged.
#[cold]
pub(super) fn damaged(py: Python<'_>) -> PyErr {
    refused(py, "the message is damaged")
}

fn refused(py: Python<'_>, why: &str) -> PyErr {
    static ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    match ERROR.import(py, "pickle", "UnpicklingError") {
        Ok(kind) => PyErr::from_type(kind.clone(), why.to_owned()),
        Err(error) => error,
    }
}
