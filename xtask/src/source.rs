//! Rust files of this repository, and their code without comments and strings.

use crate::workspace;
use std::fs;
use std::path::{Path, PathBuf};

/// One file of Rust.
pub(crate) struct Source {
    /// Its path from the root of the repository.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) text: String,
    /// The same with every byte of a comment, string or character replaced by a space, so that
    /// offsets and lines agree.
    pub(crate) code: String,
}

impl Source {
    /// The line of a byte of the file, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.code.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1
    }
}

/// All Rust files below these directories of the repository, in the order of their paths. One that
/// does not exist is passed over, but not all of them.
pub(crate) fn sources(directories: &[&str]) -> Result<Vec<Source>, String> {
    let mut paths = Vec::new();
    for directory in directories {
        let path = workspace::root().join(directory);
        if path.is_dir() {
            collect(&path, &mut paths)
                .map_err(|error| format!("cannot read {directory}: {error}"))?;
        }
    }
    if paths.is_empty() {
        return Err(format!("no Rust file in {}", directories.join(", ")));
    }
    paths.sort();
    paths.into_iter().map(read).collect()
}

fn read(path: PathBuf) -> Result<Source, String> {
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    let code = without_comments_and_strings(&text);
    let path = path.strip_prefix(workspace::root()).map(Path::to_owned).unwrap_or(path);
    Ok(Source { path, text, code })
}

fn collect(directory: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, into)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
    Ok(())
}

/// The text with comments, strings and characters blanked, line ends kept.
pub(crate) fn without_comments_and_strings(text: &str) -> String {
    let (bytes, mut code, mut at) = (text.as_bytes(), Vec::with_capacity(text.len()), 0);
    while at < bytes.len() {
        match blank_length(bytes, at) {
            0 => {
                code.push(bytes[at]);
                at += 1;
            }
            length => {
                let end = bytes.len().min(at + length);
                let keep = |byte: &u8| if *byte == b'\n' { b'\n' } else { b' ' };
                code.extend(bytes[at..end].iter().map(keep));
                at = end;
            }
        }
    }
    String::from_utf8_lossy(&code).into_owned()
}

/// How many bytes from here are a comment, string or character; none if here is code.
fn blank_length(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let in_word = at > 0 && is_word(bytes[at - 1]);
    match rest {
        [b'/', b'/', ..] => position(rest, b"\n").unwrap_or(rest.len()),
        [b'/', b'*', ..] => block_comment_length(rest),
        [b'"', ..] => quoted_length(rest, b'"'),
        [b'b' | b'c', b'r', b'"' | b'#', ..] if !in_word => raw_string_length(rest, 2),
        [b'r', b'"' | b'#', ..] if !in_word => raw_string_length(rest, 1),
        [b'\'', b'\\', ..] => quoted_length(rest, b'\''),
        [b'\'', ..] => character_length(rest),
        _ => 0,
    }
}

/// `'x'` and not the start of `'lifetime`.
fn character_length(rest: &[u8]) -> usize {
    let character = (1..=4).find(|length| std::str::from_utf8(&rest[1..][..*length]).is_ok());
    match character.map(|length| (length, rest.get(1 + length))) {
        Some((length, Some(b'\''))) => length + 2,
        _ => 0,
    }
}

fn quoted_length(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// `r"..."`, `r#"..."#`; `r#word` is code.
fn raw_string_length(rest: &[u8], prefix: usize) -> usize {
    let hashes = rest[prefix..].iter().take_while(|byte| **byte == b'#').count();
    let open = prefix + hashes + 1;
    if rest.get(open - 1) != Some(&b'"') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    position(&rest[open..], close.as_bytes()).map_or(rest.len(), |end| open + end + close.len())
}

/// Block comments nest.
fn block_comment_length(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Whether a byte can be part of an identifier.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn position(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_stays_and_stays_where_it_was() {
        let cases = [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"a "b\"c" d"#, "a        d"),
            (r##"a r#"b"c"# d"##, "a          d"),
            (r"a '\'' 'b' d", "a          d"),
            ("fn f<'a>(x: &'a str)", "fn f<'a>(x: &'a str)"),
            ("r#unsafe", "r#unsafe"),
            ("'é' x", "     x"),
        ];
        for (text, code) in cases {
            assert_eq!(without_comments_and_strings(text), code, "{text}");
        }
    }
}
