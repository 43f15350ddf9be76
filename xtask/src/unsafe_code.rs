//! `unsafe` stays on the two lowest floors, and where Python's own interface asks for it.
//!
//! The lint `unsafe_code` refuses it too, but an `#[expect]` in any file would lift that quietly.

use crate::source::{self, Source};
use crate::step::Verdict;

/// Where it may be: two floors, and those files of the binding that `SAFETY.md` argues for.
const ALLOWED: &[&str] = &[
    "crates/sys/",
    "crates/shm/",
    "crates/python/src/codec/apart.rs",
    "crates/python/src/codec/atoms.rs",
    "crates/python/src/codec/class.rs",
    "crates/python/src/codec/seen.rs",
    "crates/python/src/codec/view.rs",
    "crates/python/src/connection/end.rs",
    "crates/python/src/connection/frame.rs",
    "crates/python/src/family.rs",
    "crates/python/src/foreign.rs",
    "crates/python/src/manager/line.rs",
    "crates/python/src/lib.rs",
    "crates/python/src/pool/work.rs",
    "crates/python/src/shared/array.rs",
    "crates/python/src/shared/block.rs",
    "crates/python/src/shared/element.rs",
    "crates/python/src/shared/hot.rs",
    "crates/python/src/sync/direct.rs",
    "crates/python/src/sync/hot.rs",
    "crates/python/src/sync/sem_lock.rs",
    "crates/python/src/sync/with.rs",
];

/// Searches every Rust file of the workspace.
pub(crate) fn check() -> Verdict {
    let sources = source::sources(&["crates", "bench", "examples", "fuzz", "xtask"])?;
    let allowed = |file: &Source| ALLOWED.iter().any(|room| file.path.starts_with(room));
    let (low, high): (Vec<Source>, Vec<Source>) = sources.into_iter().partition(allowed);
    let found: Vec<String> = high.iter().flat_map(places).collect();
    if !found.is_empty() {
        return Err(format!("unsafe is for {} only:\n{}", ALLOWED.join(", "), found.join("\n")));
    }
    let count: usize = low.iter().map(|file| places(file).len()).sum();
    Ok(format!("{count} where they may be, none in {} other files", high.len()))
}

fn places(file: &Source) -> Vec<String> {
    let code = file.code.as_bytes();
    let found = file.code.match_indices("unsafe").map(|(at, word)| (at, at + word.len()));
    let whole = found.filter(|&(start, end)| {
        let before = start.checked_sub(1).and_then(|at| code.get(at));
        ![before, code.get(end)].into_iter().flatten().any(|byte| source::is_word(*byte))
    });
    whole.map(|(at, _)| format!("  {}:{}", file.path.display(), file.line(at))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keyword_is_found_and_words_that_contain_it_are_not() {
        let text = "#![forbid(unsafe_code)]\n// unsafe\nlet a = \"unsafe\";\nunsafe { b }\n";
        let code = source::without_comments_and_strings(text);
        let file = Source { path: "a.rs".into(), text: text.to_owned(), code };
        assert_eq!(places(&file), ["  a.rs:4"]);
    }
}
