//! How a process comes to its family: it founds one, is started into one, or is a fork.

use super::local::Local;
use super::{Family, MemberId, MemberState};
use crate::Error;
use crate::arena::Arena;
use procession_sys::atomic::{AtomicU64, Ordering};
use procession_sys::forked::{self, Hooks};
use std::os::fd::OwnedFd;
use std::sync::{Mutex, OnceLock, PoisonError};

static FAMILY: OnceLock<&'static Family> = OnceLock::new();
static FOUNDING: Mutex<()> = Mutex::new(());
/// The seat for the child of this process's next fork, 0 for a seat that inherits.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The family of this process. The first call founds one, unless the process was started into one.
///
/// # Errors
/// [`Error::System`], [`Error::OutOfMemory`], [`Error::BadSize`] at the first call.
///
/// # After fork
/// The child belongs to the same family, with a seat of its own.
#[inline]
pub fn family() -> Result<&'static Family, Error> {
    match FAMILY.get() {
        Some(family) => Ok(family),
        None => found(),
    }
}

#[cold]
fn found() -> Result<&'static Family, Error> {
    let _one = FOUNDING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(family) = FAMILY.get() {
        return Ok(family);
    }
    let family = settle(Arena::create()?);
    let me = family.seat_for(0, MemberState::Reserved)?;
    family.sit_down(me);
    Ok(FAMILY.get_or_init(|| family))
}

/// Joins the family whose arena `fd` is, in the seat that was reserved for this process. For the
/// first moments of a child.
///
/// # Errors
/// [`Error::ForeignArena`] if another build made it, [`Error::ForeignNamespace`] if other processes
/// have our numbers there, [`Error::System`]; [`Error::BadHandle`] if the seat was withdrawn because
/// whoever reserved it is gone, or if this process belongs to a family already.
pub fn adopt(fd: OwnedFd, id: MemberId) -> Result<&'static Family, Error> {
    let _one = FOUNDING.lock().unwrap_or_else(PoisonError::into_inner);
    let bad = |problem| Error::BadHandle { handle: id.to_word(), problem };
    if FAMILY.get().is_some() {
        return Err(bad("a seat in another family than the process has"));
    }
    let arena = Arena::open(fd)?;
    let namespace = arena.header().pid_namespace.load(Ordering::Relaxed);
    if namespace != procession_sys::pid::namespace() {
        return Err(Error::ForeignNamespace);
    }
    let family = settle(arena);
    if !family.sit_down(id) {
        return Err(bad("a seat that was withdrawn"));
    }
    Ok(FAMILY.get_or_init(|| family))
}

/// Has the child of this process's next fork take the seat `id`, with nothing held, in place of a
/// seat that holds what this process holds. For a process with one thread.
pub fn fork_as(id: MemberId) {
    NEXT.store(id.to_word(), Ordering::Relaxed);
}

fn settle(arena: Arena) -> &'static Family {
    forked::set_hooks(Hooks { prepare: before_fork, parent: in_parent, child: in_child });
    Box::leak(Box::new(Family { arena, me: AtomicU64::new(0), local: Local::default() }))
}

fn before_fork() {
    if let Some(family) = FAMILY.get() {
        family.local.before_fork(family, NEXT.load(Ordering::Relaxed) == 0);
    }
}

fn in_parent() {
    if let Some(family) = FAMILY.get() {
        NEXT.store(0, Ordering::Relaxed);
        family.local.after_fork();
    }
}

fn in_child() {
    let Some(family) = FAMILY.get() else { return };
    let named = NEXT.swap(0, Ordering::Relaxed);
    let heir = family.local.inherit(family);
    let id = if named == 0 { heir } else { Some(MemberId::from_word(named)) };
    if !id.is_some_and(|id| family.sit_down(id)) {
        // Without a seat nothing here may be touched: `Family::me` says so.
        family.me.store(0, Ordering::Relaxed);
    }
    family.local.after_fork();
}
