//! Which instances are ordinary, and the names of classes and functions.
//!
//! Ordinary is an instance of which `pickle` would write its class by name, and the dict with its attributes:
//! nothing that the class, its bases or its metaclass define has a say in it, and no reducer was registered for
//! it. That is found out anew for each message, since classes can be changed and reducers registered at any time.

use super::{class, pickler};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PyString, PyType};

/// An attribute of these names in an instance would have a say in how it is pickled.
const HOOKS: [&str; 7] = [
    "__reduce_ex__",
    "__reduce__",
    "__getstate__",
    "__getnewargs_ex__",
    "__getnewargs__",
    "__slots__",
    "__slotnames__",
];

/// What ordinary classes are compared with.
struct Ordinary {
    /// What `object` has: `__reduce_ex__`, `__reduce__`, `__getstate__`.
    hooks: [Py<PyAny>; 3],
    layout: Layout,
    abstract_metaclass: Py<PyType>,
    slot_names: Py<PyAny>,
    /// Classes that have numbers.
    numbered: Py<PyDict>,
}

/// The sizes of an instance and of an item in it, and the place of the list of weak references. A class that has
/// these of a class with an empty body has a dict, and keeps nothing but that.
type Layout = [isize; 3];

fn layout(class: &Bound<'_, PyType>) -> PyResult<Layout> {
    let [basic, item, weak] = names(class.py()).map(|name| size(class, name));
    Ok([basic?, item?, weak?])
}

/// Whether that is the class's layout; the first size that differs is the last that is looked at.
fn has_layout(class: &Bound<'_, PyType>, layout: Layout) -> PyResult<bool> {
    for (name, expected) in names(class.py()).into_iter().zip(layout) {
        if size(class, name)? != expected {
            return Ok(false);
        }
    }
    Ok(true)
}

fn names(py: Python<'_>) -> [&Bound<'_, PyString>; 3] {
    [intern!(py, "__basicsize__"), intern!(py, "__itemsize__"), intern!(py, "__weakrefoffset__")]
}

fn size(class: &Bound<'_, PyType>, name: &Bound<'_, PyString>) -> PyResult<isize> {
    class.getattr(name)?.extract()
}

impl Ordinary {
    fn get(py: Python<'_>) -> PyResult<&Self> {
        static ORDINARY: PyOnceLock<Ordinary> = PyOnceLock::new();
        ORDINARY.get_or_try_init(py, || {
            let object = py.get_type::<PyAny>();
            let empty = py.get_type::<PyType>().call1(("Empty", (), PyDict::new(py)))?;
            let copyreg = py.import("copyreg")?;
            let hook = |name| object.getattr(name).map(Bound::unbind);
            Ok(Self {
                hooks: [hook("__reduce_ex__")?, hook("__reduce__")?, hook("__getstate__")?],
                layout: layout(empty.cast::<PyType>()?)?,
                abstract_metaclass: py.import("abc")?.getattr("ABCMeta")?.cast_into()?.unbind(),
                slot_names: copyreg.getattr("_slotnames")?.unbind(),
                numbered: copyreg.getattr("_extension_registry")?.cast_into()?.unbind(),
            })
        })
    }

    fn knows_metaclass(&self, metaclass: &Bound<'_, PyType>) -> PyResult<bool> {
        let py = metaclass.py();
        if metaclass.is(py.get_type::<PyType>()) {
            return Ok(true);
        }
        Ok(metaclass.is(self.abstract_metaclass.bind(py))
            && class::is_plain_metaclass(metaclass)
            && !pickler::is_registered(metaclass)?)
    }

    /// Whether the class's instances are pickled as an `object` with a dict is.
    fn has_hooks(&self, object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> PyResult<bool> {
        let py = class.py();
        let names =
            [intern!(py, "__reduce_ex__"), intern!(py, "__reduce__"), intern!(py, "__getstate__")];
        for (name, hook) in names.into_iter().zip(&self.hooks) {
            if !class.getattr(name)?.is(hook) {
                return Ok(true);
            }
        }
        Ok(class::has(object, intern!(py, "__getnewargs_ex__"))
            || class::has(object, intern!(py, "__getnewargs__")))
    }

    /// Whether any class in its line has slots by name, as `copyreg` finds them.
    fn has_slots(&self, object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> PyResult<bool> {
        let py = class.py();
        if !class::has(object, intern!(py, "__slots__"))
            && !class::has(object, intern!(py, "__slotnames__"))
        {
            return Ok(false);
        }
        let names = self.slot_names.bind(py).call1((class,))?;
        Ok(!names.cast_exact::<PyList>().is_ok_and(|names| names.is_empty()))
    }
}

/// Whether `object` is an ordinary instance of its class.
///
/// # Errors
/// What stands in the way of an answer; `pickle` has to say then.
pub(super) fn is_ordinary(object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> PyResult<bool> {
    let ordinary = Ordinary::get(class.py())?;
    Ok(ordinary.knows_metaclass(&class.get_type())?
        && class::looks_up_plainly(class)
        && has_layout(class, ordinary.layout)?
        && !ordinary.has_hooks(object, class)?
        && !ordinary.has_slots(object, class)?
        && !pickler::is_registered(class)?)
}

/// Where a class or function is found.
pub(super) struct Name<'py> {
    pub(super) module: Bound<'py, PyString>,
    pub(super) name: Bound<'py, PyString>,
}

impl<'py> Name<'py> {
    /// The name by which `pickle` writes it, if it has one that is found again.
    ///
    /// # Errors
    /// What stands in the way of an answer; `pickle` has to say, as for `None`.
    pub(super) fn of(object: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        let py = object.py();
        let class = object.get_type();
        if !class::is_global(object)
            || !Ordinary::get(py)?.numbered.bind(py).is_empty()
            || !class.is(py.get_type::<PyType>()) && pickler::is_registered(&class)?
        {
            return Ok(None);
        }
        let module = object.getattr(intern!(py, "__module__"))?.cast_into_exact::<PyString>()?;
        let name = object.getattr(intern!(py, "__qualname__"))?.cast_into_exact::<PyString>()?;
        let found = match class::module(&module) {
            Some(module) => class::by_path(&module.dict(), &name)?,
            None => None,
        };
        Ok(found.filter(|found| found.is(object)).map(|_| Self { module, name }))
    }
}

/// Whether the object says itself that it is an instance of the class.
#[inline]
pub(super) fn says_its_class(object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> bool {
    object.getattr(intern!(object.py(), "__class__")).is_ok_and(|said| said.is(class))
}

/// Whether an attribute of an instance has a say in how it is pickled.
#[inline]
pub(super) fn is_hook(name: &str) -> bool {
    name.starts_with("__") && HOOKS.contains(&name)
}
