//! The examples, and with what they are run.

use crate::step::{Step, Verdict};
use crate::workspace;

/// Arguments of those examples that need some; paths are seen from `target/examples-run`.
const ARGUMENTS: &[(&str, &str)] = &[];

/// One step for each example of the workspace, in a directory that may be littered.
pub(crate) fn steps() -> Vec<Step> {
    match workspace::packages() {
        Err(_) => vec![Step::check("examples", unreadable)],
        Ok(packages) => packages
            .iter()
            .flat_map(|package| {
                package
                    .examples
                    .iter()
                    .map(|name| step(&package.name, name))
            })
            .collect(),
    }
}

fn step(package: &str, name: &str) -> Step {
    let arguments = ARGUMENTS.iter().find(|(example, _)| *example == name);
    let arguments = arguments.map_or("", |(_, arguments)| arguments);
    let manifest = workspace::root().join("Cargo.toml");
    let build = format!("run --release -p {package} --example {name} --manifest-path");
    let mut rest = vec![manifest.display().to_string(), "--".to_owned()];
    rest.extend(arguments.split_ascii_whitespace().map(str::to_owned));
    Step::cargo(&format!("example-{name}"), &build)
        .args(&rest)
        .directory(workspace::target().join("examples-run"))
}

fn unreadable() -> Verdict {
    workspace::packages().map(|_| String::new())
}
