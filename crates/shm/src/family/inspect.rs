//! Looking at the families of a host from outside.

use crate::Error;
use crate::arena::Arena;
use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// A family that this process does not belong to: its arena, to be read.
#[derive(Debug)]
pub struct Stranger {
    /// A process that has the arena mapped.
    pub pid: u32,
    family: super::Family,
}

impl Stranger {
    /// The family, for looking at: [`Family::members`](super::Family::members) and the arena's
    /// blocks. Nothing must be changed through it.
    pub fn family(&self) -> &super::Family {
        &self.family
    }
}

/// The families of which the calling user may see a process. Those of other builds come as the error
/// that says so.
pub fn inspect() -> Vec<Result<Stranger, (u32, Error)>> {
    let mut seen = Vec::new();
    let mut found = Vec::new();
    let Ok(processes) = fs::read_dir("/proc") else { return found };
    for entry in processes.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        for path in arenas_of(pid) {
            let Ok(file) = File::options().read(true).write(true).open(&path) else { continue };
            let Ok(stat) = rustix_stat(&file) else { continue };
            if seen.contains(&stat) {
                continue;
            }
            seen.push(stat);
            let arena = Arena::open(OwnedFd::from(file));
            found.push(arena.map_err(|error| (pid, error)).map(|arena| Stranger {
                pid,
                family: super::Family {
                    arena,
                    me: procession_sys::atomic::AtomicU64::new(0),
                    local: super::Local::default(),
                },
            }));
        }
    }
    found
}

/// The descriptors of a process that are arenas.
fn arenas_of(pid: u32) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(format!("/proc/{pid}/fd")) else { return Vec::new() };
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            fs::read_link(path)
                .is_ok_and(|target| target.to_string_lossy().starts_with("/memfd:procession"))
        })
        .collect()
}

fn rustix_stat(file: &File) -> std::io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = file.metadata()?;
    Ok((metadata.dev(), metadata.ino()))
}
