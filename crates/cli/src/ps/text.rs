//! Families as a person reads them.

use super::table::Table;
use super::{holder, id, kind, name, state};
use procession::inspect::{FamilyView, MemberView, MemoryView, ObjectView, Unreadable};
use std::time::Duration;

/// More objects of a family than this are counted, not listed.
const MANY: usize = 200;

/// All families, or that there is none.
pub(super) fn page(families: &[Result<FamilyView, Unreadable>]) -> String {
    if families.is_empty() {
        return "no family of procession that you may look into lives on this host".to_owned();
    }
    let families = families.iter().map(|found| match found {
        Ok(family) => one(family),
        Err(Unreadable { pid, error, .. }) => format!("family of process {pid}: {error}\n"),
    });
    families.collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn one(family: &FamilyView) -> String {
    let mut text = format!("family {}: {}\n", id(family), memory(&family.memory));
    if !family.is_local {
        text += "  of another PID namespace: its processes have other numbers here\n";
    }
    text += &members(&family.members);
    if !family.objects.is_empty() {
        text += "\n";
        text += &objects(&family.objects);
    }
    text
}

fn memory(memory: &MemoryView) -> String {
    let MemoryView { used, idle, limit, .. } = *memory;
    format!("{} in use, {} idle, limit {}", bytes(used), bytes(idle), bytes(limit))
}

fn members(members: &[MemberView]) -> String {
    let mut table = Table::new(["PID", "NAME", "STATE", "FOR"]);
    for member in members {
        let pid = if member.pid == 0 { "-".to_owned() } else { member.pid.to_string() };
        let age = member.age.map_or("-".to_owned(), duration);
        table.add([pid, name(member).to_owned(), state(member), age]);
    }
    table.to_string()
}

fn objects(objects: &[ObjectView]) -> String {
    let mut table = Table::new(["OBJECT", "SIZE", "HOLDERS", "DEPTH", "LOCKED BY"]);
    for object in objects.iter().take(MANY) {
        let depth = object.depth.map_or("-".to_owned(), |depth| depth.to_string());
        let locked = match holder(object) {
            None => "-".to_owned(),
            Some(Ok(pid)) => pid.to_string(),
            Some(Err(words)) => words.to_owned(),
        };
        table.add([kind(object), bytes(object.bytes), object.holders.to_string(), depth, locked]);
    }
    match objects.len().saturating_sub(MANY) {
        0 => table.to_string(),
        more => format!("{table}  and {more} more: --json lists all\n"),
    }
}

/// `3.2 MiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let mut number = bytes as f64;
    let mut unit = "B";
    for next in units {
        if number < 1024.0 {
            break;
        }
        (number, unit) = (number / 1024.0, next);
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{number:.1} {unit}") }
}

/// `3d 2h`, `2h 5m`, `5m 12s`, `12.3s`.
fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match seconds {
        0..60 => format!("{:.1}s", time.as_secs_f64()),
        60..3600 => format!("{minutes}m {}s", seconds % 60),
        3600..86400 => format!("{hours}h {}m", minutes % 60),
        _ => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_have_the_unit_that_fits() {
        assert_eq!([bytes(96), bytes(1536), bytes(5 << 30)], ["96 B", "1.5 KiB", "5.0 GiB"]);
        let times = [1, 61, 3700, 90_000].map(|seconds| duration(Duration::from_secs(seconds)));
        assert_eq!(times, ["1.0s", "1m 1s", "1h 1m", "1d 1h"]);
    }
}
