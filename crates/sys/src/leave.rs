//! Ways to end this process, and what to do at its end.

use std::io;

/// Ends the process now: no handlers of `atexit`, no destructors, no flush.
pub fn leave(code: i32) -> ! {
    // SAFETY: _exit(2) has no requirement; it does not return, so nothing that was borrowed is used afterwards.
    unsafe { libc::_exit(code) }
}

/// Has `last` called when the process ends by itself: `main` returns, or `exit` is called. Not after a signal, and
/// not after [`leave`].
///
/// Children of `fork` inherit the registration.
///
/// # Errors
///
/// If there is no memory for the registration.
pub fn at_exit(last: extern "C" fn()) -> io::Result<()> {
    // SAFETY: atexit(3) keeps a function pointer, valid for ever in the main image. (In a library that is unloaded
    // glibc calls and removes it at the unloading.) `extern "C"` functions abort instead of unwinding.
    match unsafe { libc::atexit(last) } {
        0 => Ok(()),
        _ => Err(io::Error::from(io::ErrorKind::OutOfMemory)),
    }
}
