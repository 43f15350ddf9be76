//! Placeholder.
#![expect(unsafe_code, reason = "this floor talks to the kernel and to shared memory")]

/// Named points at which a test has a process killed.
pub mod crash;
