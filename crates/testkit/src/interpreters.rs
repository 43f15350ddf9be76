//! Which CPythons this machine has.
//!
//! They are looked for where they usually are: on the search path, and where pyenv keeps them. Each version counts once,
//! and is asked itself which it is. Those that pyenv puts on the search path are scripts that start a dozen of shells each
//! to find what is looked for here anyway; they are passed by.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The oldest version that speaks with us.
const OLDEST: (u32, u32) = (3, 8);

/// Says the implementation, the version, and where the interpreter really is. Anything may be asked.
const ASK: &str = "import os, sys; print(sys.implementation.name, sys.version_info[0], \
    sys.version_info[1], os.path.realpath(sys.executable))";

/// One CPython.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interpreter {
    /// `(3, 13)`.
    pub version: (u32, u32),
    /// The program.
    pub path: PathBuf,
}

impl Interpreter {
    /// A command that runs it, with nothing from the environment or the working directory.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.arg("-I").stdin(Stdio::null());
        command
    }
}

/// Every CPython from 3.8 on, the oldest first; one for each minor version. Looked for once in a process.
///
/// ```
/// for python in procession_testkit::interpreters() {
///     assert!(python.version >= (3, 8));
/// }
/// ```
pub fn interpreters() -> &'static [Interpreter] {
    static FOUND: OnceLock<Vec<Interpreter>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let mut found = BTreeMap::new();
        for interpreter in candidates().iter().filter_map(|path| ask(path)) {
            found.entry(interpreter.version).or_insert(interpreter);
        }
        found.into_values().collect()
    })
}

fn ask(path: &Path) -> Option<Interpreter> {
    let mut command = Command::new(path);
    command.args(["-I", "-c", ASK]).stdin(Stdio::null()).stderr(Stdio::null());
    let said = String::from_utf8(command.output().ok()?.stdout).ok()?;
    let mut words = said.trim_end().splitn(4, ' ');
    let is_cpython = words.next() == Some("cpython");
    let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let path = PathBuf::from(words.next()?);
    (is_cpython && version >= OLDEST).then_some(Interpreter { version, path })
}

/// Programs that may be interpreters.
fn candidates() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<_> = env::split_paths(&path).collect();
    if let Some(root) = pyenv_root() {
        let shims = root.join("shims");
        places.retain(|place| *place != shims);
        places.extend(sorted(&root.join("versions")).iter().map(|version| version.join("bin")));
    }
    let mut seen = BTreeSet::new();
    let mut found: Vec<_> = places.iter().flat_map(|place| pythons(place)).collect();
    // One program has several names.
    found.retain(|program| seen.insert(fs::canonicalize(program).ok()));
    found
}

fn pyenv_root() -> Option<PathBuf> {
    if let Some(root) = env::var_os("PYENV_ROOT") {
        return Some(root.into());
    }
    let asked = Command::new("pyenv").arg("root").stdin(Stdio::null()).output().ok()?;
    Some(String::from_utf8(asked.stdout).ok()?.trim_end().into())
}

/// What is called `python3` or `python3.N` in a directory.
fn pythons(place: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    sorted(place).into_iter().filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let rest = name.strip_prefix("python3");
        rest.is_some_and(|rest| {
            rest.is_empty()
                || rest.strip_prefix('.').is_some_and(|minor| minor.parse::<u32>().is_ok())
        })
    })
}

fn sorted(place: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
