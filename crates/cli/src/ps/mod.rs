//! Which families live on this host, and what they share.
//!
//! | room | holds |
//! |---|---|
//! | [`text`] | families as a person reads them |
//! | [`json`] | families as a program reads them |
//! | [`table`] | columns under each other |

mod json;
mod table;
mod text;

pub(crate) use text::bytes;

use crate::say;
use procession::inspect::{FamilyView, Holder, MemberView, ObjectView, families};
use std::error::Error;
use std::fmt;

/// Shows the families of this host.
pub(crate) fn run(as_json: bool) -> Result<(), Box<dyn Error>> {
    let families = families().map_err(|error| format!("cannot look into /proc: {error}"))?;
    if as_json {
        say!("{}", json::document(&families));
    } else {
        say!("{}", text::page(&families));
    }
    Ok(())
}

/// The name of a member; the first one of a family was given none.
fn name(member: &MemberView) -> &str {
    if member.name.is_empty() { "MainProcess" } else { &member.name }
}

/// In which state a member is; `lost` if it has died and nobody has noticed.
fn state(member: &MemberView) -> String {
    use procession::inspect::MemberState::{Alive, Dying};
    match member.state {
        Alive | Dying if !member.runs => "lost".to_owned(),
        state => lower(state),
    }
}

/// What kind of object it is.
fn kind(object: &ObjectView) -> String {
    lower(object.kind)
}

fn lower(word: impl fmt::Debug) -> String {
    format!("{word:?}").to_lowercase()
}

/// Who has a lock, as a number if it is a process.
fn holder(object: &ObjectView) -> Option<Result<u32, &'static str>> {
    object.locked_by.map(|holder| match holder {
        Holder::Process(pid) => Ok(pid),
        Holder::Gone => Err("a process that has ended"),
    })
}

/// What tells a family from others.
fn id(family: &FamilyView) -> String {
    format!("{:016x}", family.id)
}
