//! Where a program is.

use super::{Spawn, SpawnError};
use rustix::fs::Access;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What `execvp` and Python take where there is no `PATH`.
const WITHOUT_PATH: &str = "/bin:/usr/bin";

/// The path of the program: itself if it has a slash, else the first executable file in `PATH`.
pub(super) fn find(spawn: &Spawn<'_>) -> Result<PathBuf, SpawnError> {
    let program = spawn.program;
    if program.as_bytes().contains(&b'/') {
        return Ok(PathBuf::from(program));
    }
    let searched = search_path(spawn);
    let mut refused = None;
    for folder in std::env::split_paths(&searched).filter(|_| !program.is_empty()) {
        // An empty entry is the working directory, and the path must keep its slash.
        let path = Path::new(".").join(folder).join(program);
        let seen = seen_by_child(spawn, &path);
        match rustix::fs::access(&seen, Access::EXEC_OK) {
            Ok(()) if seen.is_file() => return Ok(path),
            Err(rustix::io::Errno::ACCESS) if seen.is_file() => refused = refused.or(Some(path)),
            _ => {}
        }
    }
    Err(match refused {
        Some(path) => SpawnError::NotExecutable { path },
        None => {
            SpawnError::MissingProgram { program: program.to_owned(), searched: Some(searched) }
        }
    })
}

/// The path as it looks from here, for a child that starts in another directory.
pub(super) fn seen_by_child(spawn: &Spawn<'_>, path: &Path) -> PathBuf {
    spawn.cwd.unwrap_or(Path::new("")).join(path)
}

fn search_path(spawn: &Spawn<'_>) -> OsString {
    let path = match spawn.env {
        None => std::env::var_os("PATH"),
        Some(env) => env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone()),
    };
    path.unwrap_or_else(|| OsStr::new(WITHOUT_PATH).to_owned())
}
