//! A shared object that this process holds.

use super::{Family, ObjectHead};
use crate::arena::{Block, Handle};
use crate::{Region, Shared};

/// Keeps a shared object in being for as long as it lives.
///
/// # If a process dies
/// Whoever buries it lets go of all that it held; the object is freed when nobody is left.
///
/// # After fork
/// The child holds what the parent held.
#[derive(Debug)]
pub struct Held {
    family: &'static Family,
    block: Block,
}

impl Held {
    pub(super) fn new(family: &'static Family, block: Block) -> Self {
        Self { family, block }
    }

    /// The handle, to send to others.
    pub fn handle(&self) -> Handle {
        self.block.handle
    }

    /// The object's bytes.
    #[inline]
    pub fn region(&self) -> Region {
        self.block.region
    }

    /// The family it belongs to.
    #[inline]
    pub fn family(&self) -> &'static Family {
        self.family
    }

    /// The words at the beginning of the object.
    #[inline]
    pub fn head(&self) -> &'static ObjectHead {
        self.block.region.object(0)
    }

    /// The object's own words, which follow the head at `at`.
    #[inline]
    pub fn words<T: Shared>(&self, at: usize) -> &'static T {
        self.block.region.object(at)
    }

    /// A number for a type, from its name, size and alignment: what [`Family::attach`] compares.
    pub fn tag<T: ?Sized>(size: usize, align: usize) -> u32 {
        let mut hash = 0x811c_9dc5_u32;
        for byte in std::any::type_name::<T>().bytes() {
            hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
        for number in [size as u32, align as u32] {
            hash = (hash ^ number).wrapping_mul(0x0100_0193);
        }
        hash.max(1)
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        self.family
            .hold(self.block.handle, false)
            .expect("what this process holds already is in its own table");
        Self { family: self.family, block: self.block }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.family.let_go(self.block.handle);
    }
}
