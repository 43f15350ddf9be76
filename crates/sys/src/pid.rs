//! Facts about processes and the system that only a number names.

use rustix::io::Errno;
use std::{fs, io};

/// The number of the PID namespace of this process; 0 where it cannot be read.
pub fn namespace() -> u64 {
    rustix::fs::stat("/proc/self/ns/pid").map_or(0, |stat| stat.st_ino)
}

/// When the process started, in clock ticks since boot; `None` if it does not run.
///
/// With the pid it names a process for good: the kernel gives pids again, but not at the same tick.
/// A process that has ended and was not reaped does not run.
///
/// # Errors
/// If the kernel cannot be asked, for want of a descriptor or of memory: it may run or not.
pub fn start_time(pid: u32) -> io::Result<Option<u64>> {
    let stat = match fs::read(format!("/proc/{pid}/stat")) {
        Ok(stat) => stat,
        Err(error) => match Errno::from_io_error(&error) {
            // The second if it was reaped between opening and reading.
            Some(Errno::NOENT | Errno::SRCH) => return Ok(None),
            _ => return Err(error),
        },
    };
    // The name in parentheses may hold anything; the fields are counted from its end.
    let after = stat.iter().rposition(|byte| *byte == b')').map_or(0, |end| end + 2);
    let mut fields = stat.get(after..).unwrap_or_default().split(|byte| *byte == b' ');
    if let Some(b"Z" | b"X" | b"x") = fields.next() {
        return Ok(None);
    }
    let start = fields.nth(18).and_then(|field| std::str::from_utf8(field).ok()?.parse().ok());
    start.map(Some).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is none")))
}

/// The machine's memory in bytes.
pub fn physical_memory() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram.saturating_mul(u64::from(info.mem_unit))
}

/// The limit of the address space (`ulimit -v`) in bytes, if there is one.
pub fn address_space_limit() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::As).current
}

/// Milliseconds of a clock that all processes share and that does not go back; a few
/// milliseconds coarse.
pub fn milliseconds() -> u64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::MonotonicCoarse);
    now.tv_sec as u64 * 1000 + now.tv_nsec as u64 / 1_000_000
}

/// How many bytes of this process are in memory now; 0 where the kernel does not say.
pub fn resident_memory() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").ok();
    let pages = pages.as_deref().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or(0) * crate::mapping::page_size() as u64
}
