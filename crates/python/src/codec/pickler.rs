//! What is not written or read here: Python's own pickler and unpickler.
//!
//! The pickler is the one of `multiprocessing`: its reducers (`ForkingPickler.register`) come first,
//! then `copyreg`'s; both tables are looked at as they are when an object needs one. Picklers are
//! used again, since making one costs as much as a small object.

use super::apart::{Apart, LARGE};
use super::reduced::{self, Answer, PROTOCOL};
use pyo3::exceptions::PyKeyError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{IntoPyDict, PyBytes, PyDict, PyList, PyType};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What `multiprocessing` and `copyreg` know of types that do not pickle by themselves.
struct Reducers {
    forking: Py<PyAny>,
    copyreg: Py<PyAny>,
}

/// The answers that are known already.
#[derive(Default)]
struct Known {
    /// Objects and their answers, by the address of the object.
    answers: HashMap<usize, (Py<PyAny>, PyResult<Py<PyAny>>)>,
    /// The addresses of their classes.
    classes: HashSet<usize>,
}

/// Where a pickler looks for reducers: those of the type, or the answers that are known already.
#[pyclass(frozen, module = "procession._core")]
#[derive(Default)]
struct Table {
    known: Mutex<Known>,
}

#[pymethods]
impl Table {
    fn __getitem__<'py>(
        slf: &Bound<'py, Self>,
        kind: &Bound<'py, PyType>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = kind.py();
        let Reducers { forking, copyreg } = reducers(py)?;
        for table in [forking, copyreg] {
            let table = table.bind(py);
            let found = match table.cast_exact::<PyDict>() {
                Ok(table) => table.get_item(kind)?,
                Err(_) => table.get_item(kind).ok(),
            };
            if let Some(found) = found {
                return Ok(found);
            }
        }
        if slf.get().lock().classes.contains(&kind.as_ptr().addr()) {
            return slf.getattr(intern!(py, "answer"));
        }
        Err(PyKeyError::new_err(()))
    }

    /// What the object said when it was asked, or says now.
    fn answer<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let known = self.lock().answers.remove(&object.as_ptr().addr());
        match known {
            Some((_, answer)) => answer.map(|answer| answer.into_bound(object.py())),
            None => reduced::ask(object),
        }
    }
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, answers: Vec<Answer<'_>>) {
        let mut known = self.lock();
        for (object, answer) in answers {
            known.classes.insert(object.get_type().as_ptr().addr());
            let address = object.as_ptr().addr();
            known.answers.insert(address, (object.unbind(), answer.map(Bound::unbind)));
        }
    }

    /// What nobody asked for is let go of when nothing is locked, since that may run any code.
    fn forget(&self) {
        let left = std::mem::take(&mut *self.lock());
        drop(left);
    }
}

/// Where a pickler writes to.
#[pyclass(frozen, module = "procession._core")]
#[derive(Default)]
struct Sink {
    bytes: Mutex<Vec<u8>>,
    apart: Mutex<Vec<Apart>>,
}

#[pymethods]
impl Sink {
    fn write(&self, piece: &Bound<'_, PyAny>) -> PyResult<()> {
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(piece) = piece.cast_exact::<PyBytes>() {
            bytes.extend_from_slice(piece.as_bytes());
            return Ok(());
        }
        Apart::of_export(0, piece)?.bytes().append_to(&mut bytes);
        Ok(())
    }

    /// Takes a buffer of protocol 5, if it is large; `true` leaves it to the pickler.
    fn keep(&self, buffer: &Bound<'_, PyAny>) -> PyResult<bool> {
        let Ok(memory) = Apart::of_export(0, buffer) else { return Ok(true) };
        if memory.len() < LARGE {
            return Ok(true);
        }
        self.apart.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        Ok(false)
    }
}

/// A pickler, where it looks, and what it writes to.
struct Pickler {
    table: Py<Table>,
    sink: Py<Sink>,
    dump: Py<PyAny>,
    clear_memo: Py<PyAny>,
}

