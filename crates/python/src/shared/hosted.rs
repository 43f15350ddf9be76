//! A manager's values and arrays in shared memory.

use super::array::position;
use super::block::Memory;
use super::element::Element;
use crate::codec::{self, Scratch};
use crate::manager::Host;
use crate::wait::{raise, wait};
use procession_ipc::sync::InnerLock;
use procession_manager::memory::Cell;
use procession_shm::Region;
use procession_sys::Deadline;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyBytes, PyFloat, PyInt, PySlice};

/// A value of any kind that a manager made in an arena which this process has joined. One that is too large for
/// its place there, or names other objects of the manager, is with the server.
#[pyclass(frozen, module = "procession._core")]
pub(super) struct HostedValue {
    cell: Cell,
    host: Host,
    /// `call(method, args)` calls the value through the server.
    call: Py<PyAny>,
}

#[pymethods]
impl HostedValue {
    #[new]
    fn new(family: u64, server: u64, handle: u64, call: Py<PyAny>) -> PyResult<Self> {
        let (host, handle) = Host::find(family, server, handle)?;
        let cell = Cell::attach(host.family(), handle).map_err(|error| raise(&error))?;
        Ok(Self { cell, host, call })
    }

    /// The value.
    fn get<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.host.check()?;
        let mut scratch = Scratch::take();
        let pickle = scratch.vec();
        let got = match self.cell.get(pickle, Deadline::now(), || false) {
            Err(error) if error.is_timeout() => {
                wait(py, |interrupt| self.cell.get(pickle, Deadline::never(), interrupt))?
            }
            got => Some(got.map_err(|error| raise(&error))?),
        };
        match got {
            Some(true) => codec::decode(py, pickle),
            _ => self.call.bind(py).call1(("get", ())),
        }
    }

    /// Sets the value.
    fn set(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.host.check()?;
        let py = value.py();
        let mut scratch = Scratch::take();
        let pickle = scratch.vec();
        codec::encode_whole(value, pickle)?;
        let set = match self.cell.set(pickle, Deadline::now(), || false) {
            Err(error) if error.is_timeout() => {
                wait(py, |interrupt| self.cell.set(pickle, Deadline::never(), interrupt))?
            }
            set => Some(set.map_err(|error| raise(&error))?),
        };
        if set != Some(true) {
            self.call.bind(py).call1(("set", (value,)))?;
        }
        Ok(())
    }
}

/// Numbers of one machine type that a manager made in an arena which this process has joined, with the methods of
/// `array.array` that a manager's array has.
#[pyclass(frozen, module = "procession._core")]
pub(super) struct HostedArray {
    lock: InnerLock,
    data: Region,
    element: Element,
    /// The type code, which says more than `element`: `q` is not `l`.
    code: String,
    len: usize,
    host: Host,
    /// `call(method, args)` calls the array through the server.
    call: Py<PyAny>,
}

/// `array.array(code, items)`.
fn array<'py>(
    py: Python<'py>,
    code: &str,
    items: impl IntoPyObject<'py>,
) -> PyResult<Bound<'py, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let class = CLASS
        .get_or_try_init(py, || Ok::<_, PyErr>(py.import("array")?.getattr("array")?.unbind()))?;
    class.bind(py).call1((code, items))
}

impl HostedArray {
    fn locked<R>(&self, py: Python<'_>, work: impl FnOnce() -> R) -> PyResult<R> {
        self.host.check()?;
        if !self.lock.try_acquire() {
            wait(py, |interrupt| self.lock.acquire_until(Deadline::never(), interrupt))?;
        }
        let result = work();
        self.lock.release().map_err(|error| raise(&error))?;
        Ok(result)
    }

    /// Where the element of that index begins; `None` for an index that is no number.
    fn find(&self, index: &Bound<'_, PyAny>, otherwise: &'static str) -> PyResult<Option<usize>> {
        let Ok(index) = index.cast::<PyInt>() else { return Ok(None) };
        match position(index, self.len as isize) {
            Some(place) => Ok(Some(place * self.element.size())),
            None => Err(PyIndexError::new_err(otherwise)),
        }
    }

    /// The bytes of a value; what does not fit raises what `array.array` raises.
    fn bytes_of(&self, value: &Bound<'_, PyAny>) -> PyResult<[u8; 8]> {
        if self.fits(value)
            && let Some(bytes) = self.element.bytes_of(value)
        {
            return Ok(bytes);
        }
        let array = array(value.py(), &self.code, [value])?;
        let made = array.call_method0("tobytes")?;
        let made = made.cast::<PyBytes>()?.as_bytes();
        let mut bytes = [0; 8];
        bytes[..made.len()].copy_from_slice(made);
        Ok(bytes)
    }

    /// Whether it is a number of the type, as far as that is easily seen.
    fn fits(&self, value: &Bound<'_, PyAny>) -> bool {
        if matches!(self.element, Element::F32 | Element::F64) {
            return value.is_exact_instance_of::<PyFloat>();
        }
        if value.is_instance_of::<PyBool>() {
            return false;
        }
        let Ok(number) = value.extract::<i64>() else { return false };
        match self.element {
            Element::I8 => i8::try_from(number).is_ok(),
            Element::U8 => u8::try_from(number).is_ok(),
            Element::I16 => i16::try_from(number).is_ok(),
            Element::U16 => u16::try_from(number).is_ok(),
            Element::I32 => i32::try_from(number).is_ok(),
            Element::U32 => u32::try_from(number).is_ok(),
            Element::I64 => true,
            Element::U64 => number >= 0,
            _ => false,
        }
    }
}

#[pymethods]
impl HostedArray {
    #[new]
    fn new(family: u64, server: u64, handle: u64, code: String, call: Py<PyAny>) -> PyResult<Self> {
        let (host, handle) = Host::find(family, server, handle)?;
        let element = Element::of_code(&code);
        let memory =
            Memory::attach(host.family(), handle, element, true).map_err(|error| raise(&error))?;
        let data = memory.data();
        let len = data.len() / element.size();
        let lock = InnerLock::inside(memory.held().clone());
        Ok(Self { lock, data, element, code, len, host, call })
    }

    fn __len__(&self) -> usize {
        self.len
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Some(at) = self.find(index, "array index out of range")? {
            return self.locked(py, || self.element.read(py, self.data, at));
        }
        let Ok(slice) = index.cast::<PySlice>() else {
            return self.call.bind(py).call1(("__getitem__", (index,)));
        };
        let range = slice.indices(self.len as isize)?;
        let size = self.element.size();
        let mut bytes = vec![0; range.slicelength * size];
        self.locked(py, || {
            for (number, place) in bytes.chunks_exact_mut(size).enumerate() {
                let at = (range.start + range.step * number as isize) as usize * size;
                self.data.read(at, place);
            }
        })?;
        array(py, &self.code, PyBytes::new(py, &bytes))
    }

    fn __setitem__(
        &self,
        py: Python<'_>,
        index: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let Some(at) = self.find(index, "array assignment index out of range")? else {
            self.call.bind(py).call1(("__setitem__", (index, value)))?;
            return Ok(());
        };
        let bytes = self.bytes_of(value)?;
        self.locked(py, || self.data.write(at, &bytes[..self.element.size()]))
    }
}
