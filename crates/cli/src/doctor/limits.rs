//! How much of everything this process may have.

use super::Finding;
use crate::ps::bytes;
use procession::host::physical_memory;
use std::fs;
use std::path::Path;

/// With fewer descriptors or processes than this, a pool of one worker a processor may not fit.
const FEW: u64 = 256;

pub(super) fn findings() -> Vec<Finding> {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    vec![descriptors(&limits), processes(&limits), addresses(&limits), group()]
}

/// The soft limit of this name; `None` if there is none.
fn limit(limits: &str, name: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn descriptors(limits: &str) -> Finding {
    let what = "descriptors";
    match limit(limits, "Max open files") {
        Some(few) if few < FEW => Finding::degraded(
            what,
            format!("at most {few}: each child needs one of its parent (raise it: ulimit -n)"),
        ),
        Some(many) => Finding::well(what, format!("at most {many}")),
        None => Finding::well(what, "not limited"),
    }
}

fn processes(limits: &str) -> Finding {
    let what = "processes";
    match limit(limits, "Max processes") {
        Some(few) if few < FEW => Finding::degraded(
            what,
            format!("at most {few} of this user: large pools do not start (raise it: ulimit -u)"),
        ),
        Some(many) => Finding::well(what, format!("at most {many} of this user")),
        None => Finding::well(what, "not limited"),
    }
}

fn addresses(limits: &str) -> Finding {
    let what = "address space";
    match limit(limits, "Max address space") {
        Some(most) => Finding::degraded(
            what,
            format!(
                "at most {}: a family reserves a quarter of it, and cannot grow beyond that \
                 (raise it: ulimit -v)",
                bytes(most)
            ),
        ),
        None => Finding::well(what, "not limited"),
    }
}

fn group() -> Finding {
    let what = "control group";
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let allowed = groups.lines().filter_map(files).flat_map(|files| smallest(&files)).min();
    match allowed.filter(|allowed| *allowed < physical_memory()) {
        None => Finding::well(what, "memory is not limited below the machine's"),
        Some(allowed) if allowed / 2 < family_limit() => Finding::degraded(
            what,
            format!(
                "{} of memory, and a family may grow to {}: the kernel kills before procession can \
                 say that it is full; set PROCESSION_ARENA to less",
                bytes(allowed),
                bytes(family_limit())
            ),
        ),
        Some(allowed) => Finding::well(what, format!("{} of memory", bytes(allowed))),
    }
}

/// How far a family that begins now may grow, for all we know before it does.
fn family_limit() -> u64 {
    let set = std::env::var("PROCESSION_ARENA").ok();
    let set = set.and_then(|text| procession::host::parse_size(&text));
    set.unwrap_or_else(|| physical_memory() / 2)
}

/// Where the limits of a group are, from a line of `/proc/self/cgroup`: mount, group, file.
fn files(line: &str) -> Option<(&'static str, &str, &'static str)> {
    let mut fields = line.splitn(3, ':').skip(1);
    let (controllers, path) = (fields.next()?, fields.next()?);
    if controllers.is_empty() {
        return Some(("/sys/fs/cgroup", path, "memory.max"));
    }
    let is_memory = controllers.split(',').any(|name| name == "memory");
    is_memory.then_some(("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"))
}

/// The smallest limit of a group and those that it is in.
fn smallest((mount, path, file): &(&'static str, &str, &'static str)) -> Option<u64> {
    let groups = Path::new(path.trim_start_matches('/')).ancestors();
    groups
        .filter_map(|group| fs::read_to_string(Path::new(mount).join(group).join(file)).ok())
        .filter_map(|text| text.trim().parse().ok())
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_number_or_none() {
        let limits = "Max open files            64                   4096        files     \n\
                      Max address space         unlimited            unlimited   bytes     \n";
        assert_eq!(limit(limits, "Max open files"), Some(64));
        assert_eq!(limit(limits, "Max address space"), None);
    }

    #[test]
    fn both_kinds_of_control_groups_are_found() {
        assert_eq!(files("0::/a/b"), Some(("/sys/fs/cgroup", "/a/b", "memory.max")));
        let first = Some(("/sys/fs/cgroup/memory", "/a", "memory.limit_in_bytes"));
        assert_eq!(files("4:memory:/a"), first);
        assert_eq!(files("8:pids:/a"), None);
    }
}
