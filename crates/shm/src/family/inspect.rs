//! Looking at the families of a host from outside.
//!
//! What is found is copied out: a picture of one moment, in which a member may come or go while it is
//! taken. Nothing is written, no lock is taken and no seat; the family does not notice.
//!
//! A family is found by the descriptor of its arena in one of its processes, so those whose
//! descriptors this user may not open are not seen.

use super::{Family, MemberInfo, MemberState, ObjectHead};
use crate::arena::{Arena, BlockInfo, Header, Kind};
use crate::{Error, Gate};
use procession_sys::atomic::Ordering::Relaxed;
use procession_sys::pid;
use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::time::Duration;

/// A family at one moment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FamilyView {
    /// What tells it from others.
    pub id: u64,
    /// Whether its processes have the numbers here that they have there: it is of this PID namespace.
    pub is_local: bool,
    /// Its memory.
    pub memory: MemoryView,
    /// Its members, and seats that are made or not yet given back.
    pub members: Vec<MemberView>,
    /// Its shared objects, oldest first.
    pub objects: Vec<ObjectView>,
}

/// The arena of a family; bytes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct MemoryView {
    /// In use by objects and messages.
    pub used: u64,
    /// Free and kept for the next use.
    pub idle: u64,
    /// The most that may be in use.
    pub limit: u64,
    /// Messages and results that are on their way outside of a queue's own memory.
    pub parcels: u64,
}

/// A seat of the ledger.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MemberView {
    /// The process, 0 before it runs.
    pub pid: u32,
    /// Its name; empty for the first process of the family.
    pub name: String,
    /// In which state the ledger has it.
    pub state: MemberState,
    /// Whether its process runs; `false` for one that nobody has noticed the death of.
    pub runs: bool,
    /// For how long its process has run.
    pub age: Option<Duration>,
}

/// A shared object.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ObjectView {
    /// What it is.
    pub kind: Kind,
    /// Bytes that it takes, without its parts.
    pub bytes: u64,
    /// Members and messages that hold it.
    pub holders: u32,
    /// How many items are in it, if it is a queue.
    pub depth: Option<u64>,
    /// Who has its lock, if it has one and it is taken.
    pub locked_by: Option<Holder>,
}

/// Who has a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// The process of this number.
    Process(u32),
    /// A process that has ended and left it locked.
    Gone,
}

/// An arena that could not be read, such as one of another build.
#[derive(Debug)]
pub struct Unreadable {
    /// A process that has it.
    pub pid: u32,
    /// Why not.
    pub error: Error,
}

/// The families of which this user may look into a process.
///
/// # Errors
/// If `/proc` is not there.
pub fn families() -> io::Result<Vec<Result<FamilyView, Unreadable>>> {
    let (mut seen, mut found) = (Vec::new(), Vec::new());
    for pid in processes()? {
        for path in arenas_of(pid) {
            let Ok(file) = File::options().read(true).write(true).open(&path) else { continue };
            let Ok(metadata) = file.metadata() else { continue };
            let identity = (metadata.dev(), metadata.ino());
            if seen.contains(&identity) {
                continue;
            }
            seen.push(identity);
            let picture = picture(file, metadata.len());
            found.push(picture.map_err(|error| Unreadable { pid, error }));
        }
    }
    Ok(found)
}

fn processes() -> io::Result<impl Iterator<Item = u32>> {
    fs::metadata("/proc/self")?;
    let entries = fs::read_dir("/proc")?.flatten();
    Ok(entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()))
}

/// The descriptors of a process that are arenas.
fn arenas_of(pid: u32) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| {
        fs::read_link(path)
            .is_ok_and(|target| target.to_string_lossy().starts_with("/memfd:procession"))
    })
}

fn picture(file: File, len: u64) -> Result<FamilyView, Error> {
    if len < size_of::<Header>() as u64 {
        let (expected, found) = ("at least a header".to_owned(), format!("{len} bytes"));
        return Err(Error::ForeignArena { expected, found });
    }
    let arena = Arena::open(OwnedFd::from(file))?;
    let namespace = arena.header().pid_namespace.load(Relaxed);
    let (used, idle, limit) = arena.usage();
    let family = Family::over(arena);
    let blocks: Vec<BlockInfo> = family.arena.blocks().collect();
    let parcels = blocks.iter().filter(|block| block.kind == Kind::Parcel).count() as u64;
    let uptime = uptime();
    Ok(FamilyView {
        id: family.arena.id(),
        is_local: namespace == pid::namespace(),
        memory: MemoryView { used, idle, limit, parcels },
        members: family.members().into_iter().map(|info| family.member(info, uptime)).collect(),
        objects: blocks
            .iter()
            .filter(|block| block.kind.is_object())
            .map(|block| family.object(block))
            .collect(),
    })
}

impl Family {
    fn member(&self, info: MemberInfo, uptime: Option<Duration>) -> MemberView {
        let started = self.seat(info.id).map_or(0, |member| member.start.load(Relaxed));
        let age = uptime.and_then(|now| now.checked_sub(since_boot(started)));
        MemberView {
            pid: info.pid,
            runs: info.state != MemberState::Reserved && self.is_alive(info.id),
            age: age.filter(|_| started != 0),
            name: info.name,
            state: info.state,
        }
    }

    fn object(&self, block: &BlockInfo) -> ObjectView {
        // By bounds-checked offsets: a stranger's descriptors may say anything.
        let offset = self.arena.descriptor(block.handle.index());
        let offset = offset.map_or(usize::MAX, |found| found.offset.load(Relaxed) as usize);
        let index = |at: usize| Some(self.arena.at::<Gate>(offset.checked_add(at)?)?.index());
        let head = self.arena.at::<ObjectHead>(offset);
        let depth = (block.kind == Kind::Queue).then(|| {
            // In this order, so that it is never less than nothing.
            let got = index(Gate::GET_AT)?;
            Some(index(Gate::PUT_AT)?.saturating_sub(got))
        });
        ObjectView {
            kind: block.kind,
            bytes: block.capacity,
            holders: block.refs,
            depth: depth.flatten(),
            locked_by: head.and_then(|head| head.lock.owner()).map(|stamp| self.holder(stamp)),
        }
    }

    fn holder(&self, stamp: u32) -> Holder {
        let member = self.member_of_stamp(stamp).filter(|member| self.is_alive(*member));
        let pid = member.and_then(|member| self.pid_of(member));
        pid.map_or(Holder::Gone, Holder::Process)
    }
}

/// Clock ticks, of which Linux shows programs a hundred a second on all machines we run on.
fn since_boot(ticks: u64) -> Duration {
    Duration::from_millis(ticks.saturating_mul(10))
}

fn uptime() -> Option<Duration> {
    let text = fs::read_to_string("/proc/uptime").ok()?;
    let seconds = text.split(' ').next()?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}
