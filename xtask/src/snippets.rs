//! What the README shows is what an example runs.
//!
//! Every Rust block of the README has to stand, line by line, in one of the examples, which are run;
//! so a snippet cannot rot. Lines are compared without their indentation. Every `cargo xtask`
//! command that it shows has to exist.

use crate::step::Verdict;
use crate::{USAGE, source, workspace};

/// Where the examples are.
const EXAMPLES: &[&str] = &["examples/rust", "crates/procession/examples"];

/// Compares README.md with the examples.
pub(crate) fn check() -> Verdict {
    let path = workspace::root().join("README.md");
    let readme = std::fs::read_to_string(path).map_err(|error| format!("README.md: {error}"))?;
    let examples = source::sources(EXAMPLES)?;
    let examples: Vec<String> = examples.iter().map(|file| plain(&file.text)).collect();
    let blocks = rust_blocks(&readme);
    let missing = |block: &&String| !examples.iter().any(|example| example.contains(*block));
    if let Some(block) = blocks.iter().find(missing) {
        return Err(format!("no example in {} contains:\n{block}", EXAMPLES.join(" or ")));
    }
    match unknown_command(&readme) {
        Some(command) => Err(format!("README.md shows `cargo xtask {command}`, which is none")),
        None => Ok(format!("{} Rust snippets, each in an example", blocks.len())),
    }
}

fn unknown_command(readme: &str) -> Option<&str> {
    let after = readme.split("cargo xtask ").skip(1);
    let mut words = after.map(|rest| rest.split(|c: char| !is_name(c)).next().unwrap_or_default());
    words.find(|word| !word.is_empty() && !USAGE.contains(&format!("\n  {word} ")))
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

fn rust_blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim_start().starts_with("```rust") {
            let block = lines.by_ref().take_while(|line| !line.trim_start().starts_with("```"));
            blocks.push(plain(&block.collect::<Vec<_>>().join("\n")));
        }
    }
    blocks
}

fn plain(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_rust_are_found_and_others_are_not() {
        let text = "a\n```rust\nfn main() {\n\n    b();\n}\n```\n```sh\nls\n```\n";
        assert_eq!(rust_blocks(text), ["fn main() {\nb();\n}"]);
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
