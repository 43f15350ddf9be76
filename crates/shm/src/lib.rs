//! Placeholder.
#![expect(unsafe_code, reason = "this floor talks to the kernel and to shared memory")]
