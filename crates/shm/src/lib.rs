//! The memory that a family of processes shares, and the ledger of its members.
//!
//! | room | holds |
//! |---|---|
//! | [`shared`](Shared) | which types may lie in shared memory |
//! | [`RobustLock`], [`Gate`] | internal locks whose owner may be killed, and what is handed over under them |
//! | [`Seen`] | what a process knows of the other side of a queue without looking |
//! | [`OwnedLock`] | the word of the locks that users see |
//! | [`EventCount`] | sleeping until something has happened |
//! | [`Arena`] | one memfd, its blocks, who owns each |
//! | [`Family`] | an arena, this process's seat in it, its members, who holds what |
//!
//! The README beside this file has the parties, the steps, and what happens if one is killed at
//! each of them.
#![cfg_attr(
    not(loom),
    expect(unsafe_code, reason = "this floor reads and writes memory that other processes write")
)]

#[cfg(not(loom))]
mod arena;
mod commit;
#[cfg(not(loom))]
mod error;
mod event_count;
#[cfg(not(loom))]
mod family;
#[cfg(not(loom))]
mod gate;
#[cfg(all(test, loom))]
mod loom_models;
#[cfg(all(test, loom))]
mod loom_queue;
mod owned_lock;
mod robust_lock;
mod seen;
mod shared;

pub use commit::{Commit, Record};
pub use event_count::{EventCount, RECHECK, Ticket};
pub use owned_lock::{Given, OwnedLock, Taken};
pub use robust_lock::{RobustGuard, RobustLock};
pub use seen::Seen;
#[cfg(not(loom))]
pub use {
    arena::{Arena, Block, BlockInfo, Handle, Kind, Owner, Region, parse_size},
    error::Error,
    family::{
        Ended, Family, Held, MemberId, MemberInfo, MemberState, ObjectHead, adopt,
        call_around_forks, families, family, fork_as, inspect, join, joined, own_family,
    },
    gate::{CLAIM_SURE, Gate, GateGuard, Side},
    shared::Shared,
};
