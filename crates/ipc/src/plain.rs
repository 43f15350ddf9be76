//! Which data may lie in shared memory under a lock.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Data that is its bytes: any bytes are a value, without padding, pointers or destructor.
///
/// Integers and floats are, arrays of plain data are, and so is a `#[repr(C)]` struct of them with
/// `#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Clone, Copy)]` of the crate `zerocopy`.
/// A `bool` is not, since it has bytes that are no value: use a `u8`, or an [`Event`](crate::Event).
pub trait Plain:
    FromBytes + IntoBytes + Immutable + KnownLayout + Copy + Send + Sync + 'static
{
}

impl<T> Plain for T where
    T: FromBytes + IntoBytes + Immutable + KnownLayout + Copy + Send + Sync + 'static
{
}
