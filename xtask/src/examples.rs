//! The examples, and with what they are run.

use crate::python::Environment;
use crate::step::{Step, Verdict};
use crate::workspace;

/// Where those in Python are.
const PYTHON: &str = "examples/python";

/// Arguments of those examples that need some; `{root}` is the repository, `{built}` is where the
/// examples in Rust are, and paths are seen from `target/examples-run`.
const ARGUMENTS: &[(&str, &str)] = &[
    ("wordcount", "{root}/crates"),
    ("mandelbrot", "300 200 mandelbrot.png"),
    ("python_workers", "{root}/python"),
    ("rust_worker", "{built}/rust_worker"),
];
/// The examples in Rust that start a Python with the package.
const WITH_PYTHON: &[&str] = &["python_workers"];

/// All examples.
pub(crate) fn steps() -> Vec<Step> {
    let environment = Environment::default();
    rust().into_iter().chain(environment.steps()).chain(python(&environment)).collect()
}

/// One step for each example of the workspace that needs no Python, in a directory that may be
/// littered.
pub(crate) fn rust() -> Vec<Step> {
    in_rust(|name| !WITH_PYTHON.contains(&name))
}

fn in_rust(which: impl Fn(&str) -> bool) -> Vec<Step> {
    let Ok(packages) = workspace::packages() else {
        return vec![Step::check("examples", unreadable)];
    };
    let examples = packages.iter().flat_map(|package| {
        package.examples.iter().map(move |name| (package.name.as_str(), name.as_str()))
    });
    examples.filter(|(_, name)| which(name)).map(|(package, name)| step(package, name)).collect()
}

/// One step for each example in Python, and for those in Rust that start Python, with the package
/// installed. After the others: `rust_worker` in Python starts that in Rust.
pub(crate) fn python(environment: &Environment) -> Vec<Step> {
    let interpreter = environment.program("python").display().to_string();
    let both = in_rust(|name| WITH_PYTHON.contains(&name));
    let both = both.into_iter().map(|step| step.variable("PROCESSION_PYTHON", interpreter.clone()));
    both.chain(in_python(environment)).collect()
}

fn in_python(environment: &Environment) -> Vec<Step> {
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
    let built = workspace::target().join("release/examples").display().to_string();
    words.map(|word| word.replace("{root}", &root).replace("{built}", &built)).collect()
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
