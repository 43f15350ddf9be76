//! Plain Python data as a tree, with Python's equality, hash, truth and `repr`.
//!
//! | room | holds |
//! |---|---|
//! | `tree` | [`Value`] and what is in it; making one |
//! | `large` | [`Large`]: ints beyond 128 bits |
//! | `ask` | truth, numbers, names of types, what cannot be hashed |
//! | `equal` | equality and hash: `1 == 1.0 == True` |
//! | `repr` | [`Display`](std::fmt::Display) as Python's `repr` |
//! | `write` | a value as a pickle |

mod ask;
mod equal;
mod large;
mod repr;
mod tree;
mod write;

pub use large::Large;
pub use tree::{Class, Object, Value};
