//! The examples, and with what they are run.

use crate::python::Environment;
use crate::step::{Step, Verdict};
use crate::workspace;

/// Where those in Python are.
const PYTHON: &str = "examples/python";

/// Arguments of those examples that need some; `{root}` is the repository, and paths are seen from
/// `target/examples-run`.
const ARGUMENTS: &[(&str, &str)] =
    &[("wordcount", "{root}/crates"), ("mandelbrot", "300 200 mandelbrot.png")];

/// All examples.
pub(crate) fn steps() -> Vec<Step> {
    let environment = Environment::default();
    rust().into_iter().chain(environment.steps()).chain(python(&environment)).collect()
}

/// One step for each example of the workspace, in a directory that may be littered.
pub(crate) fn rust() -> Vec<Step> {
    match workspace::packages() {
        Err(_) => vec![Step::check("examples", unreadable)],
        Ok(packages) => packages
            .iter()
            .flat_map(|package| package.examples.iter().map(|name| step(&package.name, name)))
            .collect(),
    }
}

/// One step for each example in Python, with the package installed.
pub(crate) fn python(environment: &Environment) -> Vec<Step> {
    let Ok(files) = workspace::root().join(PYTHON).read_dir() else {
        return vec![Step::check("examples-python", no_python)];
    };
    let mut paths: Vec<_> = files.flatten().map(|file| file.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "py"));
    paths.sort();
    let step = |path: &std::path::PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut line = vec![path.display().to_string()];
        line.extend(arguments(&name));
        environment.run(&format!("example-python-{name}"), "").args(&line).directory(littered())
    };
    paths.iter().map(step).collect()
}

fn step(package: &str, name: &str) -> Step {
    let build = format!("run --release -p {package} --example {name} --manifest-path");
    let manifest = workspace::root().join("Cargo.toml").display().to_string();
    let mut rest = vec![manifest, "--".to_owned()];
    rest.extend(arguments(name));
    Step::cargo(&format!("example-{name}"), &build).args(&rest).directory(littered())
}

fn arguments(name: &str) -> Vec<String> {
    let root = workspace::root().display().to_string();
    let found = ARGUMENTS.iter().find(|(example, _)| *example == name);
    let words = found.map_or("", |(_, arguments)| arguments).split_ascii_whitespace();
    words.map(|word| word.replace("{root}", &root)).collect()
}

fn littered() -> std::path::PathBuf {
    workspace::target().join("examples-run")
}

fn no_python() -> Verdict {
    Err(format!("cannot read {PYTHON}"))
}

fn unreadable() -> Verdict {
    workspace::packages().map(|_| String::new())
}
