//! The Python package: a virtual environment, the wheel in it, and what is run with that.
//!
//! Everything is made under `target/python`. The wheel is built once; each interpreter has an
//! environment of its own, which is made when it is first asked for.

use crate::step::Step;
use crate::workspace;
use std::path::PathBuf;

/// What builds the wheel and checks the package; from PyPI.
const TOOLS: &str = "python/requirements.txt";

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
        vec![
            Step::program("python-environment", &self.interpreter, "-m venv")
                .args(&[self.place.display().to_string()]),
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

/// The benchmarks of the package; `--short` only shows that they run.
pub(crate) fn bench(args: &[String]) -> Vec<Step> {
    let environment = Environment::default();
    let mut steps = environment.steps();
    steps.push(environment.run("bench-python", "bench/python").args(args));
    steps
}

/// The package's own tests.
pub(crate) fn tests(args: &[String]) -> Vec<Step> {
    let environment = Environment::default();
    let mut steps = environment.steps();
    steps.push(environment.run("python-tests", "-m pytest -q").args(args));
    steps
}
