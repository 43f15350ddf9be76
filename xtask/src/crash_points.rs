//! The named crash points of the source, and whether a test kills there.
//!
//! A point counts as covered when its name stands in quotes somewhere else than at the point: in the
//! test that arms it, alone or with the passing as `"name:n"`. Names that begin with `example.` belong to the tests of the mechanism itself.

use crate::source::{self, Source};
use crate::step::Verdict;
use std::collections::BTreeMap;
use std::process::ExitCode;

const CALL: &str = "crash_point!(";

/// Where a point is, and where its name is used besides.
#[derive(Debug, Default)]
struct Point {
    places: Vec<String>,
    tests: Vec<String>,
}

/// Prints the list, a line a point.
pub(crate) fn print() -> ExitCode {
    match source::sources(&["crates"]).map(|sources| points(&sources)) {
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
        Ok(points) => {
            for (name, point) in &points {
                let tests = match point.tests.as_slice() {
                    [] => "no test kills here".to_owned(),
                    tests => tests.join(", "),
                };
                println!("{name:<40} {}  <- {tests}", point.places.join(", "));
            }
            println!("{} crash points", points.len());
            ExitCode::SUCCESS
        }
    }
}

/// Refuses a name that is used twice and a point at which no test kills.
pub(crate) fn check() -> Verdict {
    let points = points(&source::sources(&["crates"])?);
    let wrong = points.iter().filter_map(|(name, point)| {
        let at = point.places.join(", ");
        match (point.places.len(), point.tests.is_empty()) {
            (1, false) => None,
            (1, true) => Some(format!("  {name} at {at}: no test kills here")),
            _ => Some(format!("  {name} is the name of several points: {at}")),
        }
    });
    let wrong: Vec<String> = wrong.collect();
    match wrong.is_empty() {
        true => Ok(format!("{} points, a test kills at each", points.len())),
        false => Err(wrong.join("\n")),
    }
}

fn points(sources: &[Source]) -> BTreeMap<String, Point> {
    let mut points: BTreeMap<String, Point> = BTreeMap::new();
    for file in sources {
        for (at, name) in calls(file) {
            let place = format!("{}:{}", file.path.display(), file.line(at));
            points.entry(name).or_default().places.push(place);
        }
    }
    for (name, point) in &mut points {
        let quoted = [format!("\"{name}\""), format!("\"{name}:")];
        for file in sources {
            let own = calls(file).filter(|(_, own)| own == name).count();
            let all: usize = quoted.iter().map(|quoted| file.text.matches(quoted).count()).sum();
            if all > own {
                point.tests.push(file.path.display().to_string());
            }
        }
    }
    points
}

/// The points in a file: where, and the name. A call without a literal is the macro itself.
fn calls(file: &Source) -> impl Iterator<Item = (usize, String)> {
    file.code.match_indices(CALL).filter_map(|(at, call)| {
        let argument = file.text[at + call.len()..].trim_start().strip_prefix('"')?;
        let (name, _) = argument.split_once('"')?;
        (!name.starts_with("example.")).then(|| (at, name.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> Source {
        let code = source::without_comments_and_strings(text);
        Source { path: path.into(), text: text.to_owned(), code }
    }

    #[test]
    fn a_point_is_found_with_the_test_that_arms_it() {
        let source = file("put.rs", "// crash_point!(\"a\")\nfn f() {\n crash_point!(\"b.c\");\n}");
        let test = file("tests.rs", "arm(\"b.c\", 1)");
        let found = points(&[source, test]);
        assert_eq!(found.keys().collect::<Vec<_>>(), ["b.c"]);
        assert_eq!(found["b.c"].places, ["put.rs:3"]);
        assert_eq!(found["b.c"].tests, ["tests.rs"]);
    }

    #[test]
    fn a_point_alone_is_not_covered_and_one_name_twice_has_two_places() {
        let found = points(&[file("a.rs", "crash_point!(\"b\"); crash_point!(\n \"b\")")]);
        assert_eq!(found["b"].places.len(), 2);
        assert!(found["b"].tests.is_empty());
    }
}
