//! Messages over a descriptor, as `multiprocessing.connection` frames them.
//!
//! A message is its length as four bytes, the highest first, and so many bytes; a length that does not fit
//! into 31 bits is -1 in its place, and eight bytes behind it. A message goes out in one write. It comes in as
//! two reads, since what lies behind it in the stream must stay there: for `poll`, for `wait`, and for
//! whoever else has the descriptor.
//!
//! | room | holds |
//! |---|---|
//! | `frame` | one message out, one message in |
//! | `end` | the class |

mod end;
pub(crate) mod frame;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<end::Connection>()
}
