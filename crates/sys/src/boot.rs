//! The first moments of a program that was started again as a part of itself.
//!
//! The parent says so by a variable of the environment and a SEQPACKET socket on descriptor 0. Either alone means
//! nothing: a variable may have been inherited by accident, a socket may be anybody's.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;

use crate::{environment, fd_pass, stdio};

/// The variable. It is removed before any user code runs.
pub const VARIABLE: &str = "PROCESSION_BOOT";

/// Whether the program has more rights than the one who started it (set-user-ID, capabilities). Such a program
/// takes no orders from its environment.
#[must_use]
pub fn is_privileged() -> bool {
    // SAFETY: getauxval(3) has no requirement.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// What the parent asked for and the socket to it, if this process was started that way. The variable is removed
/// and stdin becomes `/dev/null`.
///
/// # Errors
///
/// If the process has threads already, so that its environment cannot be changed; what the kernel refused.
pub fn take() -> io::Result<Option<(OsString, OwnedFd)>> {
    let Some(order) = std::env::var_os(VARIABLE) else {
        return Ok(None);
    };
    if is_privileged() || !fd_pass::is_seqpacket(io::stdin()) {
        return Ok(None);
    }
    if !environment::change(&[(VARIABLE.into(), None)]) {
        let why =
            "the program has threads before procession::init(); make it the first line of main";
        // Whoever listens can say it where it is read; the socket closes with this process.
        let _ = fd_pass::send(io::stdin(), why.as_bytes(), &[]);
        return Err(io::Error::other(why));
    }
    Ok(Some((order, stdio::take_stdin()?)))
}

/// Shows the name of the program in `ps` and `top`, which otherwise show what was started: `exe`.
pub fn take_name() {
    let path = std::env::args_os().next().unwrap_or_default();
    let name = std::path::Path::new(&path).file_name().unwrap_or_default();
    if let Ok(name) = std::ffi::CString::new(name.as_encoded_bytes()) {
        // The kernel keeps 15 bytes of it. Without /proc tools nobody sees it, so an error is none.
        let _ = rustix::thread::set_name(&name);
    }
}

/// Ignores SIGPIPE, as Rust's runtime does before `main`; for code that runs earlier.
pub fn ignore_sigpipe() {
    // SAFETY: signal(2) with SIG_IGN installs no handler, so nothing can run at an awkward time.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Has a function called before `main`, by an entry of `.init_array`. For test binaries, whose `main` is not ours.
///
/// It is called in the main program only, not when the crate is part of a library that some program loads, and not
/// with more rights than the caller's.
#[macro_export]
macro_rules! before_main {
    ($boot:path) => {
        #[used]
        #[unsafe(link_section = ".init_array")]
        static BEFORE_MAIN: extern "C" fn() = {
            extern "C" fn before_main() {
                $crate::boot::run_before_main(before_main, $boot);
            }
            before_main
        };
    };
}

/// What [`before_main!`](crate::before_main) expands to: `boot`, where it may run.
pub fn run_before_main(hook: extern "C" fn(), boot: fn()) {
    if is_privileged() || crate::image::is_in_program(hook) != Ok(true) {
        return;
    }
    ignore_sigpipe();
    // A panic must not leave the hook: it would unwind into the loader.
    let _ = std::panic::catch_unwind(boot);
}
