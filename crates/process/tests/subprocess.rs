//! Other programs as children. Every test is guarded: it must end, and leave no process, no zombie
//! and no descriptor.

use procession_process::subprocess::{
    Command, Error, Group, Pipeline, Popen, Redirect, Signal, SpawnError, TimeoutExpired, call,
    check_call, check_output, run,
};
use procession_testkit::{guard, wait_until};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write, pipe};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const MIB: usize = 1 << 20;
const SHORT: Duration = Duration::from_millis(50);

/// The text of a shell that starts a grandchild which keeps the pipes, and says its pid.
const KEEP_PIPES: &str = "sleep 1000 & echo $!";

struct Grandchild(i32);

impl Grandchild {
    fn from_line(line: &[u8]) -> Self {
        Self(String::from_utf8_lossy(line).trim().parse().expect("a pid"))
    }

    fn runs(&self) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0)).unwrap_or_default();
        let state = stat.rsplit(')').next().and_then(|rest| rest.trim().chars().next());
        state.is_some_and(|state| state != 'Z')
    }
}

impl Drop for Grandchild {
    fn drop(&mut self) {
        let _ = call(["kill", "-9", &self.0.to_string()]);
    }
}

/// Runs it with more and more time until it has written something before its time was over.
fn run_until_it_speaks(command: impl Fn() -> Command) -> TimeoutExpired {
    let mut timeout = Duration::from_millis(250);
    loop {
        let Err(Error::Timeout(expired)) = run(command().timeout(timeout)) else {
            panic!("no timeout")
        };
        if !expired.stdout.is_empty() {
            return expired;
        }
        timeout *= 2;
    }
}

