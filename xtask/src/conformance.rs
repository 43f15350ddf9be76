//! CPython's own tests of `multiprocessing`, with procession in its place.
//!
//! The work is done by `python/conformance`; here it gets the wheel, and its arguments.

use crate::python::Environment;
use crate::step::Step;
use crate::workspace;

/// What a test run takes: children of a fork server are both forked and handed what they use, so
/// no other start method runs more of the tests or rebuilds more objects.
const IN_A_TEST_RUN: &str = "forkserver";

/// The conformance run, with further arguments of `python/conformance`.
pub(crate) fn steps(args: &[String]) -> Vec<Step> {
    let environment = Environment::default();
    let mut steps = environment.steps();
    steps.extend(after_install(args));
    steps
}

/// The same where the default environment has been made: on its interpreter, or another if that came without its
/// tests, as Debian's does; under one start method, or all three if PROCESSION_CONFORMANCE is `all`, as in CI.
pub(crate) fn in_a_test_run() -> Vec<Step> {
    let interpreter = Environment::default().interpreter().to_owned();
    let mut args = vec!["--where-possible".to_owned(), interpreter];
    if std::env::var("PROCESSION_CONFORMANCE").map_or(true, |value| value != "all") {
        args.extend(["--start".to_owned(), IN_A_TEST_RUN.to_owned()]);
    }
    after_install(&args)
}

fn after_install(args: &[String]) -> Vec<Step> {
    let environment = Environment::default();
    let wheels = workspace::target().join("python").join("wheel").display().to_string();
    let output = workspace::target().join("conformance").display().to_string();
    let places = ["--wheel".into(), wheels.clone(), "--output".into(), output];
    vec![
        environment.wheel("conformance-wheel", &wheels),
        environment.run("conformance", "python/conformance").args(&places).args(args),
    ]
}