/// One pickler that is not in use, of each kind. Locked for a moment, with the interpreter attached,
/// so that no thread of another process's copy can have it locked.
static IN_BAND: Mutex<Option<Pickler>> = Mutex::new(None);
static OUT_OF_BAND: Mutex<Option<Pickler>> = Mutex::new(None);

impl Pickler {
    fn new(py: Python<'_>, is_out_of_band: bool) -> PyResult<Self> {
        let sink = Py::new(py, Sink::default())?;
        let callback = if is_out_of_band { sink.getattr(py, "keep")? } else { py.None() };
        let options = [("buffer_callback", callback)].into_py_dict(py)?;
        let kind = py.import("_pickle")?.getattr("Pickler")?;
        let pickler = kind.call((&sink, PROTOCOL), Some(&options))?;
        let table = Py::new(py, Table::default())?;
        pickler.setattr("dispatch_table", &table)?;
        Ok(Self {
            table,
            sink,
            dump: pickler.getattr("dump")?.unbind(),
            clear_memo: pickler.getattr("clear_memo")?.unbind(),
        })
    }
}

/// Whether a reducer may be registered for the class.
///
/// # Errors
/// What looking for it raises.
pub(super) fn is_registered(class: &Bound<'_, PyType>) -> PyResult<bool> {
    let py = class.py();
    let Reducers { forking, copyreg } = reducers(py)?;
    for table in [forking, copyreg] {
        let Ok(table) = table.bind(py).cast_exact::<PyDict>() else { return Ok(true) };
        if table.contains(class)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn reducers(py: Python<'_>) -> PyResult<&'static Reducers> {
    static REDUCERS: PyOnceLock<Reducers> = PyOnceLock::new();
    REDUCERS.get_or_try_init(py, || {
        let forking = py.import("multiprocessing.reduction")?.getattr("ForkingPickler")?;
        let forking = forking.getattr("_extra_reducers")?.unbind();
        let copyreg = py.import("copyreg")?.getattr("dispatch_table")?.unbind();
        Ok(Reducers { forking, copyreg })
    })
}

/// Appends the pickle of `object` to `bytes`, and its large buffers to `apart`, if there is one. The objects of
/// `answers` are not asked again.
///
/// # Errors
/// What pickling raises.
pub(super) fn dump<'py>(
    object: &Bound<'py, PyAny>,
    bytes: &mut Vec<u8>,
    apart: Option<&mut Vec<Apart>>,
    answers: Vec<Answer<'py>>,
) -> PyResult<()> {
    let py = object.py();
    let slot = if apart.is_some() { &OUT_OF_BAND } else { &IN_BAND };
    let unused = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let pickler = unused.map_or_else(|| Pickler::new(py, apart.is_some()), Ok)?;
    let (sink, table) = (pickler.sink.get(), pickler.table.get());
    table.keep(answers);
    std::mem::swap(bytes, &mut sink.bytes.lock().unwrap_or_else(PoisonError::into_inner));
    let result = pickler.dump.call1(py, (object,));
    std::mem::swap(bytes, &mut sink.bytes.lock().unwrap_or_else(PoisonError::into_inner));
    let kept = std::mem::take(&mut *sink.apart.lock().unwrap_or_else(PoisonError::into_inner));
    table.forget();
    result?;
    if let Some(apart) = apart {
        apart.extend(kept);
    }
    pickler.clear_memo.call0(py)?;
    *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(pickler);
    Ok(())
}

/// The object that is pickled in `bytes`, an object with the buffer protocol.
///
/// # Errors
/// What unpickling raises.
pub(super) fn load<'py>(bytes: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    loads(bytes.py())?.call1((bytes,))
}

/// As [`load`], with the buffers that were kept apart.
///
/// # Errors
/// As [`load`].
pub(super) fn load_with<'py>(
    bytes: &Bound<'py, PyAny>,
    buffers: &Bound<'py, PyList>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = bytes.py();
    let options = PyDict::new(py);
    options.set_item("buffers", buffers)?;
    loads(py)?.call((bytes,), Some(&options))
}

fn loads(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static LOADS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    LOADS.import(py, "_pickle", "loads")
}
