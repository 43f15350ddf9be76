//! The only place of procession that talks to the kernel. It knows nothing of families, queues or pools.
//!
//! | room | what it holds |
//! |---|---|
//! | **words** | |
//! | [`atomic`] | the one door for atomics: the standard library's, or loom's |
//! | [`futex`] | sleeping on a word that processes share |
//! | [`robust`] | what the kernel does for a thread that dies with a lock |
//! | [`deadline`] | [`Deadline`], the instant at which a wait gives up |
//! | **memory** | |
//! | [`mapping`] | a memfd, mapped once |
//! | [`bytes`] | bytes that somebody else may write meanwhile |
//! | **processes** | |
//! | [`spawn`] | another program, by `posix_spawn` |
//! | [`fork`], [`forked`] | a copy of this process, and noticing that it is one |
//! | [`image`] | sending a function to another process of the same program |
//! | [`boot`] | the first moments of a program that was started as a part of itself |
//! | [`lifeline`] | a descriptor whose end is the end of the process that holds it |
//! | [`pidfd`], [`pidfd_info`], [`process_status`], [`signal_name`] | a process as a descriptor, and how it ended |
//! | [`reaper`] | all children of a process that has nothing else to do |
//! | [`leave`], [`environment`], [`stdio`] | ends, variables and streams of this process |
//! | [`pid`], [`cpu`], [`random`] | facts about processes, the system and the processor; random numbers |
//! | **descriptors** | |
//! | [`ready`], [`poll`] | waiting for the first of several |
//! | [`stream`] | all bytes of a message, over a pipe or a socket |
//! | [`bell`] | doorbells: waking a process that polls |
//! | [`peer`] | which process is at the other end of a socket |
//! | [`fd_pass`], [`pipe_end`] | messages with descriptors, ends of pipes |
//! | [`errno`] | error numbers that upper floors tell apart |
//! | **tests** | |
//! | [`crash`] | named points at which a test has a process killed |
//!
//! Each function here is one act of the kernel's, made safe; policy, such as who is killed when, lies above. The
//! contracts behind `unsafe` are listed in `SAFETY.md` at the root of the repository.
#![expect(unsafe_code, reason = "this floor talks to the kernel and to shared memory")]

pub mod atomic;
pub mod bell;
pub mod boot;
pub mod bytes;
pub mod cpu;
pub mod crash;
pub mod deadline;
pub mod environment;
pub mod errno;
pub mod fd_pass;
pub mod fork;
pub mod forked;
pub mod futex;
pub mod image;
pub mod leave;
pub mod lifeline;
pub mod mapping;
pub mod peer;
pub mod pid;
pub mod pidfd;
pub mod pidfd_info;
pub mod pipe_end;
pub mod poll;
pub mod process_status;
pub mod random;
pub mod ready;
pub mod reaper;
pub mod robust;
pub mod signal_name;
pub mod spawn;
pub mod stdio;
pub mod stream;

pub use deadline::Deadline;
