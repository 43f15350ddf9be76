//! The memory of values and arrays.
//!
//! It is the memory of the engine's own `Value<T>` and `Array<T>`, so that a Rust process can attach to
//! what a Python process made, and the other way round:
//!
//! | in Python | in Rust |
//! |---|---|
//! | `Value` of `b B h H i I l L q Q f d` | `Value` of `i8 u8 i16 u16 i32 u32 i64 u64 i64 u64 f32 f64` |
//! | `Value` of `c` or `c_bool`, of `u` | `Value<u8>`, `Value<u32>` |
//! | `Array` of these, with its shape | `Array` of the same |
//! | any other ctypes type, and arrays of it | `Array<u8>`: its bytes |
//! | the lock of either | the lock inside the value or array |
//!
//! | room | holds |
//! |---|---|
//! | `element` | typecodes: which Rust type, and to and from Python's numbers |
//! | `block` | the memory, as a buffer that ctypes objects are laid over |
//! | `guarded` | a ctypes object with its lock |
//! | `value`, `array` | the methods of the synchronized wrappers |
//! | `hosted` | a manager's values and arrays |
//! | `hot` | those that are called without PyO3 between |

mod array;
mod block;
mod element;
mod guarded;
mod hosted;
mod hot;
mod value;

pub(crate) use block::Block;

use pyo3::prelude::*;

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Block>()?;
    module.add_class::<value::SynchronizedValue>()?;
    module.add_class::<array::SynchronizedArray>()?;
    module.add_class::<hosted::HostedValue>()?;
    module.add_class::<hosted::HostedArray>()?;
    hot::register(module)
}
