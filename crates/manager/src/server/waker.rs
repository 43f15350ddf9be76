//! Waking the loop from another thread, or from a signal handler.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A descriptor that the loop watches.
///
/// | `rung` | means | set by | cleared by |
/// |---|---|---|---|
/// | false | the loop may sleep | | the loop, before it looks at what it was woken for |
/// | true | the loop has been, or is being, written to | whoever rings; only the first writes | |
#[derive(Debug)]
pub(super) struct Waker {
    fd: OwnedFd,
    rung: AtomicBool,
    stop: AtomicBool,
}

impl Waker {
    pub(super) fn new() -> io::Result<Arc<Self>> {
        let fd = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Arc::new(Self { fd, rung: AtomicBool::new(false), stop: AtomicBool::new(false) }))
    }

    /// Wakes the loop, which then looks at whatever was left for it before this call.
    pub(super) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // The counter cannot overflow, and a full one would wake as well.
            let _ = rustix::io::write(&self.fd, &1_u64.to_ne_bytes());
        }
    }

    /// The loop is awake: from here on it has to be woken anew.
    pub(super) fn awake(&self) {
        let _ = rustix::io::read(&self.fd, &mut [0_u8; 8]);
        self.rung.swap(false, Ordering::AcqRel);
    }

    pub(super) fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Ends a server from another thread. It may be used in a signal handler, and more than once.
#[derive(Clone, Debug)]
pub struct Stopper(pub(super) Arc<Waker>);

impl Stopper {
    /// Asks the server to end; [`Server::run`](super::Server::run) then returns. Waits for nothing.
    pub fn stop(&self) {
        self.0.stop.store(true, Ordering::Release);
        self.0.ring();
    }
}
