//! What the kernel does for a thread that dies with a lock: the robust list.
//!
//! A thread registers one list head with the kernel (libc does it). When the thread ends, the
//! kernel looks at the words that the head names; a word that holds the thread's id gets the bit
//! [`OWNER_DIED`], and one sleeper is woken. The head has a slot for the lock that is just being
//! taken or given back, `list_op_pending`, and the kernel treats that slot like an entry of the
//! list. This module keeps a word in the slot for as long as it is locked, so no list is linked at
//! all: two stores per lock, and **at most one such lock per thread at a time**.
//!
//! Source: Linux `Documentation/locking/robust-futex-ABI.rst`, `kernel/futex/core.c`
//! (`handle_futex_death`). After fork the child has another thread id, which is read anew.

use crate::atomic::AtomicU32;

/// Bits of the word that hold the owner's thread id.
pub const TID_MASK: u32 = 0x3fff_ffff;
/// Set by the kernel in a word whose owner died.
pub const OWNER_DIED: u32 = 0x4000_0000;
/// Set in a word by whoever is about to sleep on it.
pub const WAITERS: u32 = 0x8000_0000;

#[cfg(not(loom))]
pub use kernel::{hold, let_go, thread_id};
#[cfg(loom)]
pub use model::{hold, let_go, thread_id};

#[cfg(not(loom))]
mod kernel {
    use super::AtomicU32;
    use std::cell::Cell;
    use std::sync::atomic::{Ordering, compiler_fence};

    /// `struct robust_list_head` of `<linux/futex.h>`.
    #[repr(C)]
    struct Head {
        list: *mut Head,
        futex_offset: libc::c_long,
        pending: Cell<usize>,
    }

    #[derive(Clone, Copy)]
    struct Thread {
        head: *const Head,
        offset: usize,
        id: u32,
        generation: u32,
    }

    thread_local! {
        static THREAD: Cell<Thread> = const {
            Cell::new(Thread { head: std::ptr::null(), offset: 0, id: 0, generation: u32::MAX })
        };
    }

    /// The calling thread's kernel id, right after fork too.
    #[inline]
    pub fn thread_id() -> u32 {
        this_thread().id
    }

    /// Names `word` to the kernel as held by this thread, from before it is taken, and returns the
    /// thread's id, which is what the word must hold.
    ///
    /// # Panics
    /// In debug builds, if the thread holds one already.
    #[inline]
    pub fn hold(word: &AtomicU32) -> u32 {
        let thread = this_thread();
        let entry = std::ptr::from_ref(word).addr().wrapping_sub(thread.offset);
        // SAFETY: `head` is this thread's registered list head, which lives until the thread ends.
        let head = unsafe { &*thread.head };
        debug_assert_eq!(head.pending.get(), 0, "a thread holds one internal lock at a time");
        head.pending.set(entry);
        compiler_fence(Ordering::SeqCst);
        thread.id
    }

    /// Ends what [`hold`] began, after the word was given back.
    #[inline]
    pub fn let_go() {
        compiler_fence(Ordering::SeqCst);
        // SAFETY: as in `hold`, which came before.
        let head = unsafe { &*THREAD.get().head };
        head.pending.set(0);
    }

    #[inline]
    fn this_thread() -> Thread {
        let thread = THREAD.get();
        if thread.generation == crate::forked::generation() { thread } else { register() }
    }

    #[cold]
    fn register() -> Thread {
        let generation = crate::forked::generation();
        let head = registered_head();
        // SAFETY: the kernel or `registered_head` vouches for the head of this thread.
        let offset = unsafe { (*head).futex_offset } as usize;
        let id = rustix::thread::gettid().as_raw_nonzero().get() as u32;
        let thread = Thread { head, offset, id, generation };
        THREAD.set(thread);
        thread
    }

    /// The head that libc registered for this thread, or one of our own where libc has none yet
    /// (musl registers at the first robust mutex).
    fn registered_head() -> *const Head {
        let mut head: *const Head = std::ptr::null();
        let mut len = 0_usize;
        // SAFETY: get_robust_list(2) with pid 0 writes a pointer and a length to the two addresses.
        unsafe {
            libc::syscall(libc::SYS_get_robust_list, 0, &raw mut head, &raw mut len);
        }
        if !head.is_null() {
            return head;
        }
        let own = Box::leak(Box::new(Head {
            list: std::ptr::null_mut(),
            futex_offset: 0,
            pending: Cell::new(0),
        }));
        own.list = std::ptr::from_mut(own);
        // SAFETY: set_robust_list(2) keeps the address; the head is leaked, so it outlives the
        // thread, and an empty list points to itself as the ABI asks.
        unsafe {
            libc::syscall(libc::SYS_set_robust_list, std::ptr::from_ref(own), size_of::<Head>());
        }
        own
    }
}

#[cfg(loom)]
mod model {
    use super::AtomicU32;
    use std::hash::{Hash, Hasher};

    /// A number for the model's thread.
    pub fn thread_id() -> u32 {
        let mut hasher = std::hash::DefaultHasher::new();
        loom::thread::current().id().hash(&mut hasher);
        (hasher.finish() as u32 & 0xffff) | 1
    }

    /// The model's threads die by calling what the kernel would do.
    pub fn hold(_word: &AtomicU32) -> u32 {
        thread_id()
    }

    /// Nothing to let go of in a model.
    pub fn let_go() {}
}
