//! The steps of each command, in their order: what is quick to fail comes first.

use crate::step::Step;
use crate::{
    conformance, crash_points, examples, layering, python, snippets, unsafe_code, workspace,
};

/// Crates with models under `--cfg loom`, in modules of their own library.
const LOOM_CRATES: &[&str] = &["procession-shm", "procession-ipc"];

/// The program that kills.
const CHAOS: &str = "run --release -p procession-chaos --";
/// So often in a test run.
const KILLS: &str = "300";

/// Everything that has to hold.
pub(crate) fn test() -> Vec<Step> {
    let mut steps = check();
    steps.push(Step::cargo("tests", "test --workspace --all-features"));
    steps.extend(LOOM_CRATES.iter().map(|name| loom(name)));
    steps.extend(examples::rust());
    steps.extend(python::tests(&[]));
    steps.extend(examples::python(&python::Environment::default()));
    steps.push(python::bench_in_a_test_run());
    steps.extend(conformance::in_a_test_run());
    steps.extend([tour(&[]), chaos(&["--kills".into(), KILLS.into()]), bench(&["--short".into()])]);
    steps
}

/// What needs no run of our code.
pub(crate) fn check() -> Vec<Step> {
    vec![
        Step::cargo("fmt", "fmt --all --check"),
        Step::check("layering", layering::check),
        Step::check("unsafe", unsafe_code::check),
        Step::check("crash-points", crash_points::check),
        snippets(),
        Step::cargo("clippy", "clippy --workspace --all-targets --all-features -- -D warnings"),
        // The features above are for tests; this is what a user builds.
        Step::cargo("clippy-shipped", "clippy --workspace -- -D warnings"),
        Step::cargo("docs", "doc --workspace --lib --no-deps --all-features")
            .variable("RUSTDOCFLAGS", "-D warnings"),
    ]
}

/// The benchmarks; `--short` only shows that they run.
pub(crate) fn bench(args: &[String]) -> Step {
    Step::cargo("bench", "run --release -p procession-bench --").args(args)
}

/// Kills random members at random times.
pub(crate) fn chaos(args: &[String]) -> Step {
    Step::cargo("chaos", CHAOS).args(args)
}

/// Each chapter of the tutorial.
pub(crate) fn tour(args: &[String]) -> Step {
    Step::cargo("tour", "run --release -- tour").args(args)
}

/// What the README shows is what the examples run.
pub(crate) fn snippets() -> Step {
    Step::check("snippets", snippets::check)
}

/// The models of one crate. In release, because loom walks through every interleaving; in a target
/// directory of its own, because the flag would make every other step build everything anew.
fn loom(name: &str) -> Step {
    Step::cargo(&format!("loom-{name}"), &format!("test --release -p {name} --lib loom"))
        .variable("RUSTFLAGS", "--cfg loom")
        .variable("CARGO_TARGET_DIR", workspace::target().join("loom").display().to_string())
}
