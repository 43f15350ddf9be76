//! What a fork does to the families: the child has a seat of its own in each of them.
//!
//! Before the fork the parent takes its [`Turn`] and the lock of its holdings in each family, in the
//! order of the list, so that two threads that fork at once wait for each other here and nowhere else;
//! parent and child give them back.

use super::joined::{Turn, families, own_family};
use super::{Family, MemberId};
use procession_sys::atomic::{AtomicU64, Ordering};
use procession_sys::forked::{self, Hooks};
use std::cell::Cell;

/// The seat for the child of this process's next fork, 0 for a seat that inherits.
static NEXT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether this thread's fork has begun with `before_fork`: another thread may set the hooks
    /// while the fork is under way.
    static PREPARED: Cell<bool> = const { Cell::new(false) };
}

/// Has the child of this process's next fork take the seat `id` in the process's own family, with
/// nothing held, in place of a seat that holds what this process holds. For a process with one thread.
pub fn fork_as(id: MemberId) {
    NEXT.store(id.to_word(), Ordering::Relaxed);
}

/// Has every fork of this process from now on give the child a seat in each of its families.
///
/// The first family of a process does it, too. Where other threads may fork while one of them founds that family, it
/// has to be done before: a front door whose language forks by itself does it when it is loaded.
pub fn call_around_forks() {
    forked::set_hooks(Hooks { prepare: before_fork, parent: in_parent, child: in_child });
}

fn before_fork() {
    // Forks may be all that this process does, and the seats of those that ended are wanted.
    families().for_each(Family::look_for_deaths);
    Turn::take().keep_through_fork();
    let named = NEXT.load(Ordering::Relaxed) != 0;
    for family in families() {
        let inherits = !(named && is_own(family));
        family.local.before_fork(family, inherits);
    }
    PREPARED.set(true);
}

fn in_parent() {
    if !PREPARED.replace(false) {
        return;
    }
    NEXT.store(0, Ordering::Relaxed);
    families().for_each(|family| family.local.after_fork());
    drop(Turn::back_from_fork());
}

fn in_child() {
    if !PREPARED.replace(false) {
        return;
    }
    let named = NEXT.swap(0, Ordering::Relaxed);
    for family in families() {
        let heir = family.local.inherit(family);
        let is_named = named != 0 && is_own(family);
        let id = if is_named { Some(MemberId::from_word(named)) } else { heir };
        if !id.is_some_and(|id| family.sit_down(id)) {
            // Without a seat nothing here may be touched: `Family::me` says so.
            family.me.store(0, Ordering::Relaxed);
        } else if !is_named {
            family.stand_alone();
        }
        family.local.after_fork();
    }
    drop(Turn::back_from_fork());
}

fn is_own(family: &Family) -> bool {
    own_family() == Some(family)
}
