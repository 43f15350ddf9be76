//! The error numbers that upper floors tell apart.

pub use libc::{EINVAL, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM};
