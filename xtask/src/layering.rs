//! No dependency goes up.
//!
//! Cargo refuses a cycle between crates, but not an arrow that skips the order we want. Each crate
//! has a floor here; a new crate is refused until somebody has said which is its.

use crate::step::Verdict;
use crate::workspace::{self, Dependency, Package};

/// From the ground upwards: a crate uses only crates further left, also in its tests.
const FLOORS: &[&str] = &[
    "procession-wire",
    "procession-sys",
    "procession-shm",
    "procession-ipc",
    "procession-process",
    "procession-manager",
    "procession",
    "procession-cli",
    "procession-python",
];

/// Beside the house: they may use every floor, and no floor may use them.
const BESIDE: &[&str] =
    &["procession-testkit", "procession-bench", "procession-chaos", "procession-tasks", "xtask"];

/// The one of them that every floor may use in its tests.
const TESTKIT: &str = "procession-testkit";

/// Reads the workspace and refuses what goes up.
pub(crate) fn check() -> Verdict {
    let packages = workspace::packages()?;
    let refused = refused(&packages);
    if refused.is_empty() {
        let edges: usize = packages.iter().map(|package| package.dependencies.len()).sum();
        return Ok(format!("{} crates, {edges} dependencies", packages.len()));
    }
    Err(refused.join("\n"))
}

fn refused(packages: &[Package]) -> Vec<String> {
    let mut refused = Vec::new();
    for package in packages {
        let name = &package.name;
        match floor(name) {
            Some(floor) => refused.extend(
                package.dependencies.iter().filter_map(|dependency| edge(name, floor, dependency)),
            ),
            None if BESIDE.contains(&name.as_str()) => {}
            None => {
                refused.push(format!("{name} has no floor: give it one in xtask/src/layering.rs"))
            }
        }
    }
    refused
}

/// What is wrong with this dependency of a crate on this floor.
fn edge(from: &str, from_floor: usize, to: &Dependency) -> Option<String> {
    let name = &to.name;
    match floor(name) {
        Some(to_floor) if to_floor < from_floor => None,
        // A crate names itself to build its own tests with one of its features.
        Some(_) if name == from && to.for_tests => None,
        Some(_) => Some(format!("{from} uses {name}, which is not below it: arrows go down only")),
        None if !BESIDE.contains(&name.as_str()) => None,
        None if name == TESTKIT && to.for_tests => None,
        None => Some(format!("{from} uses {name}, which is no part of the house")),
    }
}

fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| *floor == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(name: &str, dependencies: &[(&str, bool)]) -> Vec<Package> {
        let dependency =
            |&(name, for_tests): &(&str, bool)| Dependency { name: name.to_owned(), for_tests };
        let dependencies = dependencies.iter().map(dependency).collect();
        vec![Package { name: name.to_owned(), dependencies, examples: Vec::new() }]
    }

    #[test]
    fn an_edge_that_goes_up_is_refused_also_in_tests() {
        for for_tests in [false, true] {
            let up = house("procession-sys", &[("procession-ipc", for_tests)]);
            assert_eq!(refused(&up).len(), 1);
            let far = house("procession-shm", &[("procession", for_tests)]);
            assert_eq!(refused(&far).len(), 1);
        }
    }

    #[test]
    fn an_edge_that_goes_down_or_out_is_allowed() {
        let down = house("procession-ipc", &[("procession-sys", false), ("rustix", false)]);
        assert_eq!(refused(&down), [""; 0]);
    }

    #[test]
    fn a_crate_may_name_itself_for_its_tests_only() {
        let tests = house("procession-ipc", &[("procession-ipc", true)]);
        assert_eq!(refused(&tests), [""; 0]);
        let ships = house("procession-ipc", &[("procession-ipc", false)]);
        assert_eq!(refused(&ships).len(), 1);
    }

    #[test]
    fn the_testkit_is_for_tests_and_the_bench_for_nobody() {
        let tests = house("procession-sys", &[("procession-testkit", true)]);
        assert_eq!(refused(&tests), [""; 0]);
        let ships = house("procession-sys", &[("procession-testkit", false)]);
        assert_eq!(refused(&ships).len(), 1);
        let bench = house("procession-sys", &[("procession-bench", true)]);
        assert_eq!(refused(&bench).len(), 1);
    }

    #[test]
    fn a_crate_without_a_floor_is_refused() {
        assert_eq!(refused(&house("procession-attic", &[])).len(), 1);
    }
}
