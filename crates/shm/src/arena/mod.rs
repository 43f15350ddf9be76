//! One memfd, cut into blocks, each of which has an owner.
//!
//! The whole reservation is mapped once; memory is committed block by block. A *descriptor* says of
//! each block where it lies, whether it is in use, and **who owns it**: that word is what survives a
//! crash. The free lists beside it are a cache, rebuilt from the descriptors by whoever takes the
//! arena's lock after its owner died with it.
//!
//! Owner of a block: a member (nobody else knows of it; freed when the member is buried), another
//! block (part of a shared object; freed with it), or *counted* (a shared object; freed when the
//! last member that holds it lets go).

mod alloc;
mod classes;
mod descriptor;
mod layout;
mod region;

pub use alloc::BlockInfo;
pub(crate) use descriptor::{COUNTED, Descriptor, HOLDS};
pub use descriptor::{Handle, Kind, Owner};
pub use layout::parse_size;
pub(crate) use layout::{Header, MEMBERS, Member};
pub use region::Region;

use crate::{Error, Shared};
use layout::{Layout, MAGIC};
use procession_sys::mapping::Mapping;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::Ordering;

/// The shared memory of a family.
#[derive(Debug)]
pub struct Arena {
    mapping: Mapping,
    layout: Layout,
}

/// A block that a caller may use: its handle and where its bytes are.
#[derive(Clone, Copy, Debug)]
pub struct Block {
    /// Names the block everywhere in the family.
    pub handle: Handle,
    /// Its bytes.
    pub region: Region,
}

impl Arena {
    /// Makes an arena.
    pub(crate) fn create() -> Result<Self, Error> {
        let limit = layout::limit()?;
        let layout = Layout::new(layout::reservation(limit));
        let mapping = Mapping::create("procession", layout.len).map_err(|source| {
            Error::System { attempted: "make", remedy: remedy(&source), source }
        })?;
        mapping
            .commit(0, layout.first_pages())
            .map_err(|source| Error::OutOfMemory { wanted: layout.first_pages() as u64, source })?;
        let arena = Self { mapping, layout };
        arena.header().init(&arena.layout, limit);
        Ok(arena)
    }

    /// Maps an arena that another member made.
    pub(crate) fn open(fd: OwnedFd) -> Result<Self, Error> {
        let mapping = Mapping::open(fd).map_err(|source| Error::System {
            attempted: "map",
            remedy: remedy(&source),
            source,
        })?;
        let arena = Self { layout: Layout::new(mapping.len()), mapping };
        let header = arena.header();
        if header.magic.load(Ordering::Acquire) != MAGIC {
            return Err(foreign("its magic", MAGIC, header.magic.load(Ordering::Relaxed)));
        }
        let hash = header.layout_hash.load(Ordering::Relaxed);
        if hash != layout::HASH {
            return Err(foreign("layout", layout::HASH, hash));
        }
        Ok(arena)
    }

    /// The memfd, to hand to another process.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.mapping.as_fd()
    }

    /// A number that tells this arena from others.
    pub fn id(&self) -> u64 {
        self.header().id.load(Ordering::Relaxed)
    }

    pub(crate) fn header(&self) -> &'static Header {
        self.at(0).expect("the header is inside every mapping")
    }

    /// Where the seat's entry ends in the file.
    pub(crate) fn member_end(&self, seat: usize) -> u64 {
        (self.layout.members + (seat + 1) * size_of::<Member>()) as u64
    }

    pub(crate) fn member(&self, seat: usize) -> Option<&'static Member> {
        (seat > 0 && seat < MEMBERS)
            .then(|| self.at(self.layout.members + seat * size_of::<Member>()))?
    }

    pub(crate) fn descriptor(&self, index: u32) -> Option<&'static Descriptor> {
        if index == 0 || index as usize >= layout::BLOCKS {
            return None;
        }
        self.at(self.layout.descriptors + index as usize * size_of::<Descriptor>())
    }

    /// The words at `offset`, if they lie inside the arena and are aligned.
    ///
    /// The arena of a process is never unmapped, so the reference stays good even when the block is
    /// freed; its words then belong to somebody else.
    pub(crate) fn at<T: Shared>(&self, offset: usize) -> Option<&'static T> {
        let end = offset.checked_add(size_of::<T>())?;
        if end > self.mapping.len() || !offset.is_multiple_of(align_of::<T>()) {
            return None;
        }
        // SAFETY: `offset` is inside the mapping, by the check above.
        let address = unsafe { self.mapping.base().add(offset) };
        // SAFETY: the address is aligned (the base is a page) and `size_of::<T>()` bytes from it are
        // mapped for the life of the process (a family that was joined is leaked, and an arena that
        // is given up before that has lent its header and seats to nobody); `T: Shared` makes every
        // bit pattern a value and every change by others an atomic one. That the memory is
        // committed is the caller's part: an offset comes from a descriptor in use.
        Some(unsafe { address.cast::<T>().as_ref() })
    }
}

fn foreign(what: &str, expected: u64, found: u64) -> Error {
    Error::ForeignArena {
        expected: format!("{what} {expected:#x}"),
        found: format!("{what} {found:#x}"),
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    match error.raw_os_error() {
        Some(libc_errno::EMFILE | libc_errno::ENFILE) => {
            "no descriptor is free: close some or raise the limit (ulimit -n)"
        }
        // valgrind, which has few addresses to give, says EINVAL.
        Some(libc_errno::ENOMEM | libc_errno::EINVAL) => {
            "the address space is limited: raise the limit (ulimit -v) or set PROCESSION_ARENA to a \
             smaller size, such as 64M"
        }
        Some(libc_errno::ENOSYS | libc_errno::EPERM) => {
            "this system does not allow memfd_create; see `procession doctor`"
        }
        _ => "see `procession doctor`",
    }
}

use procession_sys::errno as libc_errno;
