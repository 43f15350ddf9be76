//! The zygote's own life: fork on request, reap, tell; end with the control socket.
//!
//! It stays pristine, because every child is a copy of it: one thread, no random numbers (each child would draw the
//! same), no `HashMap` (the same seeds in all), nothing in the buffer of stdout.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use procession_sys::fork::{Fork, ForkError, fork};
use procession_sys::leave::leave;
use procession_sys::pidfd::Pidfd;
use procession_sys::signal_name::Signal;
use procession_sys::stdio::{Stream, null, replace};
use procession_sys::{Deadline, crash_point, fd_pass, poll, reaper};

use super::child;
use super::order::{LONGEST, Request, flag};
use super::slot::{End, Slot};
use crate::panic;

/// The children that have not ended.
type Brood = Vec<Chick>;

/// A child that has not ended.
#[derive(Debug, Clone, Copy)]
struct Chick {
    pid: i32,
    slot: Slot,
    outlive: bool,
}

/// Children are given their parent's streams of the moment. Those of this moment may be a pipe whose reader waits for
/// the end.
fn let_go_of_streams() -> io::Result<()> {
    let null = null()?;
    replace(Stream::Stdout, &null)?;
    replace(Stream::Stderr, &null)
}

/// Serves until the parent is gone; then buries what it has left, and last itself.
pub(super) fn serve(control: OwnedFd, lifeline: OwnedFd, seat: Slot) -> ! {
    panic::install();
    let code = match serve_until_end(control, lifeline, seat) {
        Ok(()) => 0,
        // The parent finds it gone and starts another one.
        Err(_) => 1,
    };
    seat.abandon();
    leave(code)
}

fn serve_until_end(control: OwnedFd, lifeline: OwnedFd, seat: Slot) -> io::Result<()> {
    let ended = reaper::block_signals()?;
    let_go_of_streams()?;
    let mut brood = Brood::new();
    fd_pass::send(&control, b"+", &[])?;
    crash_point!("start.zygote.hello");
    loop {
        let (asked, died) = poll::either(control.as_fd(), ended.as_fd())?;
        if died {
            reaper::drain(&ended)?;
            reap(&mut brood);
        }
        if asked {
            let mut bytes = [0; LONGEST];
            let Some(message) = fd_pass::recv(&control, &mut bytes)? else {
                return bury_brood(brood, &ended);
            };
            let answer = match Request::from_bytes(&bytes[..message.len]) {
                Some(request) => match fork_into(seat.beside(request.member)) {
                    Ok(Fork::Child) => {
                        drop((control, ended, brood));
                        reaper::unblock_signals();
                        let slot = seat.beside(request.member);
                        child::run(request, slot, message.fds, lifeline, child::perform);
                    }
                    Ok(Fork::Parent(pid)) => {
                        crash_point!("start.zygote.forked");
                        brood.push(Chick {
                            pid,
                            slot: seat.beside(request.member),
                            outlive: request.flags & flag::OUTLIVE != 0,
                        });
                        Ok(pid)
                    }
                    Err(error) => Err(error.to_string()),
                },
                None => Err("a request that is none".to_owned()),
            };
            drop(message.fds);
            tell(control.as_fd(), answer)?;
            crash_point!("start.zygote.answered");
        }
    }
}

/// After the parent's death: sees to it that its children are dead as well, and returns what they held. Their lifeline
/// kills them at the same time, unless they have closed it.
fn bury_brood(mut brood: Brood, ended: &OwnedFd) -> io::Result<()> {
    brood.retain(|child| !child.outlive);
    for child in &brood {
        // Nobody has reaped it: that happens in this thread.
        Pidfd::open(child.pid)?.send_signal(Signal::KILL)?;
    }
    while !brood.is_empty() {
        poll::readable(ended, Deadline::never())?;
        reaper::drain(ended)?;
        reap(&mut brood);
    }
    Ok(())
}

/// Forks; the child has the seat.
fn fork_into(seat: Slot) -> Result<Fork, ForkError> {
    seat.leave_to_fork();
    fork()
}

/// Answers with pid and pidfd, or with the reason why there are none.
fn tell(control: BorrowedFd<'_>, answer: Result<i32, String>) -> io::Result<()> {
    let opened = answer.and_then(|pid| {
        // Nobody has reaped it: that happens in this thread.
        Pidfd::open(pid).map(|pidfd| (pid, pidfd)).map_err(|error| error.to_string())
    });
    let sent = match opened {
        Ok((pid, pidfd)) => fd_pass::send(control, &pid.to_le_bytes(), &[pidfd.as_fd()]),
        Err(text) => {
            let text = &text.as_bytes()[..text.len().min(LONGEST - 4)];
            fd_pass::send(control, &[&[0; 4], text].concat(), &[])
        }
    };
    match sent {
        // The parent is gone; the next look at the socket says so in a better place.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        sent => sent,
    }
}

/// Takes every status that waits, returns what the dead held, and tells who asks.
fn reap(brood: &mut Brood) {
    while let Some((pid, status)) = reaper::reap_any() {
        crash_point!("start.zygote.reaped");
        let Some(at) = brood.iter().position(|child| child.pid == pid) else {
            continue;
        };
        brood.swap_remove(at).slot.conclude(End::Status(status));
        crash_point!("start.zygote.buried");
    }
}
