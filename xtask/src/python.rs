//! The Python package: a virtual environment, the wheel in it, and what is run with that.
//!
//! Everything is made under `target/python`. The wheel is built once; each interpreter has an
//! environment of its own, which is made when it is first asked for.

use crate::step::{Step, Verdict};
use crate::workspace;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What builds the wheel and checks the package; from PyPI.
const TOOLS: &str = "python/requirements.txt";

/// Compares the stubs with the module that is installed.
const STUBTEST: &str = "-m mypy.stubtest procession";
/// What has to be typed in full.
const MYPY: &str = "-m mypy --strict examples/python";
/// The same for what the package shows.
const MYPY_TOUR: &str = "-m mypy --strict -p procession.tour";

/// Where a virtual environment is, and what makes it.
pub(crate) struct Environment {
    interpreter: String,
    place: PathBuf,
}

impl Environment {
    /// The environment of an interpreter.
    pub(crate) fn of(interpreter: &str) -> Self {
        let name: String = interpreter
            .chars()
            .map(|it| if it.is_alphanumeric() || it == '.' { it } else { '_' })
            .collect();
        Self {
            interpreter: interpreter.to_owned(),
            place: workspace::target().join("python").join(name),
        }
    }

    /// That of the interpreter that PROCESSION_PYTHON names, else of `python3`.
    pub(crate) fn default() -> Self {
        Self::of(&std::env::var("PROCESSION_PYTHON").unwrap_or_else(|_| "python3".into()))
    }

    /// A program of the environment.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.place.join("bin").join(name)
    }

    /// Makes the environment, and installs the tools and the package.
    pub(crate) fn steps(&self) -> Vec<Step> {
        let pip = "-m pip --disable-pip-version-check --no-input install --quiet";
        let python = self.program("python");
        let (interpreter, place) = (self.interpreter.clone(), self.place.clone());
        vec![
            Step::check("python-environment", move || environment(&interpreter, &place)),
            Step::program("python-tools", &python, &format!("{pip} -r {TOOLS}")),
            self.built("python-package", &format!("{pip} --force-reinstall")),
        ]
    }

    /// Builds the wheel into a directory.
    pub(crate) fn wheel(&self, name: &str, directory: &str) -> Step {
        let pip = "-m pip --disable-pip-version-check --no-input wheel --quiet --wheel-dir";
        self.built(name, &format!("{pip} {directory}"))
    }

    /// Has pip build the package. The tools are there already, so that needs no environment of its own.
    fn built(&self, name: &str, pip: &str) -> Step {
        let line = format!("{pip} --no-build-isolation --no-deps .");
        Step::program(name, self.program("python"), &line)
            .variable("CARGO_TARGET_DIR", workspace::target().display().to_string())
            .variable("PATH", self.path())
    }

    /// The interpreter of which it is the environment: a command or a path.
    pub(crate) fn interpreter(&self) -> &str {
        &self.interpreter
    }

    fn path(&self) -> String {
        let path = std::env::var("PATH").unwrap_or_default();
        format!("{}:{path}", self.place.join("bin").display())
    }

    /// Runs a Python program of the repository, or a module, with the package installed.
    pub(crate) fn run(&self, name: &str, line: &str) -> Step {
        Step::program(name, self.program("python"), line)
    }
}

/// Makes a virtual environment, and installs Debian's packages for it where that is allowed.
fn environment(interpreter: &str, place: &Path) -> Verdict {
    if make(interpreter, place).is_err() && may_install() {
        // A fresh system has no list of what there is.
        for line in ["update --quiet", "install --yes --quiet python3 python3-venv"] {
            let apt = Command::new("apt-get").args(line.split(' ')).stdin(Stdio::null()).status();
            apt.map_err(|error| format!("cannot start apt-get: {error}"))?;
        }
    }
    make(interpreter, place).map_err(|why| {
        format!(
            "{why}\nNeeded is CPython 3.11 or newer with its module venv (Debian: apt-get install python3 \
             python3-venv); PROCESSION_PYTHON names one that is not `python3`."
        )
    })
}

fn make(interpreter: &str, place: &Path) -> Verdict {
    let is_new_enough = "import sys; sys.exit(sys.version_info < (3, 11))";
    let attempts = [
        (vec!["-c".to_owned(), is_new_enough.to_owned()], "is older than 3.11"),
        (vec!["-m".to_owned(), "venv".to_owned(), place.display().to_string()], "makes no venv"),
    ];
    for (args, what) in attempts {
        let status = Command::new(interpreter).args(args).stdin(Stdio::null()).status();
        match status {
            Ok(status) if status.success() => {}
            Ok(_) => return Err(format!("{interpreter} {what}")),
            Err(error) => return Err(format!("cannot start {interpreter}: {error}")),
        }
    }
    Ok(format!("{interpreter} in {}", place.display()))
}

/// Whether this is root, on a system with Debian's packages.
fn may_install() -> bool {
    let is_root = fs::metadata("/proc/self").is_ok_and(|of_us| of_us.uid() == 0);
    is_root && Path::new("/usr/bin/apt-get").exists()
}

/// The benchmarks of the package; `--short` only shows that they run.
pub(crate) fn bench(args: &[String]) -> Vec<Step> {
    let environment = Environment::default();
    let mut steps = environment.steps();
    steps.push(bench_step(&environment, args));
    steps
}

/// The same where the environment has been made.
pub(crate) fn bench_in_a_test_run() -> Step {
    bench_step(&Environment::default(), &["--short".to_owned()])
}

fn bench_step(environment: &Environment, args: &[String]) -> Step {
    environment.run("bench-python", "bench/python").args(args)
}

/// The package's own tests, and what its stubs say against what it is.
pub(crate) fn tests(args: &[String]) -> Vec<Step> {
    let environment = Environment::default();
    let mut steps = environment.steps();
    let cache = workspace::target().join("python").join("mypy").display().to_string();
    let typed =
        [("python-stubtest", STUBTEST), ("python-mypy", MYPY), ("python-mypy-tour", MYPY_TOUR)];
    steps.extend(
        typed.map(|(name, line)| environment.run(name, line).variable("MYPY_CACHE_DIR", &*cache)),
    );
    let tasks = workspace::target().join("release/procession-tasks").display().to_string();
    let python = environment.program("python").display().to_string();
    steps.extend([
        Step::cargo("python-tasks", "build --release -p procession-tasks"),
        environment
            .run("python-tests", "-m pytest -q")
            .args(args)
            .variable("PROCESSION_TEST_TASKS", tasks),
        Step::cargo("python-from-rust", "test --workspace --all-features --test python")
            .variable("PROCESSION_TEST_PYTHON", python),
    ]);
    steps
}
