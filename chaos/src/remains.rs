//! What is in the arena that was not there before: each block with its owner, so that the report of a
//! rare failure explains it.

use procession_shm::{BlockInfo, Family, Handle, MemberId, Owner};
use std::collections::BTreeSet;

/// The blocks that are in use at one moment.
#[derive(Debug)]
pub(crate) struct Inventory(BTreeSet<Handle>);

impl Inventory {
    pub(crate) fn take(family: &Family) -> Self {
        Self(family.arena().blocks().map(|block| block.handle).collect())
    }

    /// The blocks that have come since, and all members: a line each.
    pub(crate) fn added(&self, family: &Family) -> Vec<String> {
        let blocks = family.arena().blocks().filter(|block| !self.0.contains(&block.handle));
        let members = family.members().into_iter().map(|member| {
            let runs = if family.is_alive(member.id) { "runs" } else { "does not run" };
            let (name, pid, state) = (member.name, member.pid, member.state);
            format!("member {} {name:?}, process {pid}, which {runs}: {state:?}", seat(member.id))
        });
        blocks.map(|block| line(family, &block)).chain(members).collect()
    }
}

fn line(family: &Family, block: &BlockInfo) -> String {
    let owner = match block.owner {
        Owner::Counted => format!("counted, holders {}", block.refs),
        Owner::Member(word) => {
            let id = MemberId::from_word(word);
            format!("owned by member {}, which is {:?}", seat(id), family.state(id))
        }
        Owner::Object(object) => match family.nature(object) {
            Some((kind, _)) => format!("part of {} {kind:?}", name(object)),
            None => format!("part of {}, which is gone", name(object)),
        },
    };
    let BlockInfo { handle, kind, capacity, len, tag, .. } = *block;
    format!("block {} {kind:?}, {capacity} bytes ({len} used, tag {tag:#x}), {owner}", name(handle))
}

/// The place in the table and how often it was used before.
fn name(handle: Handle) -> String {
    let bits = handle.to_bits();
    format!("{}.{}", bits as u32, bits >> 32)
}

fn seat(id: MemberId) -> String {
    format!("{}.{}", id.seat(), id.to_word() >> 32)
}
