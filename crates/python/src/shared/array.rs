//! The hot methods of the wrapper of an array.

use super::block::Block;
use super::guarded::{Guarded, Memory};
use pyo3::exceptions::{PyBufferError, PyRuntimeError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PySlice, PyTuple};
use std::os::raw::{c_int, c_void};
use std::sync::OnceLock;

/// The base of `SynchronizedArray`. Made empty; `_fill` fills it in.
#[pyclass(frozen, subclass, module = "procession._core")]
pub(super) struct SynchronizedArray {
    state: OnceLock<State>,
}

struct State {
    guarded: Guarded,
    /// How long the array is in each dimension, and how many bytes lie between neighbours there.
    shape: Box<[ffi::Py_ssize_t]>,
    strides: Box<[ffi::Py_ssize_t]>,
    len: usize,
}

impl State {
    /// Where the element of this index begins, if it is an `int`, or one for each dimension, and in
    /// bounds, and the elements are numbers.
    #[inline]
    fn find(&self, memory: Memory, index: &Bound<'_, PyAny>) -> Option<usize> {
        if let Ok(index) = index.cast_exact::<PyInt>() {
            let &[extent] = &*self.shape else { return None };
            return Some(position(index, extent)? * memory.element.size());
        }
        let index = index.cast_exact::<PyTuple>().ok()?;
        if index.len() != self.shape.len() {
            return None;
        }
        let mut at = 0;
        for (number, (extent, stride)) in self.shape.iter().zip(&self.strides).enumerate() {
            let index = index.get_item(number).ok()?;
            at += position(index.cast_exact().ok()?, *extent)? * *stride as usize;
        }
        Some(at)
    }
}

/// The place of an index that may count from the end.
#[inline]
pub(super) fn position(index: &Bound<'_, PyInt>, extent: ffi::Py_ssize_t) -> Option<usize> {
    let index: isize = index.extract().ok()?;
    let index = if index < 0 { index + extent } else { index };
    (0..extent).contains(&index).then_some(index as usize)
}

impl SynchronizedArray {
    #[inline]
    fn state(&self) -> PyResult<&State> {
        self.state
            .get()
            .ok_or_else(|| PyRuntimeError::new_err("the wrapper's __init__ was not called"))
    }
}

