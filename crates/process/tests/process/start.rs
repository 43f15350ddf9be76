//! Starts that are killed half-way, and many at a time.

use crate::{by, in_child, print_both, read_stdin, wait_for_ever};
use procession_process::{Error, Process, Signal, StartMethod, active_children};
use procession_shm::family;
use procession_sys::pidfd::Pidfd;
use procession_sys::{Deadline, environment};
use procession_testkit::family::{Member, descendants};
use procession_testkit::wait_until;
use std::io::Read;

#[test]
fn children_of_a_killed_zygote_live_on_and_the_next_start_works() {
    in_child(
        |_| {
            let (reader, writer) = std::io::pipe().expect("pipe");
            let process =
                Process::builder().stdin(reader).spawn(|()| read_stdin(), ()).expect("spawn");
            let doomed = Process::spawn(wait_for_ever, ()).expect("spawn");
            let zygote = Member::read(process.pid()).expect("it runs").parent;
            assert_ne!(zygote, std::process::id() as i32);
            let zygote = Pidfd::open(zygote).expect("pidfd");
            zygote.send_signal(Signal::KILL).expect("kill");
            assert!(zygote.wait_ended(Deadline::never()).expect("wait"));

            let next = Process::spawn(|x| x + 1, 1).expect("a new zygote");
            assert_eq!(next.join().expect("join"), 2);
            assert!(process.is_alive());
            drop(writer);
            assert_eq!(process.join().expect("the result is there"), "");
            doomed.kill().expect("kill");
            match doomed.join().expect_err("killed") {
                Error::Killed { signal: Signal::KILL, .. } => {
                    assert_eq!(doomed.exitcode(), Some(-9))
                }
                Error::Lost { .. } => assert_eq!(doomed.exitcode(), Some(255)),
                other => panic!("{other:?}"),
            }
            assert!(active_children().is_empty());
        },
        0,
    );
}

/// Arms a crash point in the processes that this one starts from now on, and only in new images.
fn arm_in_images(point: &str) {
    assert!(environment::change(&[("PROCESSION_CRASH".into(), Some(point.into()))]));
}

#[test]
fn start_is_repeated_when_the_zygote_is_killed_in_it() {
    in_child(
        |_| {
            for point in [
                "start.zygote.forked:2",
                "start.zygote.answered:1",
                "start.zygote.reaped:2",
                "start.zygote.buried:1",
            ] {
                arm_in_images(point);
                let (mut reader, writer) = std::io::pipe().expect("pipe");
                for expected in 1..4 {
                    let stdout = writer.try_clone().expect("clone");
                    let process = Process::builder().stdout(stdout).spawn(
                        |x| {
                            print_both("x");
                            x
                        },
                        expected,
                    );
                    match process.expect("spawn").join() {
                        Ok(got) => assert_eq!(got, expected),
                        Err(error) => panic!("{point}: {error}"),
                    }
                }
                drop(writer);
                let mut runs = String::new();
                reader.read_to_string(&mut runs).expect("read");
                assert_eq!(runs, "xxx", "each function ran once; {point}");
            }
        },
        0,
    );
}

#[test]
fn start_that_can_never_succeed_is_an_error() {
    in_child(
        |_| {
            arm_in_images("start.zygote.hello");
            let error =
                Process::spawn(|()| (), ()).and_then(|it| it.join()).expect_err("no zygote");
            assert!(matches!(error, Error::Start { .. }), "{error:?}");
        },
        0,
    );
}

#[test]
fn a_zygote_that_is_killed_before_it_is_ready_is_followed_by_another() {
    in_child(
        |_| {
            arm_in_images("ledger.adopt.before_alive:1:stop");
            let stopped = || {
                let mut found = None;
                wait_until("a zygote has stopped", || {
                    found = descendants().into_iter().find(|it| it.state == 'T');
                    found.is_some()
                });
                Pidfd::open(found.expect("one that has stopped").pid).expect("its pidfd")
            };
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let first = stopped();
                    first.send_signal(Signal::KILL).expect("kill");
                    first.wait_ended(Deadline::never()).expect("its end");
                    stopped().send_signal(Signal::CONT).expect("continue");
                });
                let process = Process::spawn(|x| x + 1, 1).expect("another zygote");
                assert_eq!(process.join().expect("join"), 2);
            });
        },
        0,
    );
}

#[test]
fn child_that_is_killed_at_any_step_is_told() {
    in_child(
        |_| {
            let steps = [
                "start.child.bound",
                "start.child.before_call",
                "start.child.before_result",
                "start.child.before_hand_over",
                "start.child.result",
            ];
            for method in [0, 1] {
                for step in steps {
                    // In an image of its own, and therefore in its children.
                    let host = Process::builder().start_method(StartMethod::Exec);
                    let host = host.spawn(
                        |(method, step): (u8, String)| {
                            arm_in_images(&step);
                            let used = || family().expect("a family").arena().usage().0;
                            let before = used();
                            let process = by(method).spawn(|x| x + 1, 1).expect("spawn");
                            let joined = process.join();
                            let exitcode = process.exitcode();
                            drop(process);
                            // What tests before this one had may go back, too.
                            wait_until("its memory is back", || used() <= before);
                            (format!("{joined:?}"), exitcode)
                        },
                        (method, step.to_owned()),
                    );
                    let (joined, exitcode) = host.expect("spawn").join().expect("join");
                    assert_eq!(exitcode, Some(-9), "{step}");
                    match step {
                        "start.child.result" => assert_eq!(joined, "Ok(2)"),
                        _ => assert!(joined.contains("Killed"), "{step}: {joined}"),
                    }
                }
            }
        },
        0,
    );
}

#[test]
fn parent_that_is_killed_at_any_step_leaves_nothing() {
    in_child(
        |_| {
            for step in ["start.parent.reserved", "start.parent.requested"] {
                arm_in_images(step);
                let host = Process::builder().start_method(StartMethod::Exec).spawn(
                    |()| Process::spawn(wait_for_ever, ()).expect("never").join().expect("never"),
                    (),
                );
                let error = host.expect("spawn").join().expect_err("killed");
                assert!(
                    matches!(error, Error::Killed { signal: Signal::KILL, .. }),
                    "{step}: {error:?}"
                );
            }
            // The guard finds whatever is left.
        },
        0,
    );
}

#[test]
fn threads_start_processes_at_the_same_time() {
    in_child(
        |_| {
            std::thread::scope(|scope| {
                for thread in 0..4_u32 {
                    scope.spawn(move || {
                        for n in 0..10 {
                            let process =
                                Process::spawn(|(a, b)| a * b, (thread, n)).expect("spawn");
                            assert_eq!(process.join().expect("join"), thread * n);
                        }
                    });
                }
            });
        },
        0,
    );
}
