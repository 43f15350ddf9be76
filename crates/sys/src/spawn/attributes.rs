//! Signals and process group of a new process.

use super::Group;
use std::io;
use std::mem::MaybeUninit;

/// An initialised `posix_spawnattr_t`, at an address that does not change.
pub(super) struct Attributes {
    raw: Box<libc::posix_spawnattr_t>,
}

impl Attributes {
    /// No signal blocked, `SIGPIPE` and `SIGXFSZ` as the kernel has them, and this group.
    pub(super) fn new(group: Group) -> io::Result<Self> {
        let mut raw = Box::<libc::posix_spawnattr_t>::new_uninit();
        // SAFETY: posix_spawnattr_init(3) initialises the object that it is given.
        check(unsafe { libc::posix_spawnattr_init(raw.as_mut_ptr()) })?;
        // SAFETY: the call above returned 0, so it has initialised the object.
        let raw = unsafe { raw.assume_init() };
        let mut new = Self { raw };
        new.signals()?;
        let group_flag = new.group(group)?;
        let flags = libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF | group_flag;
        // SAFETY: posix_spawnattr_setflags(3) changes an initialised object.
        check(unsafe { libc::posix_spawnattr_setflags(&mut *new.raw, flags as libc::c_short) })?;
        Ok(new)
    }

    fn signals(&mut self) -> io::Result<()> {
        let (none, mut default) = (no_signals(), no_signals());
        for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
            // SAFETY: sigaddset(3) changes an initialised set; the number is that of a signal.
            unsafe { libc::sigaddset(&mut default, signal) };
        }
        // SAFETY: posix_spawnattr_setsigmask(3) copies an initialised set to an initialised object.
        check(unsafe { libc::posix_spawnattr_setsigmask(&mut *self.raw, &none) })?;
        // SAFETY: posix_spawnattr_setsigdefault(3) does the same.
        check(unsafe { libc::posix_spawnattr_setsigdefault(&mut *self.raw, &default) })
    }

    fn group(&mut self, group: Group) -> io::Result<i32> {
        let number = match group {
            Group::Parent => return Ok(0),
            Group::NewSession => return Ok(i32::from(libc::POSIX_SPAWN_SETSID)),
            Group::New => 0,
            Group::Join(number) => number,
        };
        // SAFETY: posix_spawnattr_setpgroup(3) changes an initialised object.
        check(unsafe { libc::posix_spawnattr_setpgroup(&mut *self.raw, number) })?;
        Ok(libc::POSIX_SPAWN_SETPGROUP)
    }

    pub(super) fn as_ptr(&self) -> *const libc::posix_spawnattr_t {
        &*self.raw
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: posix_spawnattr_destroy(3) takes an initialised object that is not used again:
        // this is the end of its owner.
        unsafe { libc::posix_spawnattr_destroy(&mut *self.raw) };
    }
}

fn no_signals() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset(3) initialises the set that it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: initialised by the call above, which fails for a bad address only.
    unsafe { set.assume_init() }
}

/// The `posix_spawn` family returns the error number.
pub(super) fn check(errno: libc::c_int) -> io::Result<()> {
    match errno {
        0 => Ok(()),
        errno => Err(io::Error::from_raw_os_error(errno)),
    }
}
