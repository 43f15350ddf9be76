//! Which processor the caller runs on.

/// The number of the processor that ran this call; only a hint, it may be another one already.
///
/// Costs a few nanoseconds: libc reads it from the thread's rseq area or through the vDSO.
#[inline]
pub fn current() -> u32 {
    // SAFETY: sched_getcpu(3) takes nothing and touches no memory of ours.
    let cpu = unsafe { libc::sched_getcpu() };
    cpu.max(0) as u32
}
