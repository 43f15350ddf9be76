//! What the README shows is what an example runs.
//!
//! Every block of Rust or Python in the README has to stand, line by line, in one of the examples, which are
//! run; so a snippet cannot rot. Lines of Rust are compared without their indentation. Every `cargo xtask`
//! command that it shows has to exist.

use crate::step::Verdict;
use crate::{USAGE, source, workspace};

/// Where the examples in Rust are.
const RUST: &[&str] = &["examples/rust", "crates/procession/examples"];
/// Where those in Python are.
const PYTHON: &str = "examples/python";

/// Compares README.md with the examples.
pub(crate) fn check() -> Verdict {
    let path = workspace::root().join("README.md");
    let readme = std::fs::read_to_string(path).map_err(|error| format!("README.md: {error}"))?;
    let rust: Vec<String> = source::sources(RUST)?.into_iter().map(|file| file.text).collect();
    let python = texts(PYTHON)?;
    let rust = found(&readme, "rust", &rust, plain)?;
    let python = found(&readme, "python", &python, as_indented)?;
    match unknown_command(&readme) {
        Some(command) => Err(format!("README.md shows `cargo xtask {command}`, which is none")),
        None => Ok(format!("{rust} snippets of Rust and {python} of Python, each in an example")),
    }
}

/// How many blocks of the language there are; an error if one is in none of the examples.
fn found(
    readme: &str,
    language: &str,
    examples: &[String],
    lines: fn(&str) -> String,
) -> Result<usize, String> {
    let examples: Vec<String> = examples.iter().map(|text| lines(text)).collect();
    let blocks: Vec<_> = blocks(readme, language).iter().map(|block| lines(block)).collect();
    let missing = |block: &&String| !examples.iter().any(|example| example.contains(*block));
    match blocks.iter().find(missing) {
        Some(block) => Err(format!("no example in {language} contains:\n{block}")),
        None => Ok(blocks.len()),
    }
}

/// What the Python files of a directory say.
fn texts(directory: &str) -> Result<Vec<String>, String> {
    let wrong = |error| format!("cannot read {directory}: {error}");
    let files = workspace::root().join(directory).read_dir().map_err(wrong)?;
    let paths = files.flatten().map(|file| file.path());
    let paths = paths.filter(|path| path.extension().is_some_and(|extension| extension == "py"));
    paths.map(|path| std::fs::read_to_string(path).map_err(wrong)).collect()
}

fn unknown_command(readme: &str) -> Option<&str> {
    let after = readme.split("cargo xtask ").skip(1);
    let mut words = after.map(|rest| rest.split(|c: char| !is_name(c)).next().unwrap_or_default());
    words.find(|word| !word.is_empty() && !USAGE.contains(&format!("\n  {word} ")))
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

fn blocks(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let fence = line.trim_start().strip_prefix("```");
        if fence.is_some_and(|fence| fence.starts_with(language)) {
            let block = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
            blocks.push(block.collect::<Vec<_>>().join("\n"));
        }
    }
    blocks
}

/// Lines without indentation, and none that are empty.
fn plain(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Lines with their indentation, and none that are empty.
fn as_indented(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_one_language_are_found_and_others_are_not() {
        let text = "a\n```rust\nfn main() {\n\n    b();\n}\n```\n```python\nif a:\n    b()\n```\n";
        assert_eq!(blocks(text, "rust"), ["fn main() {\n\n    b();\n}"]);
        assert_eq!(plain(&blocks(text, "rust")[0]), "fn main() {\nb();\n}");
        assert_eq!(as_indented(&blocks(text, "python")[0]), "if a:\n    b()");
    }

    #[test]
    fn a_command_that_does_not_exist_is_found() {
        assert_eq!(
            unknown_command("`cargo xtask test` and\n    cargo xtask bench --short\n"),
            None
        );
        assert_eq!(unknown_command("cargo xtask tset"), Some("tset"));
    }
}
