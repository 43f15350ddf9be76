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
/// The first moments of a program that was started again as a part of itself.
pub mod boot;
/// Named points at which a test has a process killed.
pub mod crash;
/// The instant at which a wait gives up.
pub mod deadline;
/// Error numbers that upper floors tell apart.
pub mod errno;
/// Changing the environment of a process that has just begun.
pub mod environment;
/// Messages with descriptors.
pub mod fd_pass;
/// `fork`, for a process that has one thread.
pub mod fork;
/// Sending a function to another process of the same program.
pub mod image;
/// Ways to end this process.
pub mod leave;
/// A descriptor whose end is the end of the process that holds it.
pub mod lifeline;
/// Facts about processes and the system.
pub mod pid;
/// Random numbers from the kernel.
pub mod random;
/// A process as a descriptor.
pub mod pidfd;
/// The status of a process that somebody else reaped.
pub mod pidfd_info;
/// One's own end of a pipe.
pub mod pipe_end;
/// Waiting for descriptors.
pub mod poll;
/// How a process ended.
pub mod process_status;
/// Waiting for one of several descriptors.
pub mod ready;
/// Children of this process, all of them.
pub mod reaper;
/// Signals by name.
pub mod signal_name;
/// Starting another program.
pub mod spawn;
/// The three descriptors that a program takes for granted.
pub mod stdio;

pub use deadline::Deadline;
