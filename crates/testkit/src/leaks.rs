//! Nothing is left: what a test must find unchanged at its end.
//!
//! Compared are the descendants of this process (with zombies), its descriptors, its mappings of
//! anonymous shared memory, and the names in `/dev/shm`. What a process makes once and keeps for its
//! life (a zygote, the arena) is no leak: [`LeakCheck::take_after`] makes it before the snapshot.
//!
//! The descriptors and children of a process belong to all its threads, so a snapshot holds a lock
//! of this process: the checked tests of one binary run one after the other. A test without the
//! check in the same binary can still be taken for a leak; let every test of such a binary have it.

use crate::{fact, family};
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long something may take to go: a killed child is not reaped at once.
pub const LIMIT: Duration = Duration::from_secs(30);

static ONE_TEST_AT_A_TIME: Mutex<()> = Mutex::new(());

/// A snapshot to compare with.
#[derive(Debug)]
#[must_use = "what is compared is the end of the test: keep the snapshot until then"]
pub struct LeakCheck {
    before: BTreeSet<Thing>,
    allowed: Vec<String>,
    _turn: MutexGuard<'static, ()>,
}

/// Something that can be left.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Process { pid: i32, start: u64 },
    Descriptor { fd: i32, target: String },
    Mapping { inode: u64, name: String },
    Name(String),
}

impl LeakCheck {
    /// Waits for its turn in this process and takes the snapshot.
    pub fn take() -> Self {
        Self::take_after(|| ())
    }

    /// Waits for its turn in this process, calls `warm_up`, and takes the snapshot: what `warm_up`
    /// made is no leak.
    pub fn take_after(warm_up: impl FnOnce()) -> Self {
        let turn = ONE_TEST_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        warm_up();
        Self { before: things().into_keys().collect(), allowed: Vec::new(), _turn: turn }
    }

    /// Lets everything pass whose description contains `text`: the command line of a process, the
    /// target of a descriptor, the name of a mapping.
    pub fn allow(&mut self, text: &str) {
        self.allowed.push(text.to_owned());
    }

    /// What is there now and was not at the snapshot, one description each, after waiting up to
    /// `limit` for it to go.
    pub fn left_after(&self, limit: Duration) -> Vec<String> {
        let start = Instant::now();
        loop {
            let left = self.left();
            if left.is_empty() || start.elapsed() >= limit {
                return left.into_values().collect();
            }
            await_an_end(left.keys());
        }
    }

    /// Compares now instead of at the end of the scope.
    ///
    /// # Panics
    /// If something is left after [`LIMIT`]; the message names each.
    pub fn check(self) {
        drop(self);
    }

    fn left(&self) -> BTreeMap<Thing, String> {
        let mut left = things();
        let allowed = |text: &String| self.allowed.iter().any(|allowed| text.contains(allowed));
        left.retain(|thing, text| !self.before.contains(thing) && !allowed(text));
        left.retain(|thing, _| !matches!(thing, Thing::Name(name) if is_somebody_elses(name)));
        left
    }
}

impl Drop for LeakCheck {
    fn drop(&mut self) {
        // A test that failed has an explanation already, and may leave what it was about to clean up.
        if !std::thread::panicking() {
            let left = self.left_after(LIMIT);
            assert!(left.is_empty(), "left behind after {LIMIT:?}:\n  {}", left.join("\n  "));
        }
    }
}

/// Waits a moment, or less if one of the processes among `things` ends meanwhile.
fn await_an_end<'a>(things: impl Iterator<Item = &'a Thing>) {
    let pids = things.filter_map(|thing| match thing {
        Thing::Process { pid, .. } => Pid::from_raw(*pid),
        _ => None,
    });
    // A zombie has ended already; its descriptor would make the wait a busy one.
    let alive = pids.filter(|pid| {
        let member = family::Member::read(pid.as_raw_nonzero().get());
        member.is_some_and(|member| !member.is_zombie())
    });
    let ends: Vec<_> = alive.flat_map(|pid| pidfd_open(pid, PidfdFlags::empty())).collect();
    let mut ends: Vec<_> = ends.iter().map(|end| PollFd::new(end, PollFlags::IN)).collect();
    fact::pause(&mut ends, Duration::from_millis(5));
}

fn things() -> BTreeMap<Thing, String> {
    let mut things = descriptors();
    things.extend(processes());
    things.extend(mappings());
    things.extend(names());
    things
}

fn processes() -> impl Iterator<Item = (Thing, String)> {
    family::descendants().into_iter().map(|member| {
        let (pid, command) = (member.pid, member.command());
        let state = if member.is_zombie() { "zombie" } else { "process" };
        let text = format!("{state} {pid}, child of {}: {command}", member.parent);
        (Thing::Process { pid, start: member.start }, text)
    })
}

fn descriptors() -> BTreeMap<Thing, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir("/proc/self/fd").into_iter().flatten().flatten() {
        let fd = entry.file_name().to_str().and_then(|name| name.parse().ok());
        // The descriptor that reads this directory is gone when the next line is read.
        let target = fs::read_link(entry.path()).map(|target| target.display().to_string());
        if let (Some(fd), Ok(target)) = (fd, target)
            && target != format!("/proc/{}/fd", std::process::id())
        {
            let text = format!("descriptor {fd}: {target}");
            found.insert(Thing::Descriptor { fd, target }, text);
        }
    }
    found
}

fn mappings() -> impl Iterator<Item = (Thing, String)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let lines: Vec<String> = maps.lines().map(str::to_owned).collect();
    lines.into_iter().filter_map(|line| {
        // Address, access, offset, device, inode, path: proc_pid_maps(5).
        let mut fields = line.split_ascii_whitespace().skip(4);
        let (inode, name) = (fields.next()?.parse().ok()?, fields.next()?.to_owned());
        let shared = name.starts_with("/memfd:") || name.starts_with("/dev/shm/");
        let text = format!("mapping of {name}, inode {inode}");
        shared.then_some((Thing::Mapping { inode, name }, text))
    })
}

/// Whether a program that runs beside the tests has the name in its memory, or its number stands in it, as in those
/// that Python's libraries make.
fn is_somebody_elses(name: &str) -> bool {
    let family: BTreeSet<_> = family::descendants().iter().map(|member| member.pid).collect();
    let me = std::process::id() as i32;
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    pids.filter(|pid| *pid != me && !family.contains(pid)).any(|pid| {
        let number = pid.to_string();
        let maps = || fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
        name.split(|letter: char| !letter.is_ascii_digit()).any(|digits| digits == number)
            || maps().contains(name)
    })
}

/// The semaphores of any Python program that runs beside the tests; nothing here makes one.
const PYTHONS: &str = "/dev/shm/sem.mp-";

fn names() -> impl Iterator<Item = (Thing, String)> {
    let mine = fs::metadata("/proc/self").map(|myself| myself.uid()).ok();
    let entries = fs::read_dir("/dev/shm").into_iter().flatten().flatten();
    entries.filter_map(move |entry| {
        let owner = entry.metadata().ok().map(|file| file.uid());
        let name = entry.path().display().to_string();
        let text = format!("name {name}");
        let is_mine = owner.is_some() && owner == mine && !name.starts_with(PYTHONS);
        is_mine.then_some((Thing::Name(name), text))
    })
}
