//! Several programs, each reading what the one before it writes.

use crate::{MIB, SHORT, noise};
use procession_process::subprocess::{Command, Error, Pipeline, Redirect, SpawnError};
use procession_testkit::guard;

#[test]
fn a_pipeline_moves_mebibytes_from_end_to_end() {
    let _guard = guard();
    let sent = noise(3 * MIB);
    let done =
        Pipeline::new(["cat"]).pipe(["cat"]).pipe(Command::new("cat").stdout(Redirect::Pipe));
    let done = done.input(sent.clone()).run().unwrap().check_returncodes().unwrap();
    assert!(done.stdout == sent);
    assert_eq!(done.statuses.len(), 3);
}

#[test]
fn a_writer_without_end_is_ended_by_the_end_of_its_reader() {
    let _guard = guard();
    let head = Command::new("head").args(["-n", "2"]).stdout(Redirect::Pipe);
    let done = Pipeline::new("yes").pipe("cat").pipe(head).run().unwrap();
    assert_eq!(done.stdout, b"y\ny\n");
    let codes: Vec<_> = done.statuses.iter().map(|status| status.exitcode()).collect();
    assert_eq!(codes, [-13, -13, 0]);
    assert!(done.check_returncodes().is_ok());
}

#[test]
fn a_pipeline_says_which_command_failed() {
    let _guard = guard();
    let broken = Command::shell("cat; echo broken >&2; exit 4").stderr(Redirect::Pipe);
    let last = Command::new("cat").stdout(Redirect::Pipe);
    let done = Pipeline::new(["echo", "x"]).pipe(broken).pipe(last).run().unwrap();
    let failed = done.check_returncodes().unwrap_err();
    assert_eq!((failed.status.code(), failed.stderr), (Some(4), b"broken\n".to_vec()));
    assert_eq!(failed.stdout, b"x\n");
}

#[test]
fn a_pipeline_with_a_missing_program_leaves_nothing_running() {
    let _guard = guard();
    let pipeline = Pipeline::new(["sleep", "1000"]).pipe("no-such-program").pipe("cat");
    let error = pipeline.run().unwrap_err();
    assert!(matches!(error, Error::Spawn(SpawnError::MissingProgram { .. })), "{error:?}");
}

#[test]
fn a_pipeline_that_takes_too_long_is_killed() {
    let _guard = guard();
    let first = Command::shell("echo x; exec sleep 1000");
    let last = Command::new("cat").stdout(Redirect::Pipe);
    let error = Pipeline::new(first).pipe(last).timeout(SHORT).run();
    let Err(Error::Timeout(expired)) = error else { panic!("no timeout") };
    assert!(expired.killed);
    let said = expired.to_string();
    assert!(said.starts_with("`/bin/sh -c 'echo x; exec sleep 1000' '|' cat` did not"), "{said}");
}
