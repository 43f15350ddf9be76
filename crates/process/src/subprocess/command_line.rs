//! A command as a person would type it.

use std::ffi::{OsStr, OsString};

/// The arguments with spaces between them, quoted for a shell where they need it.
pub(super) fn shown(args: &[OsString]) -> String {
    let words: Vec<_> = args.iter().map(|arg| quoted(arg)).collect();
    words.join(" ")
}

fn quoted(arg: &OsStr) -> String {
    let text = arg.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./=:,+@%^".contains(c);
    match !text.is_empty() && text.chars().all(plain) {
        true => text.into_owned(),
        false => format!("'{}'", text.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_a_shell_would_take_apart_is_quoted() {
        let args = ["sh", "-c", "echo it's", ""].map(Into::into);
        assert_eq!(shown(&args), r"sh -c 'echo it'\''s' ''");
    }
}
