//! What the host lacks.

use crate::ran::{Ran, run, run_with};
use procession_testkit::guard;
use std::process::Command;

fn finding<'a>(ran: &'a Ran, what: &str) -> &'a str {
    let found =
        ran.lines.iter().find(|line| line.get(10..).is_some_and(|line| line.starts_with(what)));
    found.unwrap_or_else(|| panic!("no finding about {what} in {ran:#?}"))
}

#[test]
fn doctor_is_content_with_a_host_on_which_these_tests_run() {
    let _guard = guard();
    let ran = run(&["doctor"]);
    assert_eq!((ran.code, ran.errors.as_str()), (Some(0), ""), "{ran:#?}");
    for what in ["shared memory", "pidfd", "start by zygote", "orphans"] {
        assert!(finding(&ran, what).starts_with("ok "), "{ran:#?}");
    }
}

#[test]
fn doctor_fails_where_a_family_cannot_have_memory_and_says_why() {
    let _guard = guard();
    let ran = run_with(&["doctor"], |command| {
        command.env("PROCESSION_ARENA", "much");
    });
    assert_eq!(ran.code, Some(1), "{ran:#?}");
    let finding = finding(&ran, "a family's memory");
    assert!(finding.starts_with("broken ") && finding.contains("\"much\""), "{ran:#?}");
}

#[test]
fn doctor_calls_few_descriptors_degraded_and_not_broken() {
    let _guard = guard();
    let ran = run_with(&["doctor"], |command| {
        let program = command.get_program().to_owned();
        let variables: Vec<_> = command
            .get_envs()
            .map(|(name, value)| (name.to_owned(), value.map(ToOwned::to_owned)))
            .collect();
        let mut limited = Command::new("sh");
        limited.args(["-c", "ulimit -n 64; exec \"$0\" doctor"]).arg(program);
        for (name, value) in variables {
            match value {
                Some(value) => limited.env(name, value),
                None => limited.env_remove(name),
            };
        }
        *command = limited;
    });
    assert_eq!(ran.code, Some(0), "{ran:#?}");
    assert!(finding(&ran, "descriptors").contains("at most 64"), "{ran:#?}");
    assert!(finding(&ran, "descriptors").starts_with("degraded "), "{ran:#?}");
}
