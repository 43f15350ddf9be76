//! Which types may lie in memory that other processes write.

#[cfg(not(loom))]
use procession_sys::atomic::{AtomicU32, AtomicU64};

/// A type that may lie in shared memory and be reached through `&T` while other processes change it.
///
/// # Safety
/// - every field is an atomic or is itself `Shared`, so a change by another process is never a
///   data race;
/// - every bit pattern, zeros included, is a value;
/// - it is `repr(C)` or `repr(transparent)`, holds no address, and has no destructor.
///
/// [`shared_struct!`](crate::shared_struct) makes a struct for which the compiler has checked this.
#[cfg(not(loom))]
pub unsafe trait Shared: 'static {}

// SAFETY: an atomic integer: any bits, changed by whoever.
#[cfg(not(loom))]
unsafe impl Shared for AtomicU32 {}
// SAFETY: as above.
#[cfg(not(loom))]
unsafe impl Shared for AtomicU64 {}
// SAFETY: an array of `Shared` has the conditions of its elements and no padding between them.
#[cfg(not(loom))]
unsafe impl<T: Shared, const N: usize> Shared for [T; N] {}

/// Under loom, the struct alone: loom's atomics have another size and lie in no shared memory.
#[cfg(loom)]
#[macro_export]
macro_rules! shared_struct {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $size:literal {
            $( $(#[$field_meta:meta])* $field_vis:vis $field:ident: $ty:ty, )*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name { $( $(#[$field_meta])* $field_vis $field: $ty, )* }
    };
}

/// Defines a `repr(C)` struct of [`Shared`](crate::Shared) fields that is itself `Shared`.
///
/// ```
/// use std::sync::atomic::{AtomicU32, AtomicU64};
///
/// procession_shm::shared_struct! {
///     /// Two words.
///     pub struct Pair: 16 {
///         /// How many.
///         pub count: AtomicU64,
///         /// Flags.
///         pub flags: AtomicU32,
///         /// Keeps the size a multiple of the alignment, so that no byte is unnamed.
///         pub rest: AtomicU32,
///     }
/// }
/// ```
///
/// The number is the size in bytes: a layout that changes by accident does not compile.
#[cfg(not(loom))]
#[macro_export]
macro_rules! shared_struct {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $size:literal {
            $( $(#[$field_meta:meta])* $field_vis:vis $field:ident: $ty:ty, )*
        }
    ) => {
        $(#[$meta])*
        #[repr(C)]
        $vis struct $name { $( $(#[$field_meta])* $field_vis $field: $ty, )* }

        const _: () = {
            const fn shared<T: $crate::Shared>() {}
            $( shared::<$ty>(); )*
            assert!(::core::mem::size_of::<$name>() == $size, "the layout is not the one declared");
            assert!(!::core::mem::needs_drop::<$name>());
        };

        // SAFETY: the constants above require every field to be `Shared`; the struct is `repr(C)`
        // and has no destructor.
        unsafe impl $crate::Shared for $name {}
    };
}
