//! The memory of a value or an array, as a buffer.

use super::element::{Element, typed};
use crate::family;
use crate::wait::raise;
use procession_ipc::{Array, Error, Shareable, Value};
use procession_shm::{Family, Handle, Held, Region};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use std::os::raw::c_int;
use std::sync::OnceLock;

/// A value or an array of the engine, whose bytes ctypes objects are laid over. It is in being for as
/// long as any process has one of these, or a buffer of one.
///
/// Made empty, so that the subclass may be unpickled; `_make_value`, `_make_array` or `_attach` fills
/// it in.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(crate) struct Block {
    memory: OnceLock<Memory>,
}

pub(super) struct Memory {
    held: Held,
    data: Region,
    element: Element,
    shape: Box<[usize]>,
    is_array: bool,
}

impl Memory {
    fn value(element: Element) -> Result<Self, Error> {
        typed!(element, T => Self::of_value(element, &Value::<T>::new(T::default())?))
    }

    fn array(element: Element, shape: &[usize]) -> Result<Self, Error> {
        typed!(element, T => Ok(Self::of_array(element, &Array::<T>::with_shape(shape)?)))
    }

    pub(super) fn attach(
        family: &'static Family,
        handle: Handle,
        element: Element,
        is_array: bool,
    ) -> Result<Self, Error> {
        typed!(element, T => if is_array {
            Ok(Self::of_array(element, &Array::<T>::attach(family, handle)?))
        } else {
            Self::of_value(element, &Value::<T>::attach(family, handle)?)
        })
    }

    pub(super) fn held(&self) -> &Held {
        &self.held
    }

    pub(super) fn data(&self) -> Region {
        self.data
    }

    fn of_value<T: procession_ipc::Plain>(
        element: Element,
        value: &Value<T>,
    ) -> Result<Self, Error> {
        let data = value.region().ok_or(Error::Corrupt("a value of more than eight bytes"))?;
        let held = value.held().clone();
        Ok(Self { held, data, element, shape: Box::default(), is_array: false })
    }

    fn of_array<T: procession_ipc::Plain>(element: Element, array: &Array<T>) -> Self {
        let shape = array.shape().into();
        Self { held: array.held().clone(), data: array.region(), element, shape, is_array: true }
    }
}

impl Block {
    fn memory(&self) -> PyResult<&Memory> {
        self.memory.get().ok_or_else(|| PyRuntimeError::new_err("the block has no memory yet"))
    }

    fn fill(&self, memory: Result<Memory, Error>) -> PyResult<()> {
        self.memory
            .set(memory.map_err(|error| raise(&error))?)
            .map_err(|_| PyRuntimeError::new_err("the block has memory already"))
    }

    pub(crate) fn held(&self) -> PyResult<&Held> {
        Ok(&self.memory()?.held)
    }

    pub(super) fn data(&self) -> PyResult<Region> {
        Ok(self.memory()?.data)
    }

    pub(super) fn element(&self) -> PyResult<Element> {
        Ok(self.memory()?.element)
    }
}

#[pymethods]
impl Block {
    #[new]
    fn new() -> Self {
        Self { memory: OnceLock::new() }
    }

    /// Makes a value of that typecode, of which only ctypes knows none.
    fn _make_value(&self, code: &str) -> PyResult<()> {
        self.fill(Memory::value(Element::of_code(code)))
    }

    /// Makes an array of that typecode, or of bytes.
    fn _make_array(&self, code: &str, shape: Vec<usize>) -> PyResult<()> {
        self.fill(Memory::array(Element::of_code(code), &shape))
    }

    fn _attach(&self, family: u64, handle: u64, code: &str, is_array: bool) -> PyResult<()> {
        let family = family::find(family)?;
        let handle = Handle::from_bits(handle)
            .ok_or_else(|| PyValueError::new_err("no handle has this number"))?;
        self.fill(Memory::attach(family, handle, Element::of_code(code), is_array))
    }

    #[getter]
    fn _family(&self) -> PyResult<u64> {
        Ok(self.memory()?.held.family().arena().id())
    }

    #[getter]
    fn handle(&self) -> PyResult<u64> {
        Ok(self.memory()?.held.handle().to_bits())
    }

    /// The typecode; "" for bytes of a type that only ctypes knows.
    #[getter]
    fn code(&self) -> PyResult<&'static str> {
        Ok(self.memory()?.element.code())
    }

    #[getter]
    fn is_array(&self) -> PyResult<bool> {
        Ok(self.memory()?.is_array)
    }

    /// How long the array is in each dimension; empty for a value.
    #[getter]
    fn shape(&self) -> PyResult<Vec<usize>> {
        Ok(self.memory()?.shape.to_vec())
    }

    /// The bytes.
    ///
    /// # Safety
    /// Called by the interpreter with a buffer to fill in.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let mut data = slf.get().data()?;
        let len = data.len() as ffi::Py_ssize_t;
        let bytes = data.lent_mut::<u8>(data.len()).as_mut_ptr();
        // SAFETY: `view` is the interpreter's to fill in; the bytes stay while the view keeps this
        // object, and with it the block. They are written under a lock that users take, as C would.
        let filled =
            unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), bytes.cast(), len, 0, flags) };
        if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) }
    }
}
