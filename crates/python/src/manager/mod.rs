//! Managers: calls of the objects of one, and the server of one.
//!
//! | room | holds |
//! |---|---|
//! | `line` | one connection to a manager |
//! | `server` | the server, with Python as its guest |

mod line;
mod server;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<line::Line>()?;
    module.add_class::<server::ManagerServer>()
}
