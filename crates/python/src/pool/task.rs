//! Tasks and results as bytes.
//!
//! | a task | |
//! |---|---|
//! | 0 | what is to be done, see [`Kind`] |
//! | 1 | length of the function's pickle, little-endian; 0 if the function is with the arguments |
//! | 5 | the function's pickle |
//! | behind it | the arguments' pickle |
//!
//! | a result, behind the engine's head | |
//! |---|---|
//! | 0 | 0 if the function returned, 1 if it raised |
//! | 1 | the value's pickle, or the exception's |
//!
//! What is large is a parcel, and what stands last is as in `codec`: a pickle, or a pickle with its buffers,
//! of which the receiver gets views.
//!
//! A function that pickles as its name is pickled once, and a worker that has seen the bytes knows
//! the function. One with a state of its own (a method, a `partial`) is pickled with its arguments
//! every time, as in stock: what it and they share stays shared, and no call sees what another did
//! to its state.

use crate::codec::{self, Encoded, PICKLE, Serializer};
use procession_ipc::message::{Objects, Parcel};
use procession_process::byte_pool::{Message, RESULT_HEAD, Status};
use procession_shm::Family;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyTuple};

const HEAD: usize = 5;

/// What is to be done with the arguments.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// `f(*arguments)`.
    Call = 0,
    /// `arguments` are those by place and those by name.
    CallByName = 1,
    /// `f(item)` for each.
    Map = 2,
    /// `f(*item)` for each.
    Starmap = 3,
}

impl Kind {
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Call, Self::CallByName, Self::Map, Self::Starmap]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// A function, as it goes into tasks.
pub(super) struct Function {
    object: Py<PyAny>,
    /// `None` if it goes with its arguments.
    pickle: Option<Vec<u8>>,
    is_named: bool,
}

impl Function {
    /// # Errors
    /// What pickling raises.
    pub(super) fn of(function: &Bound<'_, PyAny>, serializer: &Serializer) -> PyResult<Self> {
        let mut pickle = Vec::new();
        let is_named = codec::is_global(function);
        let is_apart = is_named || matches!(serializer, Serializer::Other(_));
        if is_apart {
            dump(serializer, function, &mut pickle)?;
        }
        let pickle = is_apart.then_some(pickle);
        let is_named = is_named && matches!(serializer, Serializer::Pickle);
        Ok(Self { object: function.clone().unbind(), pickle, is_named })
    }

    /// Whether it may be kept for the next task: it is not then what keeps an object in being.
    pub(super) fn is_named(&self) -> bool {
        self.is_named
    }

    pub(super) fn is(&self, function: &Bound<'_, PyAny>) -> bool {
        self.object.is(function)
    }

    /// A task of this function, written into `bytes`, which is emptied first, or into the arena of `family`.
    ///
    /// # Errors
    /// What pickling raises; `OSError` if shared memory has no room.
    pub(super) fn task(
        &self,
        kind: Kind,
        arguments: &Bound<'_, PyAny>,
        serializer: &Serializer,
        family: &'static Family,
        mut bytes: Vec<u8>,
    ) -> PyResult<Letter> {
        let py = arguments.py();
        bytes.clear();
        bytes.push(kind as u8);
        let pickle = self.pickle.as_deref().unwrap_or_default();
        let len = u32::try_from(pickle.len())
            .map_err(|_| PyValueError::new_err("a function of more than 4 GiB"))?;
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(pickle);
        let parcel = if self.pickle.is_some() {
            close(serializer, arguments, family, &mut bytes)?
        } else {
            let both = PyTuple::new(py, [self.object.bind(py), arguments])?;
            close(serializer, both.as_any(), family, &mut bytes)?
        };
        Ok(Letter { bytes, parcel })
    }
}

/// A task or a result that is ready to be put.
pub(super) struct Letter {
    pub(super) bytes: Vec<u8>,
    /// Has all of it, if it is large; the bytes are a part of it then.
    pub(super) parcel: Option<Parcel>,
}

impl Letter {
    pub(super) fn len(&self) -> usize {
        self.parcel.as_ref().map_or(self.bytes.len(), Parcel::len)
    }
}

/// A small task or result as the engine takes it.
pub(super) fn message(bytes: Vec<u8>) -> Message {
    Message { format: PICKLE, bytes, objects: Objects::default() }
}

