//! Processes of both languages in one family.
//!
//! [`Process::python`](crate::Process::python) starts a Python interpreter that calls one function. It is a member of the
//! family like any other: it shares queues, locks, values and arrays, its end is seen, and what it held goes back.
//!
//! | | |
//! |---|---|
//! | which interpreter | [`ProcessBuilder::interpreter`](crate::ProcessBuilder::interpreter), else what the variable `PROCESSION_PYTHON` names, else `python3`; the package `procession` of this version has to be installed there |
//! | which function | `module:function`, or `module:Class.method`; the module is looked for in the working directory, in `PYTHONPATH`, and where Python looks |
//! | arguments | a tuple is one argument for each part, `()` is none; anything else is one argument |
//! | data | [plain data](procession_wire::pickle) both ways; what cannot be mapped is an error that names its place |
//! | shared objects | in the arguments, as what Python has for them: [`counterpart`](procession_ipc::counterpart). In the result and in messages, not |
//! | a queue | speaks pickle from then on: see [`Queue`](procession_ipc::Queue) |
//!
//! | what ends the process | `join` |
//! |---|---|
//! | the function returns | its result |
//! | it raises | [`Error::Raised`](crate::Error::Raised): class, message and traceback, as text; the exit code is 1 |
//! | the module or function is not there, an argument does not arrive | the same, or [`Error::Failed`](crate::Error::Failed) |
//! | `sys.exit(code)`, or no package `procession` | [`Error::Exited`](crate::Error::Exited) |
//! | a signal | [`Error::Killed`](crate::Error::Killed) |
//!
//! The other way round, `procession.RustProcess(path, task, args)` in Python starts a Rust program whose `main` begins with
//! [`init_with`](crate::init_with), for one of its [`Tasks`]. No argument is `()`, one is itself, several are a tuple.
//!
//! | room | holds |
//! |---|---|
//! | `order` | what is asked of the other side |
//! | [`Raised`] | an exception as a value |
//! | [`Tasks`] | the tasks of a program, by name |
//! | [`Post`] | the place of a Python process, for the front door there |
//! | [`Program`] | a Rust program that it started, for the same |
//! | [`Answer`] | what a process says that does one task again and again: [`ProcessBuilder::standing`](crate::ProcessBuilder::standing) |

pub(crate) mod order;
mod post;
mod program;
mod raised;
mod standing;
mod tasks;

pub use post::Post;
pub use program::{Program, forget_parent};
pub use raised::Raised;
pub use standing::{Answer, Pickle};
pub use tasks::Tasks;

use std::ffi::OsString;

/// The variable that names the interpreter.
const VARIABLE: &str = "PROCESSION_PYTHON";

pub(crate) fn interpreter() -> OsString {
    std::env::var_os(VARIABLE).filter(|it| !it.is_empty()).unwrap_or_else(|| "python3".into())
}
