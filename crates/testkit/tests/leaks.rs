//! The leak check must see what it claims to see.

use procession_testkit::{LeakCheck, watchdog};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const AT_ONCE: Duration = Duration::ZERO;

fn cat() -> std::process::Child {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_running_child_and_the_pipe_to_it_are_left() {
    let check = LeakCheck::take();
    let mut child = cat();
    let left = check.left_after(AT_ONCE).join("\n");
    assert!(left.contains(&format!("process {}, child of", child.id())), "{left}");
    assert!(left.contains("pipe:["), "{left}");
    drop(child.stdin.take());
    child.wait().unwrap();
    check.check();
}

#[test]
fn a_child_that_nobody_reaps_is_left_as_a_zombie() {
    let check = LeakCheck::take();
    let mut child = cat();
    child.kill().unwrap();
    drop(child.stdin.take());
    let zombie = format!("zombie {}, child of", child.id());
    procession_testkit::wait_until("the child is a zombie", || {
        check.left_after(AT_ONCE).iter().any(|left| left.starts_with(&zombie))
    });
    child.wait().unwrap();
}

#[test]
fn a_child_that_is_about_to_be_reaped_is_waited_for() {
    let check = LeakCheck::take();
    let mut child = cat();
    let (start, reaped) = std::sync::mpsc::channel::<()>();
    let reaper = std::thread::spawn(move || {
        reaped.recv().unwrap();
        drop(child.stdin.take());
        child.wait().unwrap();
    });
    start.send(()).unwrap();
    check.check();
    reaper.join().unwrap();
}

#[test]
fn a_memfd_is_left_until_it_is_closed() {
    let check = LeakCheck::take();
    let memory = rustix::fs::memfd_create("testkit", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    assert!(check.left_after(AT_ONCE)[0].contains("/memfd:testkit"));
    drop(memory);
    assert_eq!(check.left_after(AT_ONCE), [""; 0]);
}

#[test]
fn a_name_in_shared_memory_is_left_until_it_is_removed() {
    let check = LeakCheck::take();
    let name = format!("/dev/shm/procession-testkit-{}", std::process::id());
    std::fs::write(&name, "").unwrap();
    let left = check.left_after(AT_ONCE);
    std::fs::remove_file(&name).unwrap();
    assert!(left.contains(&format!("name {name}")), "{left:?}");
}

#[test]
fn a_name_with_the_number_of_another_program_is_no_leak_of_this_one() {
    let check = LeakCheck::take();
    // The first process is of no test's family.
    let name = format!("/dev/shm/procession-testkit-{}-of-1", std::process::id());
    std::fs::write(&name, "").unwrap();
    let left = check.left_after(AT_ONCE);
    std::fs::remove_file(&name).unwrap();
    assert!(!left.contains(&format!("name {name}")), "{left:?}");
}

#[test]
fn what_is_allowed_is_no_leak() {
    let mut check = LeakCheck::take();
    check.allow("/memfd:testkit-allowed");
    let name = "testkit-allowed";
    let _memory = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    check.check();
}

#[test]
fn what_was_made_before_the_snapshot_is_no_leak() {
    let mut child = None;
    let check = LeakCheck::take_after(|| child = Some(cat()));
    assert_eq!(check.left_after(AT_ONCE), [""; 0]);
    let mut child = child.unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    check.check();
}

#[test]
#[ignore = "the victim of a test below"]
fn hangs() {
    let mut child = cat();
    let _watchdog = watchdog(Duration::from_millis(50));
    println!("child {}", child.id());
    // Never ends by itself: the standard input of the child stays open.
    let _ = child.stdin.take().map(std::mem::ManuallyDrop::new);
    child.wait().unwrap();
}

#[test]
#[ignore = "the victim of a test below"]
fn runs_in_a_circle() {
    let _watchdog = watchdog(Duration::from_millis(50));
    while std::hint::black_box(true) {}
}

#[test]
#[ignore = "runs in a process of its own, for the test below"]
fn runs_for_a_long_time() {
    let _watchdog = watchdog(Duration::from_secs(2));
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(3) {}
}

/// Runs the ignored test of this name; its signal, if it was ended by one, and what it said.
fn alone(name: &str) -> (Option<i32>, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command.args(["--exact", name, "--ignored"]).output().unwrap();
    (output.status.signal(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_test_that_runs_in_a_circle_is_ended_in_the_end() {
    let _check = LeakCheck::take();
    let (signal, text) = alone("runs_in_a_circle");
    assert_eq!(signal, Some(6), "{text}");
}

#[test]
fn a_test_that_needs_a_processor_for_a_long_time_is_not_taken_to_hang() {
    let _check = LeakCheck::take();
    let (signal, text) = alone("runs_for_a_long_time");
    assert_eq!(signal, None, "{text}");
}

#[test]
fn a_test_that_hangs_is_ended_with_its_children_and_shows_them() {
    let _check = LeakCheck::take();
    let (signal, text) = alone("hangs");
    assert_eq!(signal, Some(6), "{text}");
    assert!(text.contains("watchdog: `hangs` has not ended after 50ms"), "{text}");
    assert!(text.contains(": cat\n"), "{text}");
}