/// Writes an object behind the head that is in `bytes`, or both into a parcel if they are large.
///
/// # Errors
/// What pickling raises; `OSError` if shared memory has no room.
#[inline]
fn close(
    serializer: &Serializer,
    object: &Bound<'_, PyAny>,
    family: &'static Family,
    bytes: &mut Vec<u8>,
) -> PyResult<Option<Parcel>> {
    match serializer.encode(object, bytes)? {
        Encoded::Bytes => Ok(None),
        Encoded::Large(large) => large.to_parcel(object.py(), family, bytes).map(Some),
    }
}

/// Appends a function's pickle.
///
/// # Errors
/// What pickling raises.
fn dump(serializer: &Serializer, object: &Bound<'_, PyAny>, bytes: &mut Vec<u8>) -> PyResult<()> {
    match serializer {
        Serializer::Pickle => codec::encode_whole(object, bytes),
        Serializer::Other(dumps) => {
            let pickle = dumps.bind(object.py()).call1((object,))?;
            bytes.extend_from_slice(pickle.cast::<PyBytes>()?.as_bytes());
            Ok(())
        }
    }
}

/// The functions that a worker was sent last.
#[derive(Default)]
pub(super) struct Known(Vec<(Vec<u8>, Py<PyAny>)>);

impl Known {
    /// How many are remembered.
    const MOST: usize = 16;

    fn function<'py>(&mut self, py: Python<'py>, pickle: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        if let Some((_, function)) = self.0.iter().find(|(known, _)| known == pickle) {
            return Ok(function.bind(py).clone());
        }
        let function = codec::decode(py, pickle)?;
        self.0.truncate(Self::MOST - 1);
        self.0.insert(0, (pickle.to_vec(), function.clone().unbind()));
        Ok(function)
    }
}

/// What stands in a task before its arguments.
struct Head<'py> {
    kind: Kind,
    /// `None` if it is with the arguments.
    function: Option<Bound<'py, PyAny>>,
    /// Where they begin.
    len: usize,
}

impl<'py> Head<'py> {
    fn read(py: Python<'py>, task: &[u8], known: &mut Known) -> PyResult<Self> {
        let damaged = || PyValueError::new_err("a task that is none");
        let (head, rest) = task.split_first_chunk::<HEAD>().ok_or_else(damaged)?;
        let kind = Kind::from_byte(head[0]).ok_or_else(damaged)?;
        let len = u32::from_le_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let pickle = rest.get(..len).ok_or_else(damaged)?;
        let function = if len == 0 { None } else { Some(known.function(py, pickle)?) };
        Ok(Self { kind, function, len: HEAD + len })
    }

    fn call(self, arguments: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (function, arguments) = match self.function {
            None => arguments.extract()?,
            Some(function) => (function, arguments),
        };
        call(self.kind, &function, &arguments)
    }
}

/// Does a task; what the function returns.
///
/// # Errors
/// What the function raises, or unpickling.
pub(super) fn perform<'py>(
    py: Python<'py>,
    task: &[u8],
    known: &mut Known,
) -> PyResult<Bound<'py, PyAny>> {
    let head = Head::read(py, task, known)?;
    let arguments = codec::decode(py, &task[head.len..])?;
    head.call(arguments)
}

/// As [`perform`], of a task that came as a parcel: of its buffers the arguments are views.
///
/// # Errors
/// As [`perform`].
pub(super) fn perform_parcel<'py>(
    py: Python<'py>,
    task: Parcel,
    known: &mut Known,
) -> PyResult<Bound<'py, PyAny>> {
    let head = Head::read(py, task.bytes(), known)?;
    let arguments = codec::decode_parcel(py, task, head.len)?;
    head.call(arguments)
}

fn call<'py>(
    kind: Kind,
    function: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = function.py();
    match kind {
        Kind::Call => function.call1(places(arguments)?),
        Kind::CallByName => {
            let (places_, names): (Bound<'_, PyAny>, Bound<'_, PyAny>) = arguments.extract()?;
            let all = PyDict::new(py);
            all.update(names.cast()?)?;
            function.call(places(&places_)?, Some(&all))
        }
        Kind::Map | Kind::Starmap => {
            let items = arguments.cast::<PyTuple>()?;
            if items.len() != 1 {
                return each(function, items, kind);
            }
            let item = items.get_item(0)?;
            let result = match kind {
                Kind::Map => function.call1((item,)),
                _ => function.call1(places(&item)?),
            };
            Ok(PyList::new(py, [result?])?.into_any())
        }
    }
}

