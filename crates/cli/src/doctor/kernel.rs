//! Whether the kernel has what all is built on. Each thing is tried: a version says nothing about a
//! sandbox.

use super::Finding;
use procession::host;
use std::fs;
use std::io;

pub(super) fn findings() -> Vec<Finding> {
    vec![version(), memory(), futex(), pidfd(), status()]
}

fn version() -> Finding {
    let what = "kernel";
    match fs::read_to_string("/proc/sys/kernel/osrelease") {
        Ok(text) if is_older(&text, (5, 3)) => {
            Finding::broken(what, format!("Linux {}: procession needs 5.3", text.trim()))
        }
        Ok(text) => Finding::well(what, format!("Linux {}", text.trim())),
        Err(error) => Finding::degraded(what, format!("its version cannot be read: {error}")),
    }
}

/// Whether `6.8.0-45-generic` is older than a version; `false` if it is no number.
fn is_older(text: &str, than: (u32, u32)) -> bool {
    let mut numbers = text.split(|letter: char| !letter.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) < than,
        _ => false,
    }
}

fn memory() -> Finding {
    tried(
        "shared memory",
        host::memory(),
        "memfd_create, sealing, fallocate",
        "a sandbox forbids memfd_create, or sysctl vm.memfd_noexec is 2",
    )
}

fn futex() -> Finding {
    tried("futex", host::futex(), "a process that waits sleeps", "a sandbox forbids it")
}

fn pidfd() -> Finding {
    let remedy = "Linux 5.3 has pidfd_open, unless a sandbox forbids it";
    tried("pidfd", host::pidfd(), "ends of processes can be waited for", remedy)
}

fn tried(what: &'static str, result: io::Result<()>, well: &str, remedy: &str) -> Finding {
    match result {
        Ok(()) => Finding::well(what, well),
        Err(error) => Finding::broken(what, format!("{error}; {remedy}")),
    }
}

fn status() -> Finding {
    let what = "exit status";
    match host::keeps_status() {
        Ok(true) => Finding::well(what, "kept by the kernel after the process was reaped"),
        Ok(false) => Finding::degraded(
            what,
            "how a child ended is unknown if its zygote is killed too (Linux 6.15 keeps it)",
        ),
        Err(error) => Finding::degraded(what, format!("`true` cannot be started: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(is_older("5.2.21-generic", (5, 3)));
        assert!(!is_older("5.10.0", (5, 3)));
        assert!(!is_older("6.1-rc1\n", (5, 3)));
        assert!(!is_older("unknown", (5, 3)));
    }
}
