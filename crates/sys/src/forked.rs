//! Noticing that this process is a fork of another one.
//!
//! What is cached about the process or the thread (its id, its seat in the ledger) is wrong in a
//! forked child. `pthread_atfork(3)` tells us at every `fork`, whoever calls it; code that bypasses
//! libc with a raw `clone` is not noticed.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

static GENERATION: AtomicU32 = AtomicU32::new(0);
static HOOK: Once = Once::new();

/// What to call around a fork; each is called in the forking thread.
#[derive(Clone, Copy, Debug)]
pub struct Hooks {
    /// In the parent, before.
    pub prepare: fn(),
    /// In the parent, after; also when the fork failed.
    pub parent: fn(),
    /// In the child, which has this one thread only.
    pub child: fn(),
}

static HOOKS: std::sync::OnceLock<Hooks> = std::sync::OnceLock::new();

/// How many forks lie between the first process of this image and this one.
///
/// A value that differs from the one noted with a cached fact says that the fact is another
/// process's. One load, for hot paths; exact from the first call on.
#[inline]
pub fn generation() -> u32 {
    if !HOOK.is_completed() {
        hook();
    }
    GENERATION.load(Ordering::Relaxed)
}

/// Has `hooks` called around every fork from now on. The first caller's stay.
pub fn set_hooks(hooks: Hooks) {
    hook();
    let _ = HOOKS.set(hooks);
}

#[cold]
fn hook() {
    extern "C" fn prepare() {
        if let Some(hooks) = HOOKS.get() {
            (hooks.prepare)();
        }
    }
    extern "C" fn parent() {
        if let Some(hooks) = HOOKS.get() {
            (hooks.parent)();
        }
    }
    extern "C" fn child() {
        GENERATION.fetch_add(1, Ordering::Relaxed);
        if let Some(hooks) = HOOKS.get() {
            (hooks.child)();
        }
    }
    HOOK.call_once(|| {
        // SAFETY: pthread_atfork(3) keeps three function pointers, which are static.
        let result = unsafe { libc::pthread_atfork(Some(prepare), Some(parent), Some(child)) };
        assert_eq!(result, 0, "no memory to register three fork handlers");
    });
}