/// The list of what the function returns for each item: in the interpreter's own loop, which is faster
/// than one here.
fn each<'py>(
    function: &Bound<'py, PyAny>,
    items: &Bound<'py, PyTuple>,
    kind: Kind,
) -> PyResult<Bound<'py, PyAny>> {
    static MAP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    static STARMAP: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = function.py();
    let map = match kind {
        Kind::Map => MAP.import(py, "builtins", "map")?,
        _ => STARMAP.import(py, "itertools", "starmap")?,
    };
    py.get_type::<PyList>().call1((map.call1((function, items))?,))
}

/// What a function is called with: any iterable will do.
fn places<'py>(arguments: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    match arguments.cast_exact::<PyTuple>() {
        Ok(places) => Ok(places.clone()),
        Err(_) => {
            let all: Vec<_> = arguments.try_iter()?.collect::<PyResult<_>>()?;
            PyTuple::new(arguments.py(), all)
        }
    }
}

/// How a worker's exceptions travel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// As with `multiprocessing.Pool`: what is no `Exception` ends the worker, and what does not pickle is a
    /// `MaybeEncodingError`.
    Pool,
    /// As with `concurrent.futures`: whatever is raised travels.
    Executor,
}

impl Manner {
    fn travels(self, py: Python<'_>, error: &PyErr) -> bool {
        self == Self::Executor || error.is_instance_of::<PyException>(py)
    }

    /// The exception with the text of its traceback, which it then has as its cause.
    fn with_traceback<'py>(self, py: Python<'py>, error: &PyErr) -> PyResult<Bound<'py, PyAny>> {
        let (module, class) = match self {
            Self::Pool => ("multiprocessing.pool", "ExceptionWithTraceback"),
            Self::Executor => ("concurrent.futures.process", "_ExceptionWithTraceback"),
        };
        let wrapped = py.import(module)?.getattr(class)?;
        wrapped.call1((error.value(py), error.traceback(py)))
    }

    /// What is sent in place of a value that does not pickle.
    fn in_place_of<'py>(
        self,
        value: Bound<'py, PyAny>,
        failed: &PyErr,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        match self {
            Self::Pool => {
                let maybe = py.import("multiprocessing.pool")?.getattr("MaybeEncodingError")?;
                maybe.call1((failed.value(py), value))
            }
            Self::Executor => self.with_traceback(py, failed),
        }
    }
}

/// Writes the result of a task into `bytes`, or into the arena of `family`.
///
/// # Errors
/// What was raised and does not travel: it ends the worker.
pub(super) fn answer(
    py: Python<'_>,
    task: u64,
    outcome: PyResult<Bound<'_, PyAny>>,
    manner: Manner,
    serializer: &Serializer,
    family: &'static Family,
    mut bytes: Vec<u8>,
) -> PyResult<Letter> {
    let (value, raised) = match outcome {
        Ok(value) => (value, false),
        Err(error) if manner.travels(py, &error) => (manner.with_traceback(py, &error)?, true),
        Err(error) => return Err(error),
    };
    let mut write = |raised: bool, value: &Bound<'_, PyAny>| {
        Message::begin_result(task, Status::Returned, &mut bytes);
        bytes.push(raised.into());
        close(serializer, value, family, &mut bytes)
    };
    let parcel = match write(raised, &value) {
        Err(failed) if manner.travels(py, &failed) => {
            write(true, &manner.in_place_of(value, &failed)?)?
        }
        written => written?,
    };
    Ok(Letter { bytes, parcel })
}

/// Whether the function returned, and what it returned or raised.
///
/// # Errors
/// What unpickling raises.
pub(super) fn read<'py>(py: Python<'py>, result: &[u8]) -> PyResult<(bool, Bound<'py, PyAny>)> {
    let (flag, value) = result.split_first().ok_or_else(no_result)?;
    Ok((*flag == 0, codec::decode(py, value)?))
}

/// As [`read`], of a result that came as a parcel: of its buffers the value has views.
///
/// # Errors
/// As [`read`].
pub(super) fn read_parcel(py: Python<'_>, result: Parcel) -> PyResult<(bool, Bound<'_, PyAny>)> {
    let flag = *result.bytes().get(RESULT_HEAD).ok_or_else(no_result)?;
    Ok((flag == 0, codec::decode_parcel(py, result, RESULT_HEAD + 1)?))
}

#[cold]
fn no_result() -> PyErr {
    PyValueError::new_err("a result that is none")
}
