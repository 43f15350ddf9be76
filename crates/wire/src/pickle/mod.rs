//! Plain data as pickles, and back: what Rust and Python say to each other.
//!
//! A pickle is a program for a stack machine, and may call anything that it names. This one names
//! nothing when it writes, and calls nothing when it reads: a class or a function in a pickle is an
//! error where a value is asked of it.
//!
//! | room | holds |
//! |---|---|
//! | [`op`] | the opcodes |
//! | `write` | [`to_vec`], [`append`]: serde to a pickle, protocol 4, no memo and no frames |
//! | `machine` | a pickle of any protocol from 0 to 5 to a tree |
//! | `emit`, `input` | single values as opcodes; what follows an opcode |
//! | `memo` | what the machine remembers |
//! | `tree` | the tree: small values that refer to the pickle's bytes |
//! | `read` | [`from_slice`]: the tree to serde |
//! | `persistent` | [`Persistent`]: an object that the other side looks up |
//! | `error` | [`Error`], which knows the place in the value |
//!
//! # The mapping
//!
//! | serde, and Rust | written as | read from |
//! |---|---|---|
//! | unit, `()`, unit struct, `None` | `None` | `None` |
//! | `Some(x)` | `x` | anything but `None` |
//! | `bool` | `bool` | `bool` |
//! | integers, 128 bits too | `int` | `int` that fits |
//! | `f32`, `f64` | `float` | `float`, `int` |
//! | `char`, `str`, `String` | `str` | `str` without lone surrogates |
//! | bytes (the crate `serde_bytes`) | `bytes` | `bytes`, `bytearray` |
//! | sequences, `Vec`, slices, sets | `list` | `list`, `tuple`, `set`, `frozenset`; one of `u8` from `bytes`, `bytearray` too |
//! | tuples, tuple structs, arrays | `tuple` | the same |
//! | maps | `dict`, in their order | `dict` |
//! | structs | `dict` from field names | `dict` |
//! | newtype structs | what is in them | the same |
//! | unit variants | `str`, the variant's name | `str`, or `{name: None}` |
//! | other variants | `{name: value}`; a tuple or dict of the fields, if there are many | the same |
//!
//! What cannot be mapped: `Some(None)` and `Some(())`, which would arrive as `None`; a list or dict
//! as a key; integers beyond 128 bits; objects of any other class; what is nested deeper than
//! [`DEPTH`], and so what contains itself.
//!
//! Objects that are not data, but that both sides know, go by a persistent id: see [`Persistent`].

pub(crate) mod emit;
mod error;
pub(crate) mod input;
mod machine;
pub(crate) mod memo;
pub mod op;
mod persistent;
mod read;
mod tree;
mod write;

pub use error::Error;
pub use persistent::Persistent;
pub(crate) use read::from_opcodes;
pub use read::from_slice;
pub(crate) use write::append_opcodes;
pub use write::{append, to_vec};

/// How deep lists, tuples, sets and dicts may be nested in each other.
pub const DEPTH: usize = 128;
