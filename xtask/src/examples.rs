//! The examples, and with what they are run.

use crate::step::{Step, Verdict};
use crate::workspace;

/// Arguments of those examples that need some; `{root}` is the repository, and paths are seen from
/// `target/examples-run`.
const ARGUMENTS: &[(&str, &str)] =
    &[("wordcount", "{root}/crates"), ("mandelbrot", "300 200 mandelbrot.png")];

/// One step for each example of the workspace, in a directory that may be littered.
pub(crate) fn steps() -> Vec<Step> {
    match workspace::packages() {
        Err(_) => vec![Step::check("examples", unreadable)],
        Ok(packages) => packages
            .iter()
            .flat_map(|package| package.examples.iter().map(|name| step(&package.name, name)))
            .collect(),
    }
}

fn step(package: &str, name: &str) -> Step {
    let arguments = ARGUMENTS.iter().find(|(example, _)| *example == name);
    let arguments = arguments.map_or("", |(_, arguments)| arguments);
    let root = workspace::root().display().to_string();
    let build = format!("run --release -p {package} --example {name} --manifest-path");
    let mut rest = vec![format!("{root}/Cargo.toml"), "--".to_owned()];
    rest.extend(arguments.split_ascii_whitespace().map(|it| it.replace("{root}", &root)));
    Step::cargo(&format!("example-{name}"), &build)
        .args(&rest)
        .directory(workspace::target().join("examples-run"))
}

fn unreadable() -> Verdict {
    workspace::packages().map(|_| String::new())
}