/// Runs an ignored test of this file in a process of its own, which the shell text `with` starts.
fn run_alone(with: &str, test: &str) {
    let script = format!(r#"{with} "$0" --ignored --exact {test}"#);
    let myself = std::env::current_exe().unwrap();
    let done = run(Command::shell(script).arg(myself).capture_output()).unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        // As `pwd` says it.
        let parent = std::env::temp_dir().canonicalize().unwrap();
        let path = parent.join(format!("subprocess-{name}-{}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn noise(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn is_in_proc(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn piped(script: &str) -> Popen {
    let command = Command::shell(script).capture_output().stdin(Redirect::Pipe);
    command.spawn().unwrap()
}

#[test]
fn ten_mebibytes_pass_through_cat_in_both_directions() {
    let _guard = guard();
    let sent = noise(10 * MIB);
    let done = run(Command::new("cat").capture_output().input(sent.clone())).unwrap();
    assert!(done.stdout == sent, "{} of {} bytes", done.stdout.len(), sent.len());
    assert!(done.status.success() && done.stderr.is_empty());
}

#[test]
fn both_outputs_are_read_at_once() {
    let _guard = guard();
    let script =
        "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero; head -c 99 /dev/zero >&2";
    let done = run(Command::shell(script).capture_output()).unwrap();
    assert_eq!((done.stdout.len(), done.stderr.len()), (3_000_000, 3_000_099));
}

#[test]
fn a_child_that_ignores_its_input_is_no_error() {
    let _guard = guard();
    let done = run(Command::new("true").input(noise(MIB))).unwrap();
    assert!(done.status.success());
    let done = run(Command::shell("exec <&-; echo here").capture_output().input(noise(MIB)));
    assert_eq!(done.unwrap().stdout, b"here\n");
}

#[test]
fn a_child_that_closes_its_pipes_is_still_waited_for() {
    let _guard = guard();
    let child = piped("exec <&- >&- 2>&-; kill -STOP $$; exit 5");
    wait_until("it has closed its pipes and stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
        stat.contains(") T ")
    });
    let error = child.communicate_timeout([], SHORT).unwrap_err();
    assert!(error.is_timeout());
    child.send_signal(Signal::CONT).unwrap();
    assert_eq!(child.communicate([]).unwrap().returncode(), 5);
}

#[test]
fn a_grandchild_that_keeps_the_pipe_is_not_waited_for() {
    let _guard = guard();
    let output = check_output(Command::shell(KEEP_PIPES).stderr(Redirect::Pipe)).unwrap();
    let grandchild = Grandchild::from_line(&output);
    assert!(grandchild.runs());
}

#[test]
fn a_grandchild_that_writes_without_end_is_not_waited_for() {
    let _guard = guard();
    let output =
        check_output(Command::shell("echo 1; yes & echo $! >&2; exit 0").stderr_to_stdout());
    let output = output.unwrap();
    let number = |line: &&str| line.parse::<i32>().is_ok_and(|pid| pid != 1);
    let text = String::from_utf8_lossy(&output).into_owned();
    let pid = text.lines().find(number).expect("a pid").to_owned();
    let grandchild = Grandchild::from_line(pid.as_bytes());
    wait_until("SIGPIPE has ended it", || !grandchild.runs());
}

#[test]
fn at_the_timeout_a_grandchild_that_keeps_the_pipe_is_not_waited_for() {
    let _guard = guard();
    let script = format!("{KEEP_PIPES}; exec sleep 1000");
    let expired = run_until_it_speaks(|| Command::shell(&script).capture_output());
    assert!(expired.killed);
    let grandchild = Grandchild::from_line(&expired.stdout);
    assert!(grandchild.runs());
}

#[test]
fn at_the_timeout_the_group_of_a_leader_is_killed() {
    let _guard = guard();
    let script = format!("{KEEP_PIPES}; exec sleep 1000");
    for group in [Group::New, Group::NewSession] {
        let command = || Command::shell(&script).capture_output().group(group);
        let expired = run_until_it_speaks(command);
        let grandchild = Grandchild::from_line(&expired.stdout);
        wait_until("the grandchild is killed with its group", || !grandchild.runs());
    }
}

#[test]
fn a_timeout_gives_what_was_read_and_the_child_goes_on() {
    let _guard = guard();
    let child = piped("echo out; echo err >&2; read line; echo \"$line\"; read line; echo last");
    let stdin = child.take_stdin();
    let mut stdin = stdin.unwrap();
    wait_until("both lines have come", || {
        let Err(Error::Timeout(expired)) = child.communicate_timeout([], SHORT) else {
            panic!("it has ended")
        };
        assert!(!expired.killed);
        expired.stdout == b"out\n" && expired.stderr == b"err\n"
    });
    assert_eq!(child.poll().unwrap(), None);
    stdin.write_all(b"more\n").unwrap();
    drop(stdin);
    let done = child.communicate([]).unwrap();
    assert_eq!((done.stdout, done.stderr), (b"out\nmore\nlast\n".to_vec(), b"err\n".to_vec()));
}

#[test]
fn input_that_a_timeout_left_unsent_is_sent_by_the_next_call() {
    let _guard = guard();
    let sent = noise(MIB);
    let child = piped("kill -STOP $$; exec cat");
    assert!(child.communicate_timeout(sent.clone(), SHORT).unwrap_err().is_timeout());
    wait_until("it has stopped", || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
        stat.contains(") T ")
    });
    child.send_signal(Signal::CONT).unwrap();
    let done = child.communicate(*b"and more").unwrap();
    assert!(done.stdout == [sent, b"and more".to_vec()].concat());
}

#[test]
fn a_child_that_writes_without_end_is_ended_by_the_timeout() {
    let _guard = guard();
    let expired = run_until_it_speaks(|| Command::new("yes").stdout(Redirect::Pipe));
    assert!(expired.stdout.starts_with(b"y\ny\n"));
}

#[test]
fn a_pipe_that_is_taken_after_a_timeout_waits_for_data() {
    let _guard = guard();
    let child = piped("read line; echo \"$line\"");
    let mut stdin = child.take_stdin().unwrap();
    assert!(child.communicate_timeout([], Duration::ZERO).unwrap_err().is_timeout());
    let stdout = child.take_stdout().unwrap();
    let reader = std::thread::spawn(move || BufReader::new(stdout).lines().next());
    stdin.write_all(b"late\n").unwrap();
    assert_eq!(reader.join().unwrap().unwrap().unwrap(), "late");
    assert!(child.wait().unwrap().success());
}

#[test]
fn errors_merged_into_output_keep_their_order() {
    let _guard = guard();
    let script = "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done";
    let output = check_output(Command::shell(script).stderr_to_stdout()).unwrap();
    let expected: String = (1..10).map(|i| format!("o{i}\ne{i}\n")).collect();
    assert_eq!(String::from_utf8(output).unwrap(), expected);
}

#[test]
fn a_killed_child_has_a_negative_returncode() {
    let _guard = guard();
    for (signal, code) in [(Signal::KILL, -9), (Signal::TERM, -15), (Signal::USR1, -10)] {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        assert_eq!((child.poll().unwrap(), child.returncode()), (None, None));
        child.send_signal(signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.signal(), status.exitcode()), (Some(signal), code));
        assert_eq!(child.returncode(), Some(code));
        assert_eq!(child.wait_timeout(Duration::ZERO).unwrap(), status);
        child.kill().unwrap();
    }
}

#[test]
fn a_child_can_be_killed_while_another_thread_communicates_with_it() {
    let _guard = guard();
    let child = piped("echo up; exec sleep 1000");
    let done = std::thread::scope(|scope| {
        let talk = scope.spawn(|| child.communicate([]));
        let wait = scope.spawn(|| child.wait());
        child.kill().unwrap();
        assert_eq!(wait.join().unwrap().unwrap().exitcode(), -9);
        talk.join().unwrap().unwrap()
    });
    assert_eq!(done.status.signal(), Some(Signal::KILL));
}

