//! What this host must have for procession to work, each thing tried: what `procession doctor` asks.
//!
//! Each probe does the smallest thing that needs the feature and leaves nothing behind.

use procession_sys::atomic::AtomicU32;
use procession_sys::futex::{self, Woken};
use procession_sys::mapping::{Mapping, page_size};
use procession_sys::pidfd::Pidfd;
use procession_sys::spawn::Spawn;
use procession_sys::{Deadline, pid, pidfd_info};
use std::ffi::OsString;
use std::io;
use std::time::Duration;

/// Makes a memfd, seals its size, maps it, gives it memory and takes that back.
///
/// # Errors
/// Of the step that the kernel refused.
pub fn memory() -> io::Result<()> {
    let page = page_size();
    let mapping = Mapping::create("probe", 16 * page)?;
    mapping.commit(0, page)?;
    mapping.punch(0, page)
}

/// Sleeps on a word in memory until the time is up.
///
/// # Errors
/// If the kernel, or a sandbox, does not let it sleep: all that waits would burn a processor.
pub fn futex() -> io::Result<()> {
    /// A wait may end early now and then, but not so often.
    const TRIES: usize = 100;
    let word = AtomicU32::new(0);
    let deadline = Deadline::after(Duration::from_millis(5));
    let mut waits = (0..TRIES).map(|_| futex::wait(&word, 0, deadline));
    let slept = waits.any(|woken| woken == Woken::TimedOut);
    slept.then_some(()).ok_or_else(|| io::Error::other("the kernel does not let it sleep"))
}

/// Opens a process as a descriptor, which Linux 5.3 can.
///
/// # Errors
/// Of the kernel, or of a sandbox.
pub fn pidfd() -> io::Result<()> {
    Pidfd::open(std::process::id() as i32)?.wait_ended(Deadline::now()).map(drop)
}

/// Whether the kernel knows how a process ended after somebody else took its status, which Linux 6.15
/// does.
///
/// # Errors
/// If no process can be started.
pub fn keeps_status() -> io::Result<bool> {
    let child = Spawn::new(&[OsString::from("true")]).spawn().map_err(io::Error::other)?;
    child.pidfd.reap(Deadline::never())?;
    Ok(pidfd_info::status_after_reap(&child.pidfd, Deadline::now()).is_some())
}

/// How many bytes of memory the machine has.
#[must_use]
pub fn physical_memory() -> u64 {
    pid::physical_memory()
}

pub use procession_shm::parse_size;
