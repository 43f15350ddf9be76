//! Large messages: parcels, written once.
//!
//! A parcel of format [`PICKLE`] is a pickle. One of format [`BUFFERS`] is a pickle and the buffers
//! that it refers to in their order, which the receiver lends to the objects. Both may stand behind a head that
//! is not of this room, as in the tasks of a pool; the table then begins at the next multiple of 64:
//!
//! | from there at | bytes | |
//! |---|---|---|
//! | 0 | 8 | how many buffers, little-endian as all of these |
//! | 8 | 8 | length of the pickle |
//! | 16 + 16 n | 8 | length of buffer n |
//! | 24 + 16 n | 8 | 1 if it is to be read only |
//! | the next multiple of 64 | | the pickle |
//! | the next multiple of 64 | | buffer 0, and so on |

use super::apart::Apart;
use super::read::{Instances, Unread};
use super::view::{Lent, View};
use super::{BUFFERS, PICKLE, pickler, read};
use crate::wait::raise;
use procession_ipc::message::Parcel;
use procession_shm::Family;
use procession_sys::bytes::Bytes;
use pyo3::prelude::*;
use pyo3::types::PyList;
use std::sync::Arc;

const ALIGN: usize = 64;
const FRONT: usize = 16;
const ENTRY: usize = 16;
/// From so many bytes on a copy takes longer than letting another thread run.
const WORTH_DETACHING: usize = 256 << 10;

/// A parcel of a pickle of which some parts were left where they are.
///
/// # Errors
/// `OSError` if shared memory has no room.
pub(super) fn of_parts(
    py: Python<'_>,
    family: &'static Family,
    bytes: &[u8],
    apart: &[Apart],
) -> PyResult<Parcel> {
    let mut parts = Vec::with_capacity(apart.len() * 2 + 1);
    let mut from = 0;
    for part in apart {
        parts.extend([bytes[from..part.at].into(), part.bytes()]);
        from = part.at;
    }
    parts.push(bytes[from..].into());
    gather(py, family, PICKLE, &parts, 1)
}

/// A parcel of a pickle and its buffers.
///
/// # Errors
/// As [`of_parts`].
pub(super) fn of_buffers(
    py: Python<'_>,
    family: &'static Family,
    head: &[u8],
    pickle: &[u8],
    buffers: &[Apart],
) -> PyResult<Parcel> {
    let mut front = Vec::with_capacity(FRONT + buffers.len() * ENTRY);
    let mut word = |value: usize| front.extend_from_slice(&(value as u64).to_le_bytes());
    word(buffers.len());
    word(pickle.len());
    for buffer in buffers {
        word(buffer.len());
        word(buffer.is_readonly.into());
    }
    let mut parts = vec![head.into(), front.as_slice().into(), pickle.into()];
    parts.extend(buffers.iter().map(Apart::bytes));
    gather(py, family, BUFFERS, &parts, ALIGN)
}

fn gather(
    py: Python<'_>,
    family: &'static Family,
    format: u8,
    parts: &[Bytes<'_>],
    align: usize,
) -> PyResult<Parcel> {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    let write = || Parcel::gather(family, format, parts, align);
    let parcel = if len < WORTH_DETACHING { write() } else { py.detach(write) };
    parcel.map_err(|error| raise(&error))
}

/// The object in a parcel of format [`PICKLE`] behind its head, copied.
///
/// # Errors
/// What unpickling raises.
pub(super) fn read_whole(
    py: Python<'_>,
    parcel: Parcel,
    head: usize,
) -> PyResult<Bound<'_, PyAny>> {
    match read::read(py, &parcel.bytes()[head..], Instances::Are) {
        Ok(object) => return Ok(object),
        Err(Unread::Raised(error)) => return Err(*error),
        Err(Unread::Other) => {}
    }
    let whole = head..parcel.len();
    let lent = Arc::new(Lent::new(parcel)?);
    pickler::load(View::new(py, &lent, whole, true)?.as_any())
}

/// The object in a parcel of format [`BUFFERS`] behind its head, whose buffers are views of the parcel.
///
/// # Errors
/// What unpickling raises; `ValueError` if the parcel is not laid out as it must be.
pub(super) fn read_buffers(
    py: Python<'_>,
    parcel: Parcel,
    head: usize,
) -> PyResult<Bound<'_, PyAny>> {
    let damaged = || pyo3::exceptions::PyValueError::new_err("a parcel whose table is damaged");
    let layout = layout(parcel.bytes(), head).ok_or_else(damaged)?;
    let lent = Arc::new(Lent::new(parcel)?);
    let views = layout
        .buffers
        .into_iter()
        .map(|(range, is_readonly)| View::new(py, &lent, range, is_readonly));
    let views = views.collect::<PyResult<Vec<_>>>()?;
    let pickle = View::new(py, &lent, layout.pickle, true)?;
    pickler::load_with(pickle.as_any(), &PyList::new(py, views)?)
}

type Range = std::ops::Range<usize>;

struct Layout {
    pickle: Range,
    buffers: Vec<(Range, bool)>,
}

/// Where everything is in the parcel; `None` if it does not lie inside.
fn layout(bytes: &[u8], head: usize) -> Option<Layout> {
    let table = head.checked_next_multiple_of(ALIGN)?;
    let word = |at: usize| {
        let bytes = bytes.get(table.checked_add(at)?..)?.first_chunk()?;
        usize::try_from(u64::from_le_bytes(*bytes)).ok()
    };
    let count = word(0)?;
    let mut end = count.checked_mul(ENTRY)?.checked_add(FRONT)?.checked_add(table)?;
    let mut next = |len: usize| {
        let start = end.checked_next_multiple_of(ALIGN)?;
        end = start.checked_add(len)?;
        (end <= bytes.len()).then_some(start..end)
    };
    let pickle = next(word(8)?)?;
    let mut buffers = Vec::new();
    for number in 0..count {
        let entry = FRONT + number * ENTRY;
        buffers.push((next(word(entry)?)?, word(entry + 8)? != 0));
    }
    Some(Layout { pickle, buffers })
}