#[test]
fn wait_timeout_says_that_the_child_still_runs() {
    let _guard = guard();
    let child = Command::new("sleep").arg("1000").spawn().unwrap();
    let error = child.wait_timeout(SHORT).unwrap_err();
    let said = error.to_string();
    assert_eq!(said, "`sleep 1000` did not end within 50ms; it goes on, wait again or kill it");
    child.terminate().unwrap();
    assert_eq!(child.wait().unwrap().exitcode(), -15);
}

#[test]
fn waiting_closes_the_stdin_that_nobody_took() {
    let _guard = guard();
    let child = Command::new("cat").stdin(Redirect::Pipe).spawn().unwrap();
    assert!(child.wait_timeout(SHORT).unwrap_err().is_timeout());
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_sentinel_is_readable_from_the_end_of_the_child_on() {
    let _guard = guard();
    use procession_sys::Deadline;
    use procession_sys::ready::{Watch, wait};
    let child = piped("read line");
    let look = |deadline| wait(&mut [Watch::readable(child.sentinel())], deadline).unwrap();
    assert_eq!(look(Deadline::now()), 0);
    drop(child.take_stdin());
    assert_eq!(look(Deadline::never()), 1);
    assert!(child.poll().unwrap().is_some());
    assert_eq!(look(Deadline::now()), 1);
}

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

#[test]
fn the_child_gets_the_environment_that_was_asked_for() {
    let _guard = guard();
    let only = Command::new("env").env("LOST", "1").env_clear().env("A", "1").env("B", "x=y");
    assert_eq!(check_output(only).unwrap(), b"A=1\nB=x=y\n");
    let all = check_output(Command::new("env").env("A", "1").env_remove("HOME")).unwrap();
    let all = String::from_utf8(all).unwrap();
    let has = |start: &str| all.lines().any(|line| line.starts_with(start));
    assert!(has("A=1") && has("PATH=") && !has("HOME="), "{all}");
}

#[test]
fn a_relative_program_is_meant_from_the_childs_directory() {
    let _guard = guard();
    let folder = Folder::new("relative");
    folder.file("here", "#!/bin/sh\npwd\n", 0o755);
    let output = check_output(Command::new("./here").cwd(&folder.0)).unwrap();
    assert_eq!(String::from_utf8(output).unwrap().trim(), folder.0.to_str().unwrap());
    let output = check_output(Command::new("here").cwd(&folder.0).env("PATH", "."));
    assert!(output.is_ok(), "{output:?}");
}

#[test]
fn streams_lead_to_files_and_to_nowhere() {
    let _guard = guard();
    let folder = Folder::new("streams");
    let from = folder.file("from", "text\n", 0o644);
    let to = folder.0.join("to");
    let command = Command::shell("cat; echo lost >&2").stdin(File::open(from).unwrap());
    let command = command.stdout(File::create(&to).unwrap()).stderr(Redirect::Null);
    check_call(command).unwrap();
    assert_eq!(std::fs::read(to).unwrap(), b"text\n");
    assert_eq!(check_output(Command::new("cat").stdin(Redirect::Null)).unwrap(), b"");
}

#[test]
fn an_end_of_a_pipe_given_to_a_child_stays_with_nobody_else() {
    let _guard = guard();
    let (mut read, write) = pipe().unwrap();
    let child = Command::new("echo").arg("x").stdout(write).spawn().unwrap();
    let mut said = String::new();
    read.read_to_string(&mut said).unwrap();
    assert_eq!(said, "x\n");
    child.wait().unwrap();
}

#[test]
fn a_child_starts_with_sigpipe_at_its_default_and_nothing_blocked() {
    let _guard = guard();
    let status = check_output(["cat", "/proc/self/status"]).unwrap();
    let status = String::from_utf8(status).unwrap();
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        u64::from_str_radix(line.expect(name).trim(), 16).unwrap()
    };
    let bit = |signal: Signal| 1 << (signal.as_raw() - 1);
    assert_eq!(mask("SigIgn:") & (bit(Signal::PIPE) | bit(Signal::XFSZ)), 0);
    assert_eq!(mask("SigBlk:"), 0);
}

