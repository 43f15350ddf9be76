//! Looking at the families of a host from outside: what `procession ps` shows.
//!
//! ```
//! let queue = procession::Queue::new()?;
//! queue.put(&1)?;
//! let families = procession::inspect::families()?;
//! let depths = families.iter().flatten().flat_map(|family| &family.objects).map(|object| object.depth);
//! assert!(depths.into_iter().any(|depth| depth == Some(1)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use procession_shm::inspect::{
    FamilyView, Holder, MemberView, MemoryView, ObjectView, Unreadable, families,
};
pub use procession_shm::{Error, Kind, MemberState};
