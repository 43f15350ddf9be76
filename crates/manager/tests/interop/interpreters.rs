//! The CPythons of this machine, from 3.8 on, without anything of ours in them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Major and minor number.
pub(crate) type Version = (u32, u32);

const OLDEST: u32 = 8;
const NEWEST: u32 = 20;

const ASK: &str = "import os, sys; print(sys.implementation.name, *sys.version_info[:2], \
    os.path.realpath(getattr(sys, '_base_executable', sys.executable)))";

/// One interpreter of each version that is found: as a command, or where pyenv keeps them.
///
/// # Panics
/// If there is none.
pub(crate) fn all() -> &'static BTreeMap<Version, PathBuf> {
    static FOUND: OnceLock<BTreeMap<Version, PathBuf>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let found: BTreeMap<_, _> = candidates().into_iter().filter_map(ask).collect();
        assert!(!found.is_empty(), "these tests need a CPython from 3.{OLDEST} on as `python3`");
        found
    })
}

/// The newest of them.
pub(crate) fn newest() -> &'static PathBuf {
    all().values().next_back().unwrap()
}

/// What an interpreter says of itself; nothing if it is none, or one that is not meant.
fn ask(command: PathBuf) -> Option<(Version, PathBuf)> {
    let asked = Command::new(command).args(["-I", "-c", ASK]).stdin(Stdio::null()).output().ok()?;
    let answer = String::from_utf8(asked.stdout).ok()?;
    let mut words = answer.trim().splitn(4, ' ');
    let (name, major, minor) = (words.next()?, words.next()?, words.next()?);
    let version = (major.parse().ok()?, minor.parse().ok()?);
    (name == "cpython" && version >= (3, OLDEST)).then(|| Some((version, words.next()?.into())))?
}

fn candidates() -> Vec<PathBuf> {
    let mut candidates: Vec<PathBuf> =
        (OLDEST..NEWEST).map(|minor| format!("python3.{minor}").into()).collect();
    candidates.push("python3".into());
    let root = Command::new("pyenv").arg("root").output().ok();
    let root = root.and_then(|asked| String::from_utf8(asked.stdout).ok());
    let root =
        std::env::var_os("PYENV_ROOT").map(PathBuf::from).or(root.map(|it| it.trim().into()));
    if let Some(versions) = root.and_then(|root| root.join("versions").read_dir().ok()) {
        candidates.extend(versions.flatten().map(|version| version.path().join("bin/python3")));
    }
    candidates
}