#[test]
fn a_child_inherits_no_descriptor_of_ours_but_its_three() {
    let _guard = guard();
    let start = || {
        let child = Command::new("sleep").arg("1000").capture_output().stdin(Redirect::Pipe);
        child.spawn().unwrap()
    };
    let open = |child: &Popen| {
        let open = std::fs::read_dir(format!("/proc/{}/fd", child.pid())).unwrap();
        let mut open: Vec<_> = open.map(|entry| entry.unwrap().file_name()).collect();
        open.sort();
        open
    };
    // What this process was started with is not ours, and may be passed on.
    let first = start();
    let (_read, _write) = pipe().unwrap();
    let second = start();
    // The kernel lets the parent go on a moment before it closes what is close-on-exec.
    wait_until("both have the same", || open(&first) == open(&second));
    for child in [first, second] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_child_leads_its_group_or_session_if_asked() {
    let _guard = guard();
    let ids = |group| {
        let child = Command::new("sleep").arg("1000").group(group).spawn().unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.pid())).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        let ids = stat.rsplit(") ").next().unwrap().split(' ').skip(2).take(2);
        let mut ids = ids.map(|id| id.parse::<i32>().unwrap() == child.pid());
        (ids.next().unwrap(), ids.next().unwrap())
    };
    assert_eq!(ids(Group::Parent), (false, false));
    assert_eq!(ids(Group::New), (true, false));
    assert_eq!(ids(Group::NewSession), (true, true));
}

#[test]
fn the_group_is_signalled_also_after_its_leader_was_reaped() {
    let _guard = guard();
    let child = Command::shell(KEEP_PIPES).capture_output().group(Group::New).spawn().unwrap();
    let done = child.communicate([]).unwrap();
    let grandchild = Grandchild::from_line(&done.stdout);
    assert!(grandchild.runs());
    child.send_signal_group(Signal::KILL).unwrap();
    wait_until("the grandchild is killed", || !grandchild.runs());
}

#[test]
fn a_failure_carries_status_and_both_outputs() {
    let _guard = guard();
    let command = Command::shell("echo out; echo why >&2; exit 3").stderr(Redirect::Pipe);
    let Err(Error::CalledProcess(failed)) = check_output(command) else { panic!("no error") };
    assert_eq!(failed.status.code(), Some(3));
    assert_eq!(
        (failed.stdout.as_slice(), failed.stderr.as_slice()),
        (&b"out\n"[..], &b"why\n"[..])
    );
    assert!(failed.to_string().ends_with("exited with code 3: why"), "{failed}");
    assert_eq!(run("false").unwrap().returncode(), 1);
}

#[test]
fn input_without_a_pipe_is_refused() {
    let _guard = guard();
    let child = Command::new("cat").stdin(Redirect::Null).spawn().unwrap();
    let error = child.communicate("lost").unwrap_err();
    assert!(matches!(error, Error::NoStdin { .. }), "{error:?}");
    assert!(child.communicate([]).is_ok());
    assert!(child.wait().unwrap().success());
}

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

#[test]
fn a_dropped_child_is_reaped_when_the_next_one_starts() {
    let _guard = guard();
    let child = piped("read line");
    let (pid, stdin) = (child.pid(), child.take_stdin());
    drop(child);
    assert!(is_in_proc(pid));
    drop(stdin);
    wait_until("the dropped child is gone", || {
        call("true").unwrap();
        !is_in_proc(pid)
    });
    let child = Command::new("true").spawn().unwrap();
    let pid = child.pid();
    let watch = &mut [procession_sys::ready::Watch::readable(child.sentinel())];
    procession_sys::ready::wait(watch, procession_sys::Deadline::never()).unwrap();
    drop(child);
    assert!(!is_in_proc(pid), "a child that had ended is reaped by the drop itself");
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
    run_alone("ulimit -n 64; exec", "few_descriptors");
}

/// Runs in a process of its own, started by the test below.
#[test]
#[ignore = "wants a process that ignores SIGCHLD"]
fn sigchld_is_ignored() {
    let error = call("true").unwrap_err();
    let lost = matches!(error, Error::StatusLost { .. });
    let gone = matches!(error, Error::Spawn(SpawnError::NotWatched { .. }));
    assert!(lost || gone, "{error:?}");
    assert!(error.to_string().contains("SIGCHLD"), "{error}");
}

#[test]
fn a_status_that_the_kernel_threw_away_is_a_typed_error() {
    let _guard = guard();
    run_alone("exec env --ignore-signal=CHLD", "sigchld_is_ignored");
}

/// Runs in a process of its own, started by the test below.
#[test]
#[ignore = "wants a process without stdin"]
fn stdin_is_closed() {
    // The pipes get the numbers of the streams that they are to become in the child.
    let done = run(Command::new("cat").capture_output().input("through")).unwrap();
    assert_eq!(done.stdout, b"through");
}

#[test]
fn pipes_that_have_the_numbers_of_streams_reach_the_child() {
    let _guard = guard();
    run_alone("exec <&-; exec", "stdin_is_closed");
    run_alone("exec <&- 2>&-; exec", "stdin_is_closed");
}
