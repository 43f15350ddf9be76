//! Printing to a reader that may be gone.
//!
//! `println!` panics when its reader is gone, as in `procession tour | head -1`. Here the first process
//! ends quietly then, and ends its children; a child goes on with its work, unread.

use procession::parent_process;
use std::fmt;
use std::io::{self, ErrorKind, Write};
use std::process::exit;

/// Prints a line, as `println!`.
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => { $crate::print::line(format_args!($($argument)*)) };
}

/// Prints a line.
pub(crate) fn line(text: fmt::Arguments<'_>) {
    let mut stdout = io::stdout().lock();
    let Err(error) = writeln!(stdout, "{text}") else { return };
    // What happens at exit may print, too.
    drop(stdout);
    if parent_process().is_some() {
        return;
    }
    if error.kind() != ErrorKind::BrokenPipe {
        complain(&format_args!("cannot print: {error}"));
        exit(1);
    }
    exit(0)
}

/// Writes a line over the last one on the terminal's stderr.
pub(crate) fn rewrite(line: &dyn fmt::Display) {
    let _ = write!(io::stderr(), "\r\x1b[K{line}");
}

/// Says on stderr what went wrong.
pub(crate) fn complain(error: &dyn fmt::Display) {
    // Without a reader there is nobody to tell.
    let _ = writeln!(io::stderr(), "procession: {error}");
}
