//! Families as a program reads them.

use super::{holder, id, kind, name, state};
use procession::inspect::{FamilyView, MemberView, ObjectView, Unreadable};
use std::fmt::Write;

/// One document: `{"families": […], "unreadable": […]}`. Bytes and seconds; `null` where there is none.
pub(super) fn document(families: &[Result<FamilyView, Unreadable>]) -> String {
    let readable = list(families.iter().flatten().map(one));
    let unreadable = families.iter().filter_map(|found| found.as_ref().err());
    let unreadable = list(unreadable.map(|Unreadable { pid, error, .. }| {
        format!("{{\"pid\":{pid},\"error\":{}}}", string(&error.to_string()))
    }));
    format!("{{\"families\":{readable},\"unreadable\":{unreadable}}}")
}

fn one(family: &FamilyView) -> String {
    let memory = &family.memory;
    format!(
        "{{\"id\":{},\"is_local\":{},\"used\":{},\"idle\":{},\"limit\":{},\"parcels\":{},\
         \"members\":{},\"objects\":{}}}",
        string(&id(family)),
        family.is_local,
        memory.used,
        memory.idle,
        memory.limit,
        memory.parcels,
        list(family.members.iter().map(member)),
        list(family.objects.iter().map(object)),
    )
}

fn member(member: &MemberView) -> String {
    let age = member.age.map_or("null".to_owned(), |age| age.as_secs_f64().to_string());
    let (name, state) = (string(name(member)), string(&state(member)));
    format!("{{\"pid\":{},\"name\":{name},\"state\":{state},\"age\":{age}}}", member.pid)
}

fn object(object: &ObjectView) -> String {
    let depth = object.depth.map_or("null".to_owned(), |depth| depth.to_string());
    let locked = match holder(object) {
        None => "null".to_owned(),
        Some(Ok(pid)) => pid.to_string(),
        Some(Err(words)) => string(words),
    };
    format!(
        "{{\"kind\":{},\"bytes\":{},\"holders\":{},\"depth\":{depth},\"locked_by\":{locked}}}",
        string(&kind(object)),
        object.bytes,
        object.holders,
    )
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn string(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            ' '.. => quoted.push(letter),
            control => write!(quoted, "\\u{:04x}", u32::from(control)).expect("a string takes all"),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_quotes_and_line_ends_stays_one_string() {
        assert_eq!(string("a \"b\"\\\n"), r#""a \"b\"\\\u000a""#);
    }
}
