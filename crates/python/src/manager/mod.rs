//! Managers: calls of the objects of one, and the server of one.
//!
//! | room | holds |
//! |---|---|
//! | `host` | the process of one that shares its memory |
//! | `line` | one connection to a manager |
//! | `server` | the server, with Python as its guest |

mod host;
mod line;
mod server;

pub(crate) use host::Host;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<line::Line>()?;
    module.add_class::<server::ManagerServer>()
}
