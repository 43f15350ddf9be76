//! How a process comes to its families: it founds one, is started into one, or joins another one.
//!
//! New objects are made in the process's own family. It is the one that it founded, was started into,
//! or joined first. The others are those of processes that sent it objects of theirs.

use super::fork::call_around_forks;
use super::joined::{Turn, joined, own_family};
use super::{Family, MemberId, MemberState};
use crate::Error;
use crate::arena::Arena;
use procession_sys::atomic::Ordering;
use std::os::fd::OwnedFd;

/// This process's own family. The first call founds one, unless the process has joined one.
///
/// # Errors
/// [`Error::System`], [`Error::OutOfMemory`], [`Error::BadSize`] at the first call.
///
/// # After fork
/// The child belongs to the same family, with a seat of its own.
#[inline]
pub fn family() -> Result<&'static Family, Error> {
    match own_family() {
        Some(family) => Ok(family),
        None => found(),
    }
}

#[cold]
fn found() -> Result<&'static Family, Error> {
    call_around_forks();
    let turn = Turn::take();
    if let Some(family) = own_family() {
        return Ok(family);
    }
    let family = Family::over(Arena::create()?);
    let me = family.seat_for(0, MemberState::Reserved)?;
    family.sit_down(me);
    let family = turn.add(family);
    turn.make_own(family);
    Ok(family)
}

/// Joins the family whose arena `fd` is, in the seat that was reserved for this process, and makes it
/// the process's own. For the first moments of a child.
///
/// A family that was the process's own before stays joined: what it holds there goes on working. If
/// this family is joined already, it becomes the own one, and else all is as in [`join`].
///
/// # Errors
/// As [`join`].
pub fn adopt(fd: OwnedFd, id: MemberId) -> Result<&'static Family, Error> {
    enter(fd, id, true)
}

/// Joins the family whose arena `fd` is, in the seat that was reserved for this process. It becomes
/// the process's own only if that has none yet.
///
/// If this process belongs to the family already, that is all: `fd` is closed, and the seat given
/// back if nobody has taken it.
///
/// # Errors
/// [`Error::ForeignArena`] if another build made it, [`Error::ForeignNamespace`] if other processes
/// have our numbers there, [`Error::System`]; [`Error::BadHandle`] if the seat was withdrawn because
/// whoever reserved it is gone.
pub fn join(fd: OwnedFd, id: MemberId) -> Result<&'static Family, Error> {
    enter(fd, id, false)
}

fn enter(fd: OwnedFd, id: MemberId, as_own: bool) -> Result<&'static Family, Error> {
    call_around_forks();
    let turn = Turn::take();
    let arena = Arena::open(fd)?;
    let family = match joined(arena.id()) {
        Some(family) => {
            family.release(id);
            family
        }
        None => turn.add(seated(arena, id)?),
    };
    if as_own || own_family().is_none() {
        turn.make_own(family);
    }
    Ok(family)
}

/// The family of `arena`, with this process in the seat `id`.
fn seated(arena: Arena, id: MemberId) -> Result<Family, Error> {
    if arena.header().pid_namespace.load(Ordering::Relaxed) != procession_sys::pid::namespace() {
        return Err(Error::ForeignNamespace);
    }
    let family = Family::over(arena);
    if family.sit_down(id) {
        return Ok(family);
    }
    Err(Error::BadHandle { handle: id.to_word(), problem: "a seat that was withdrawn" })
}
