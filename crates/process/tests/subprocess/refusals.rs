//! What cannot be started, and how that is told.

use crate::{Folder, MIB, run_alone};
use procession_process::subprocess::{Command, Error, Redirect, SpawnError, call, check_output};
use procession_testkit::guard;

#[test]
fn a_missing_program_is_named_with_where_it_was_looked_for() {
    let _guard = guard();
    let missing = Command::new("no-such-program").env("PATH", "/nowhere:/bin").spawn();
    let error = missing.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, SpawnError::MissingProgram { .. }), "{error:?}");
    assert!(said.contains("`no-such-program`") && said.contains("/nowhere:/bin"), "{said}");
    let error = call("/no/such/program").unwrap_err();
    assert!(error.to_string().starts_with("cannot start `/no/such/program`: no such program"));
    for name in ["", "./", "no/"] {
        assert!(matches!(call(name), Err(Error::Spawn(_))), "{name:?}");
    }
    let nothing = Command::from_iter(std::iter::empty::<&str>()).spawn();
    assert!(matches!(nothing, Err(SpawnError::MissingProgram { .. })));
}

#[test]
fn a_missing_directory_is_not_taken_for_a_missing_program() {
    let _guard = guard();
    let folder = Folder::new("cwd");
    for bad in [folder.0.join("gone"), folder.file("file", "", 0o644)] {
        for program in ["true", "/bin/true", "no-such-program-at-all/x"] {
            let error = Command::new(program).cwd(&bad).spawn().unwrap_err();
            let SpawnError::Cwd { cwd, .. } = &error else { panic!("{error:?}") };
            assert_eq!(cwd, &bad);
            assert!(error.to_string().contains("create the directory"), "{error}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_executed_is_told_apart_by_its_reason() {
    let _guard = guard();
    let folder = Folder::new("files");
    let plain = folder.file("plain", "#!/bin/sh\n", 0o644);
    let error = Command::new(&plain).spawn().unwrap_err();
    assert!(matches!(error, SpawnError::NotExecutable { .. }), "{error:?}");
    assert!(error.to_string().contains("chmod +x"));
    let error = Command::new("plain").env("PATH", &folder.0).spawn().unwrap_err();
    assert!(matches!(error, SpawnError::NotExecutable { .. }), "{error:?}");
    let error = Command::new(&folder.0).spawn().unwrap_err();
    assert!(matches!(error, SpawnError::NotExecutable { .. }), "{error:?}");
    let lost = folder.file("lost", "#!/no/interpreter\n", 0o755);
    let error = Command::new(&lost).spawn().unwrap_err();
    assert!(matches!(error, SpawnError::MissingInterpreter { .. }), "{error:?}");
    let odd = folder.file("odd", "echo no first line\n", 0o755);
    let error = Command::new(&odd).spawn().unwrap_err();
    assert!(matches!(error, SpawnError::UnknownFormat { .. }), "{error:?}");
}

#[test]
fn a_zero_byte_is_refused_where_the_kernel_would_cut() {
    let _guard = guard();
    for command in [
        Command::new("tr\0ue"),
        Command::new("true").arg("a\0b"),
        Command::new("true").env("A", "\0"),
        Command::new("true").cwd("/\0"),
    ] {
        let error = command.spawn().unwrap_err();
        assert!(matches!(error, SpawnError::ZeroByte { .. }), "{error:?}");
    }
    let error = Command::new("true").env("A=B", "").spawn().unwrap_err();
    assert!(matches!(error, SpawnError::EnvironmentName { .. }), "{error:?}");
}

#[test]
fn arguments_that_are_too_long_are_a_typed_error() {
    let _guard = guard();
    let error = Command::new("true").arg("x".repeat(MIB)).spawn().unwrap_err();
    assert!(matches!(error, SpawnError::TooLong { .. }), "{error:?}");
}

/// Runs in a process of its own, started by the test below.
#[test]
#[ignore = "wants a process with few descriptors"]
fn few_descriptors() {
    let mut children = Vec::new();
    let error = loop {
        match Command::new("sleep").arg("1000").capture_output().stdin(Redirect::Pipe).spawn() {
            Ok(child) => children.push(child),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SpawnError::NoDescriptors { .. }), "{error:?}");
    assert!(error.to_string().contains("ulimit -n"), "{error}");
    assert!(children.len() > 5, "{} children", children.len());
    for child in &children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    children.clear();
    assert_eq!(check_output(["echo", "again"]).unwrap(), b"again\n");
}

#[test]
fn running_out_of_descriptors_is_a_typed_error_and_passes() {
    let _guard = guard();
    run_alone("ulimit -n 64; exec", "refusals::few_descriptors");
}
