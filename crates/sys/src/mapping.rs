//! Memory without a name that processes can share: a memfd, mapped once.
//!
//! The kernel frees it with the last process that holds it; nothing has to be unlinked. The file's
//! length is sealed, so no holder can cut it under the others, and memory is committed with
//! `fallocate` before it is used: running out is an error there and never a SIGBUS later.

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};
use std::io;
use std::ptr::NonNull;

/// How many bytes the system gives and takes at a time: 4 KiB, and on aarch64 16 or 64 KiB as well.
#[must_use]
pub fn page_size() -> usize {
    rustix::param::page_size()
}

/// A memfd and its mapping. Dropping it unmaps and closes.
#[derive(Debug)]
pub struct Mapping {
    fd: OwnedFd,
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: the mapping is plain memory that belongs to this value; `base` is only an address, and
// what may be done with the bytes behind it is argued by whoever dereferences it.
unsafe impl Send for Mapping {}
// SAFETY: as for `Send`: no method writes through `base`.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Makes a memfd named `name` (seen in `/proc/PID/maps`) of `len` bytes, all of them a hole.
    ///
    /// # Errors
    /// `EMFILE` or `ENFILE` without a free descriptor, `ENOMEM` where the address space is limited
    /// (`ulimit -v`), `ENOSYS` or `EPERM` where memfd is not allowed.
    pub fn create(name: &str, len: usize) -> io::Result<Self> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let fd = rustix::fs::memfd_create(name, flags)?;
        rustix::fs::ftruncate(&fd, len as u64)?;
        rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Self::map(fd, len)
    }

    /// Maps the memfd that somebody else made.
    ///
    /// # Errors
    /// `InvalidData` if the descriptor is not a sealed memfd; else as [`Mapping::create`].
    pub fn open(fd: OwnedFd) -> io::Result<Self> {
        let seals = rustix::fs::fcntl_get_seals(&fd).unwrap_or(SealFlags::empty());
        if !seals.contains(SealFlags::SHRINK) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the descriptor is not a memfd whose size is sealed",
            ));
        }
        let len = rustix::fs::fstat(&fd)?.st_size as usize;
        Self::map(fd, len)
    }

    fn map(fd: OwnedFd, len: usize) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        let flags = MapFlags::SHARED | MapFlags::NORESERVE;
        // SAFETY: mmap(2) with a null hint and without MAP_FIXED places the mapping where nothing
        // else is mapped, so no memory that Rust knows of changes its meaning.
        let base =
            unsafe { rustix::mm::mmap(std::ptr::null_mut(), len, protection, flags, &fd, 0) }?;
        let base = NonNull::new(base.cast()).expect("mmap gives no null without MAP_FIXED");
        Ok(Self { fd, base, len })
    }

    /// The address of the first byte, aligned to a page.
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The length in bytes, most of it a hole.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Gives memory to the range, zeroed where it had none. Bytes; whole pages are committed.
    ///
    /// # Errors
    /// `ENOSPC` or `ENOMEM` if the system or its control group has no memory left.
    pub fn commit(&self, offset: usize, len: usize) -> io::Result<()> {
        loop {
            match rustix::fs::fallocate(
                &self.fd,
                FallocateFlags::empty(),
                offset as u64,
                len as u64,
            ) {
                Err(rustix::io::Errno::INTR) => {}
                result => return Ok(result?),
            }
        }
    }

    /// Gives the memory of the range back to the system; the range reads as zeros afterwards.
    ///
    /// # Errors
    /// Any error of `fallocate(2)` with `FALLOC_FL_PUNCH_HOLE`.
    pub fn punch(&self, offset: usize, len: usize) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        Ok(rustix::fs::fallocate(&self.fd, flags, offset as u64, len as u64)?)
    }
}

impl AsFd for Mapping {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: `base` and `len` are what mmap(2) returned, nobody else unmaps them, and a
        // reference into the mapping borrows `self`.
        let _ = unsafe { rustix::mm::munmap(self.base.as_ptr().cast(), self.len) };
    }
}
