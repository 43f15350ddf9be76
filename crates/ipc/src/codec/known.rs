//! Which shapes were read back in this process, and which types take the describing format.
//!
//! Without it every message would be read back. A set of 64-bit keys in a fixed table: a key is put
//! and never taken away, unless a full neighbourhood makes it give way; it is then found out anew.
//!
//! | word | meaning | who sets it |
//! |---|---|---|
//! | 0 | free | nobody, after the start |
//! | other | this key is known | whoever has found it out, by compare-and-swap or, when all places are taken, by a store |
//!
//! A word is a fact by itself and guards nothing else, so every access is relaxed. After fork the
//! child knows what the parent knew: the names of its types lie at the same addresses.

use procession_sys::atomic::AtomicU64;
use procession_sys::atomic::Ordering::Relaxed;
use std::any::type_name;

/// Places, a power of two.
const PLACES: usize = 4096;
/// Places that a key may take, from its own on.
const REACH: usize = 8;

static TABLE: [AtomicU64; PLACES] = [const { AtomicU64::new(0) }; PLACES];

/// What about a type is known; the kinds do not overlap.
const STRUCT: u64 = 1 << 60;
const VARIANT: u64 = 2 << 60;
const IS_DESCRIBING: u64 = 3 << 60;

/// A struct that writes so many fields.
#[inline(always)]
pub(super) fn fields(len: usize) -> u64 {
    STRUCT | len as u64
}

/// A variant that writes so many fields.
#[inline(always)]
pub(super) fn variant(index: u32, len: usize) -> u64 {
    VARIANT | u64::from(index) << 24 | len as u64
}

/// The key of a type and what may be known about it; never 0 nor 1, and its lowest bit is free.
///
/// Types with the same path are one here. A name's address costs nothing, its letters would have to
/// be hashed; but the compiler may keep the name at several places, so a key is taken once and
/// passed on.
#[inline(always)]
pub(super) fn key<T: ?Sized>(fact: u64) -> u64 {
    let address = type_name::<T>().as_ptr().addr() as u64;
    ((address ^ fact.rotate_left(7)).wrapping_mul(0x9e37_79b9_7f4a_7c15) & !1) | 2
}

#[inline(always)]
fn place(key: u64, step: usize) -> &'static AtomicU64 {
    &TABLE[((key >> 52) as usize + step) % PLACES]
}

#[inline(always)]
pub(super) fn knows(key: u64) -> bool {
    match place(key, 0).load(Relaxed) {
        0 => false,
        found if found == key => true,
        _ => (1..REACH).any(|step| place(key, step).load(Relaxed) == key),
    }
}

#[cold]
pub(super) fn learn(key: u64) {
    for step in 0..REACH {
        match place(key, step).compare_exchange(0, key, Relaxed, Relaxed) {
            Ok(_) => return,
            Err(found) if found == key => return,
            Err(_) => {}
        }
    }
    place(key, 0).store(key, Relaxed);
}

/// A type whose values go by the describing format; not asked for numbers and strings.
#[inline(always)]
pub(super) fn describing<T: ?Sized>() -> Option<u64> {
    (!is_primitive::<T>()).then(|| key::<T>(IS_DESCRIBING))
}

/// Whether serde itself reads and writes the type in the same way, whatever is in it.
///
/// By name, because a type behind a reference has no `TypeId`; the compiler decides it. Boxes and
/// the like are not among them: what is in them writes itself in their name.
#[inline(always)]
pub(super) fn is_plain<T: ?Sized>() -> bool {
    let name = type_name::<T>();
    is_primitive::<T>()
        || name.starts_with('(')
        || name.starts_with('[')
        || name.starts_with("alloc::vec::Vec<")
        || name.starts_with("core::option::Option<")
        || name.starts_with("std::collections::")
        || name.starts_with("alloc::collections::")
}

/// Whether it is a number or a string, or a reference to one.
#[inline(always)]
pub(super) fn is_primitive<T: ?Sized>() -> bool {
    let name = type_name::<T>();
    // An iterator over strings has references to references.
    let name = name.strip_prefix('&').unwrap_or(name);
    matches!(
        name.strip_prefix('&').unwrap_or(name),
        "u8" | "u16"
            | "u32"
            | "u64"
            | "u128"
            | "usize"
            | "i8"
            | "i16"
            | "i32"
            | "i64"
            | "i128"
            | "isize"
            | "f32"
            | "f64"
            | "bool"
            | "char"
            | "()"
            | "str"
            | "alloc::string::String"
    )
}
