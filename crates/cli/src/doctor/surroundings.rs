//! What the host shows this process of itself: `/proc`, namespaces, processors.

use super::Finding;
use procession::cpu_count;
use std::fs;

/// The number that the kernel gives to the PID namespace of the machine itself.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

pub(super) fn findings() -> Vec<Finding> {
    vec![proc(), namespace(), ptrace(), processors()]
}

fn proc() -> Finding {
    let what = "/proc";
    if let Err(error) = fs::read("/proc/self/stat") {
        let cost = "members cannot be told from dead ones; mount it";
        return Finding::broken(what, format!("{error}: {cost}"));
    }
    let me = std::process::id().to_string();
    if fs::read_link("/proc/self").is_ok_and(|number| number.as_os_str() != me.as_str()) {
        let cost = "of another PID namespace: members look like other processes; mount it anew";
        return Finding::broken(what, cost);
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    match hidepid(&mounts) {
        None => Finding::well(what, "mounted, and nothing is hidden"),
        Some(how) => Finding::degraded(
            what,
            format!(
                "mounted with hidepid={how}: `ps` shows your own families only, and a member that \
                 becomes another user counts as dead"
            ),
        ),
    }
}

/// How `/proc` hides the processes of others, if it does; from the text of `mountinfo`.
fn hidepid(mounts: &str) -> Option<&str> {
    // The fifth field is the mount point; the last of several mounts is the one on top.
    let line = mounts.lines().rfind(|line| line.split(' ').nth(4) == Some("/proc"))?;
    let options = line.rsplit(' ').next()?;
    let how = options.split(',').find_map(|option| option.strip_prefix("hidepid="))?;
    (!matches!(how, "0" | "off")).then_some(how)
}

fn namespace() -> Finding {
    let what = "PID namespace";
    match fs::read_link("/proc/self/ns/pid") {
        Ok(name) if name.as_os_str() == FIRST_NAMESPACE => Finding::well(what, "the machine's own"),
        Ok(_) => Finding::well(
            what,
            "one of its own, as in a container: a family cannot have members on both sides",
        ),
        Err(error) => Finding::degraded(what, format!("cannot be told: {error}")),
    }
}

fn ptrace() -> Finding {
    let what = "yama";
    match fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope") {
        Ok(scope) => Finding::well(
            what,
            format!("ptrace_scope {}: nothing here attaches to a process", scope.trim()),
        ),
        Err(_) => Finding::well(what, "not there"),
    }
}

fn processors() -> Finding {
    let what = "processors";
    let usable = cpu_count();
    let online = fs::read_to_string("/sys/devices/system/cpu/online").unwrap_or_default();
    let all = count(&online).map_or(String::new(), |all| format!(" of {all}"));
    if usable == 1 {
        let cost = "processes take turns, and every message waits for a switch";
        return Finding::degraded(what, format!("1{all} may be used: {cost}"));
    }
    Finding::well(what, format!("{usable}{all} may be used (affinity, control group)"))
}

/// How many processors `0-3,8` are.
fn count(list: &str) -> Option<usize> {
    list.trim().split(',').try_fold(0, |sum, range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (first.parse::<usize>().ok()?, last.parse::<usize>().ok()?);
        Some(sum + last.checked_sub(first)? + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_processes_are_seen_in_the_mount_that_is_on_top() {
        let open = "22 27 0:21 / /proc rw,relatime - proc proc rw";
        assert_eq!(hidepid(open), None);
        let hidden = format!("{open}\n90 22 0:40 / /proc rw - proc proc rw,hidepid=invisible\n");
        assert_eq!(hidepid(&hidden), Some("invisible"));
        assert_eq!(hidepid("22 27 0:21 / /proc rw - proc proc rw,hidepid=0"), None);
    }

    #[test]
    fn processors_are_counted_in_ranges() {
        assert_eq!(count("0-3,8\n"), Some(5));
        assert_eq!(count("0\n"), Some(1));
        assert_eq!(count(""), None);
    }
}
