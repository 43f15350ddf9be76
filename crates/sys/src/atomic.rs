//! The one door through which atomics come: the standard library's, or loom's under `--cfg loom`.

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

/// Orders every store before it with every load after it, where the last store before it was a
/// read-modify-write instruction.
///
/// On x86-64 such an instruction is a full barrier by itself (Intel SDM vol. 3, 9.2.3.9: "locked
/// instructions have a total order"), so only the compiler is held back; elsewhere, and under loom,
/// this is `fence(SeqCst)`.
#[inline(always)]
pub fn fence_after_rmw() {
    #[cfg(all(target_arch = "x86_64", not(loom)))]
    std::sync::atomic::compiler_fence(Ordering::SeqCst);
    #[cfg(not(all(target_arch = "x86_64", not(loom))))]
    fence(Ordering::SeqCst);
}

/// Keeps the compiler from moving a later store before an earlier one.
///
/// Whoever takes over from a process that was killed between the two finds the first then, and not the second alone.
/// The processor needs no telling: what was executed before the end is all there.
#[inline(always)]
pub fn in_order_for_heirs() {
    std::sync::atomic::compiler_fence(std::sync::atomic::Ordering::SeqCst);
}

/// Tells the processor that the caller spins.
#[inline(always)]
pub fn spin_hint() {
    #[cfg(loom)]
    loom::thread::yield_now();
    #[cfg(not(loom))]
    std::hint::spin_loop();
}
