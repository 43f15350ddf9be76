//! Changing the environment of a process that has just begun.

use std::ffi::OsString;

use crate::fork::is_single_threaded;

/// One change: the name, and the new value or none.
pub type Change = (OsString, Option<OsString>);

/// Makes the changes if this process has one thread, and says whether it did.
///
/// In a process with threads it could not be done safely: another one may read the environment through the C
/// library, which hands out pointers into it.
#[must_use]
pub fn change(changes: &[Change]) -> bool {
    if changes.is_empty() {
        return true;
    }
    if !is_single_threaded() {
        return false;
    }
    for (name, value) in changes {
        match value {
            // SAFETY: set_var asks that no other thread reads or writes the environment: there is no other thread,
            // checked above, and this one starts none in between.
            Some(value) => unsafe { std::env::set_var(name, value) },
            // SAFETY: as above.
            None => unsafe { std::env::remove_var(name) },
        }
    }
    true
}
