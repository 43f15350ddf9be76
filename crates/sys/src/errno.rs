//! The error numbers that upper floors tell apart.

pub use libc::{EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM};
