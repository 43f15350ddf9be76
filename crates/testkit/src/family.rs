//! The processes below this one, as `/proc` shows them.
//!
//! A process that ends between two reads is simply not in the answer. A process is named by its pid
//! *and* its start time, because the kernel uses pids again. Descendants whose parent died have gone
//! to init (or to a subreaper) and are not found here; [`adopt_orphans`] makes them ours.

use std::collections::BTreeMap;
use std::fs;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub pid: i32,
    /// Its parent's number.
    pub parent: i32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
    /// The letter of its state: `R`, `S`, `D`, `Z` for a zombie, `T` for stopped.
    pub state: char,
    /// Its short name.
    pub name: String,
    /// User and system time in clock ticks, with that of the children it has reaped.
    pub cpu_ticks: u64,
}

impl Member {
    /// Reads one process; `None` if there is none of this number.
    pub fn read(pid: i32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name stands in parentheses and may itself hold spaces and parentheses.
        let (head, tail) = stat.rsplit_once(") ")?;
        let name = head.split_once('(')?.1.to_owned();
        let fields: Vec<&str> = tail.split(' ').collect();
        // proc_pid_stat(5) counts from 1, and its third field is the first one here.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        Some(Self {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            start: number(22)?,
            state: fields.first()?.chars().next()?,
            name,
            cpu_ticks: (14..=17).filter_map(number).sum(),
        })
    }

    /// Whether it has ended and waits to be reaped.
    pub fn is_zombie(&self) -> bool {
        self.state == 'Z'
    }

    /// Its command line, or its short name if it has none any more.
    pub fn command(&self) -> String {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        match line.trim() {
            "" => format!("[{}]", self.name),
            line => line.to_owned(),
        }
    }
}

/// All living and all unreaped descendants of this process, parents before their children.
pub fn descendants() -> Vec<Member> {
    let mut children: BTreeMap<i32, Vec<Member>> = BTreeMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(member) = pid.and_then(Member::read) {
            children.entry(member.parent).or_default().push(member);
        }
    }
    let (mut found, mut next) = (Vec::new(), vec![std::process::id() as i32]);
    while let Some(parent) = next.pop() {
        let members = children.remove(&parent).unwrap_or_default();
        next.extend(members.iter().map(|member| member.pid));
        found.extend(members);
    }
    found
}

/// Makes this process the parent of every descendant whose own parent dies, for the rest of its
/// life, so that orphans are seen by [`descendants`] and by the leak check.
///
/// # Panics
/// If the kernel refuses, which it has no reason to.
pub fn adopt_orphans() {
    let myself = rustix::process::getpid();
    rustix::process::set_child_subreaper(Some(myself)).expect("cannot become a subreaper");
}

/// Whether a thread of this process or of a descendant runs, waits for a processor or for a disk; not counting the one
/// that asks.
pub(crate) fn anybody_runs() -> bool {
    let me = rustix::thread::gettid().as_raw_nonzero().get();
    let myself = Member::read(std::process::id() as i32);
    myself.into_iter().chain(descendants()).any(|member| {
        let threads = fs::read_dir(format!("/proc/{}/task", member.pid));
        let numbers = threads.into_iter().flatten().flatten();
        let mut numbers = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        // What proc_pid_stat(5) says of a process, it says of a thread by its number.
        numbers.any(|thread| {
            thread != me && Member::read(thread).is_some_and(|it| matches!(it.state, 'R' | 'D'))
        })
    })
}

/// This process and its descendants as text: one line a process and one a thread of it, each with
/// its state and the place in the kernel where it waits.
pub fn picture() -> String {
    let mut text = String::new();
    let myself = Member::read(std::process::id() as i32);
    for member in myself.into_iter().chain(descendants()) {
        let (pid, parent, state) = (member.pid, member.parent, member.state);
        text += &format!("pid {pid}, child of {parent}, {state}: {}\n", member.command());
        for entry in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
            let read = |file| fs::read_to_string(entry.path().join(file)).unwrap_or_default();
            let (name, place, call) = (read("comm"), read("wchan"), read("syscall"));
            // The number of the system call, or the word `running`; the rest are its arguments.
            let call = call.split_ascii_whitespace().next().unwrap_or("unknown");
            let (thread, name) = (entry.file_name(), name.trim());
            let thread = thread.to_string_lossy();
            text += &format!("    thread {thread} `{name}` in {place}, system call {call}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_and_then_gone() {
        let mut child = std::process::Command::new("cat");
        let child = child.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
        let mut child = child.spawn().unwrap();
        let pid = child.id() as i32;
        assert!(descendants().iter().any(|member| member.pid == pid));
        assert!(picture().contains(&format!("pid {pid}, child of {}", std::process::id())));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!descendants().iter().any(|member| member.pid == pid));
    }
}
