//! The first line of `main`.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::python::Tasks;
use crate::start;

/// Set by `init`, inherited by fork.
static DONE: AtomicBool = AtomicBool::new(false);

/// Makes this program one that can be started again as its own children. Call it as the first line of `main`.
///
/// In a process that was started by `Process::spawn` it does not return: the function that was spawned runs
/// instead of `main`. In any other process it notes that it was called, and costs a look at the environment.
///
/// What stands before it in `main` runs in children, too. A program that has started threads before it, or does not
/// reach it, gets an error from its next `spawn`; so does one that never calls it. In tests, whose `main` belongs to
/// the test harness, the feature `test-hook` calls it.
///
/// A set-user-ID program takes no orders from its environment, and so cannot be started this way.
///
/// ```
/// procession_process::init();
/// assert!(procession_process::parent_process().is_none());
/// ```
pub fn init() {
    if DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    start::boot(None);
}

/// As [`init`], in a program whose tasks a Python process may start: `procession.RustProcess(path, task, args)`; or
/// `procession worker --program path task`, whose processes do a task again and again.
///
/// In a process that was started so it does not return: the task runs instead of `main`.
///
/// ```
/// use procession_process::Tasks;
///
/// fn main() {
///     procession_process::init_with(
///         Tasks::new().add("add", |(a, b): (i64, i64)| a + b).add("hello", |name: String| format!("hello {name}")),
///     );
///     assert!(procession_process::parent_process().is_none());
/// }
/// ```
pub fn init_with(tasks: Tasks) {
    DONE.store(true, Ordering::Relaxed);
    start::boot(Some(&tasks));
}

/// Whether `init` was called, here or before the fork that made this process.
pub(crate) fn is_done() -> bool {
    DONE.load(Ordering::Relaxed)
}

/// As if it had never been called.
#[cfg(test)]
pub(crate) fn forget_for_test() -> bool {
    DONE.swap(false, Ordering::Relaxed)
}

/// A task is left to a `main` that begins with [`init_with`].
#[cfg(feature = "test-hook")]
fn init_unless_for_a_task() {
    if !start::is_for_a_task() {
        init();
    }
}

#[cfg(feature = "test-hook")]
procession_sys::before_main!(init_unless_for_a_task);
