//! Bytes of a block, as seen by this process.

use crate::Shared;
use procession_sys::atomic::{AtomicU64, Ordering};
use procession_sys::bytes::Bytes;

/// A range of the arena: bounds-checked copies in and out, and words.
///
/// Other processes may write the same bytes; so nothing here is a reference to plain memory, except
/// where the caller owns the block alone ([`Region::lent`], [`Region::lent_mut`]).
#[derive(Clone, Copy, Debug)]
pub struct Region {
    base: *mut u8,
    len: usize,
}

// SAFETY: an address and a length in a mapping that lives as long as the process; every access
// through it is atomic or a byte copy.
unsafe impl Send for Region {}
// SAFETY: as for `Send`.
unsafe impl Sync for Region {}

impl Region {
    /// `base` must be the address of `len` mapped, committed bytes of the process's arena.
    pub(crate) fn new(base: *mut u8, len: usize) -> Self {
        Self { base, len }
    }

    pub(crate) fn address(self) -> usize {
        self.base.addr()
    }

    /// Length in bytes.
    #[inline]
    pub fn len(self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The part from `start` on, `len` bytes long.
    ///
    /// # Panics
    /// If it does not lie inside.
    pub fn part(self, start: usize, len: usize) -> Self {
        self.check(start, len);
        Self { base: self.base.wrapping_add(start), len }
    }

    /// Copies `bytes` to `at`.
    ///
    /// # Panics
    /// If they do not fit.
    #[inline]
    pub fn write(self, at: usize, bytes: &[u8]) {
        self.check(at, bytes.len());
        // SAFETY: the destination is inside the region, by the check; the source is a slice, and
        // shared memory that is reached by copies alone never overlaps a Rust slice.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.base.wrapping_add(at), bytes.len())
        }
    }

    /// As [`write`](Self::write), of bytes that somebody else may write meanwhile, or that lie in the arena
    /// themselves.
    ///
    /// # Panics
    /// As [`write`](Self::write).
    #[inline]
    pub fn write_bytes(self, at: usize, bytes: Bytes<'_>) {
        self.check(at, bytes.len());
        let to = self.base.wrapping_add(at);
        // SAFETY: the destination is inside the region, by the check; `as_ptr` is valid for reading that many
        // bytes. `copy` lets them overlap. If somebody writes the source meanwhile, as `Bytes::Moving`
        // says, the copy is a mixture.
        unsafe { std::ptr::copy(bytes.as_ptr(), to, bytes.len()) }
    }

    /// Copies from `at` into `bytes`.
    ///
    /// # Panics
    /// If there are not so many.
    #[inline]
    pub fn read(self, at: usize, bytes: &mut [u8]) {
        self.check(at, bytes.len());
        // SAFETY: as in `write`, the other way. Another process may write these bytes meanwhile; the
        // copy then holds a mixture, which every reader here validates or holds a lock against.
        unsafe {
            std::ptr::copy_nonoverlapping(
                self.base.wrapping_add(at),
                bytes.as_mut_ptr(),
                bytes.len(),
            )
        }
    }

    /// Appends `len` bytes from `at` on to `bytes`.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn read_to_vec(self, at: usize, len: usize, bytes: &mut Vec<u8>) {
        self.check(at, len);
        bytes.reserve(len);
        let start = bytes.len();
        let room = bytes.spare_capacity_mut().as_mut_ptr().cast::<u8>();
        // SAFETY: as in `read`; `reserve` made room for `len` bytes.
        unsafe { std::ptr::copy_nonoverlapping(self.base.wrapping_add(at), room, len) };
        // SAFETY: `len` bytes from `start` on were written just now.
        unsafe { bytes.set_len(start + len) };
    }

    /// The 64-bit word at `at`.
    ///
    /// # Panics
    /// If it is not inside, or not aligned to 8.
    #[inline]
    pub fn word(self, at: usize) -> u64 {
        self.object::<AtomicU64>(at).load(Ordering::Relaxed)
    }

    /// Sets the 64-bit word at `at`.
    ///
    /// # Panics
    /// As [`Region::word`].
    #[inline]
    pub fn set_word(self, at: usize, value: u64) {
        self.object::<AtomicU64>(at).store(value, Ordering::Relaxed);
    }

    /// The shared object at `at`.
    ///
    /// # Panics
    /// If it is not inside, or not aligned.
    #[inline]
    pub fn object<T: Shared>(self, at: usize) -> &'static T {
        self.check(at, size_of::<T>());
        assert!((self.base.addr() + at).is_multiple_of(align_of::<T>()), "misaligned object");
        // SAFETY: inside the region by the check, so mapped for the life of the process and
        // committed; aligned by the assertion; `T: Shared` takes any bits and any change by others.
        unsafe { &*self.base.wrapping_add(at).cast::<T>() }
    }

    /// The `count` shared objects from `at` on.
    ///
    /// # Panics
    /// If they are not all inside, or not aligned.
    pub fn objects<T: Shared>(self, at: usize, count: usize) -> &'static [T] {
        let bytes = count.checked_mul(size_of::<T>()).expect("a length that fits memory");
        self.check(at, bytes);
        assert!((self.base.addr() + at).is_multiple_of(align_of::<T>()), "misaligned objects");
        let first = self.base.wrapping_add(at).cast::<T>();
        // SAFETY: "valid for reads of `len * size_of::<T>()` bytes", "properly aligned": all of them
        // are inside the region by the check, so mapped for the life of the process and committed,
        // and the first is aligned by the assertion. "Not mutated ... except inside an
        // `UnsafeCell`": `T: Shared` is changed by atomics only, by whichever process.
        unsafe { std::slice::from_raw_parts(first, count) }
    }

    /// Fills the region with zeros.
    pub fn clear(self) {
        // SAFETY: the region is `len` mapped bytes; concurrent readers copy or load atomically.
        unsafe { std::ptr::write_bytes(self.base, 0, self.len) }
    }

    /// The bytes themselves, without copying.
    ///
    /// The caller owns the block, or holds the lock that every user of this library takes before it
    /// writes there. That no other process of the family breaks that rule cannot be proved here; it
    /// is what the family trusts its members with, as with any mapped file.
    pub fn lent<T: zerocopy::FromBytes + zerocopy::Immutable>(&self, count: usize) -> &[T] {
        self.check_elements::<T>(count);
        // SAFETY: inside and aligned by the check; `T: FromBytes` takes any bits; nobody writes
        // while the borrow lives, by the rule above.
        unsafe { std::slice::from_raw_parts(self.base.cast::<T>(), count) }
    }

    /// The bytes themselves, to change in place; the rule of [`Region::lent`] holds.
    pub fn lent_mut<T: zerocopy::FromBytes + zerocopy::IntoBytes>(
        &mut self,
        count: usize,
    ) -> &mut [T] {
        self.check_elements::<T>(count);
        // SAFETY: inside and aligned by the check; `T` takes any bits and has no padding; nobody
        // else reads or writes while the borrow lives, by the rule of `lent`.
        unsafe { std::slice::from_raw_parts_mut(self.base.cast::<T>(), count) }
    }

    fn check_elements<T>(&self, count: usize) {
        let bytes = count.checked_mul(size_of::<T>()).expect("a length that fits memory");
        self.check(0, bytes);
        assert!(self.base.addr().is_multiple_of(align_of::<T>()), "misaligned elements");
    }

    #[inline]
    fn check(self, at: usize, len: usize) {
        assert!(
            at <= self.len && len <= self.len - at,
            "{len} bytes at {at} do not fit a block of {} bytes",
            self.len
        );
    }
}
