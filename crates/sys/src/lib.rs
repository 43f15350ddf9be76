//! Placeholder.
#![expect(
    unsafe_code,
    reason = "this floor talks to the kernel and to shared memory"
)]

/// Atomics, from the standard library or from loom.
pub mod atomic;
/// Which processor the caller runs on.
pub mod cpu;
/// Noticing that this process is a fork.
pub mod forked;
/// Sleeping on a word in shared memory.
pub mod futex;
/// Memory without a name that processes can share.
pub mod mapping;
/// What the kernel does for a thread that dies with a lock.
pub mod robust;
/// Doorbells between processes.
pub mod bell;
pub mod boot;
/// Named points at which a test has a process killed.
pub mod crash;
/// The instant at which a wait gives up.
pub mod deadline;
/// Error numbers that upper floors tell apart.
pub mod errno;
pub mod environment;
pub mod fd_pass;
pub mod fork;
pub mod image;
pub mod leave;
pub mod lifeline;
/// Facts about processes and the system.
pub mod pid;
/// Random numbers from the kernel.
pub mod random;
/// A process as a descriptor.
pub mod pidfd;
pub mod pidfd_info;
/// One's own end of a pipe.
pub mod pipe_end;
pub mod poll;
/// How a process ended.
pub mod process_status;
/// Waiting for one of several descriptors.
pub mod ready;
pub mod reaper;
/// Signals by name.
pub mod signal_name;
/// Starting another program.
pub mod spawn;
pub mod stdio;

pub use deadline::Deadline;