#[pymethods]
impl SynchronizedArray {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self { state: OnceLock::new() }
    }

    /// `block` is the memory below the array, whole, if that is ours and of numbers or characters.
    fn _fill(
        &self,
        obj: Bound<'_, PyAny>,
        lock: Bound<'_, PyAny>,
        block: Option<&Bound<'_, Block>>,
        shape: Vec<ffi::Py_ssize_t>,
    ) -> PyResult<()> {
        let guarded = Guarded::new(obj, lock, block)?;
        let mut stride = guarded.memory.map_or(0, |memory| memory.element.size()) as isize;
        let mut strides = vec![0; shape.len()];
        for (place, extent) in strides.iter_mut().zip(&shape).rev() {
            *place = stride;
            stride *= *extent;
        }
        let len = shape.first().map_or(0, |extent| *extent as usize);
        let state = State { guarded, shape: shape.into(), strides: strides.into(), len };
        self.state
            .set(state)
            .map_err(|_| PyRuntimeError::new_err("the wrapper's __init__ was called before"))
    }

    #[getter]
    fn _obj(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.get_obj(py)
    }

    #[getter]
    fn _lock(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.get_lock(py)
    }

    /// How long the array is in each dimension.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.state()?.shape.iter().copied())
    }

    /// The ctypes object.
    fn get_obj(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.state()?.guarded.obj.clone_ref(py))
    }

    /// The lock.
    fn get_lock(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.state()?.guarded.lock.clone_ref(py))
    }

    fn __enter__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        self.state()?.guarded.enter(py)
    }

    #[pyo3(signature = (_kind = None, _value = None, _traceback = None))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _kind: Option<&Bound<'_, PyAny>>,
        _value: Option<&Bound<'_, PyAny>>,
        _traceback: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.state()?.guarded.exit(py)
    }

    fn __len__(&self) -> PyResult<usize> {
        Ok(self.state()?.len)
    }

    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        index: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let state = self.state()?;
        let guarded = &state.guarded;
        let Some(memory) = guarded.numbers else {
            return guarded.locked(py, || guarded.obj.bind(py).get_item(index));
        };
        if let Some(at) = state.find(memory, index) {
            return guarded.locked(py, || Ok(memory.element.read(py, memory.data, at)));
        }
        match index.cast_exact::<PySlice>() {
            Ok(slice) if state.shape.len() == 1 => {
                let range = slice.indices(state.len as isize)?;
                let list = guarded.locked(py, || {
                    memory.element.list(py, memory.data, range.start, range.step, range.slicelength)
                })?;
                Ok(list.into_any())
            }
            _ => guarded.locked(py, || nested(guarded.obj.bind(py), index)?.get()),
        }
    }

    fn __setitem__(
        &self,
        py: Python<'_>,
        index: &Bound<'_, PyAny>,
        value: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let state = self.state()?;
        let guarded = &state.guarded;
        let plain = guarded.memory.and_then(|memory| {
            let bytes = memory.element.bytes_of(value)?;
            Some((memory, state.find(memory, index)?, bytes))
        });
        guarded.locked(py, || match plain {
            Some((memory, at, bytes)) => {
                memory.data.write(at, &bytes[..memory.element.size()]);
                Ok(())
            }
            None => nested(guarded.obj.bind(py), index)?.set(value),
        })
    }

    /// The elements, with their format and shape.
    ///
    /// # Safety
    /// Called by the interpreter with a buffer to fill in.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let state = slf.get().state()?;
        let described = state.guarded.memory.and_then(|it| Some((it, it.element.format()?)));
        let Some((mut memory, format)) = described else {
            let obj = state.guarded.obj.as_ptr();
            // SAFETY: `view` is the interpreter's to fill in, and the object is kept by this one.
            let filled = unsafe { ffi::PyObject_GetBuffer(obj, view, flags) };
            return if filled == 0 { Ok(()) } else { Err(PyErr::fetch(slf.py())) };
        };
        let by_columns = flags & ffi::PyBUF_F_CONTIGUOUS == ffi::PyBUF_F_CONTIGUOUS;
        if by_columns && state.shape.len() > 1 {
            return Err(PyBufferError::new_err("the array lies in memory row by row"));
        }
        let asked = |flag: c_int| flags & flag == flag;
        let len = memory.data.len();
        let filled = ffi::Py_buffer {
            buf: memory.data.lent_mut::<u8>(len).as_mut_ptr().cast::<c_void>(),
            obj: slf.clone().into_any().into_ptr(),
            len: len as ffi::Py_ssize_t,
            itemsize: memory.element.size() as ffi::Py_ssize_t,
            readonly: 0,
            ndim: state.shape.len() as c_int,
            format: if asked(ffi::PyBUF_FORMAT) {
                format.as_ptr().cast_mut()
            } else {
                std::ptr::null_mut()
            },
            shape: if asked(ffi::PyBUF_ND) {
                state.shape.as_ptr().cast_mut()
            } else {
                std::ptr::null_mut()
            },
            strides: if asked(ffi::PyBUF_STRIDES) {
                state.strides.as_ptr().cast_mut()
            } else {
                std::ptr::null_mut()
            },
            suboffsets: std::ptr::null_mut(),
            internal: std::ptr::null_mut(),
        };
        // SAFETY: `view` is the interpreter's to fill in. Shape, strides and bytes stay while the view
        // keeps this object; the bytes are written under a lock that users take, as C would.
        unsafe { view.write(filled) };
        Ok(())
    }
}

/// An element or a part of a ctypes array of arrays.
struct Place<'py> {
    array: Bound<'py, PyAny>,
    index: Bound<'py, PyAny>,
}

/// Goes into the arrays by all indices of a tuple but the last.
fn nested<'py>(array: &Bound<'py, PyAny>, index: &Bound<'py, PyAny>) -> PyResult<Place<'py>> {
    let mut place = Place { array: array.clone(), index: index.clone() };
    if let Ok(path) = index.cast_exact::<PyTuple>() {
        for (number, index) in path.iter().enumerate() {
            if number > 0 {
                place.array = place.get()?;
            }
            place.index = index;
        }
    }
    Ok(place)
}

impl<'py> Place<'py> {
    fn get(&self) -> PyResult<Bound<'py, PyAny>> {
        self.array.get_item(&self.index)
    }

    fn set(&self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        self.array.set_item(&self.index, value)
    }
}
