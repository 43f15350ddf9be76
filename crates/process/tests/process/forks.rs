//! `fork` beside threads, and what a forked process has of its parent's.

use crate::{by, in_child};
use procession_process::{Error, Process, active_children};
use procession_sys::Deadline;
use procession_sys::pidfd::Pidfd;
use procession_testkit::guard;
use std::io::{Read, Write};

#[test]
fn fork_beside_threads_is_refused() {
    // The guard's watchdog is a thread. The harness has none where there is one processor.
    let _guard = guard();
    let error = procession_process::fork().expect_err("refused");
    assert!(matches!(error, procession_process::ForkError::Threads));
    let error = by(2).spawn(|()| (), ()).expect_err("refused");
    assert!(matches!(error, Error::Fork(_)), "{error:?}");
    assert!(error.to_string().contains("threads"), "{error}");
}

#[test]
fn forked_process_starts_its_own_children_and_cannot_join_its_parents() {
    in_child(
        |_| {
            let before = Process::spawn(|()| 5, ()).expect("spawn");
            let (mut reader, mut writer) = std::io::pipe().expect("pipe");
            match procession_process::fork().expect("fork") {
                procession_process::Fork::Child => {
                    let refused = matches!(before.join(), Err(Error::NotParent { .. }));
                    let own = Process::spawn(|x| x + 1, 1).expect("spawn").join().expect("join");
                    write!(writer, "{refused} {own} {}", active_children().len()).expect("write");
                    procession_sys::leave::leave(0);
                }
                procession_process::Fork::Parent(pid) => {
                    drop(writer);
                    let child = Pidfd::open(pid).expect("pidfd");
                    let mut said = String::new();
                    reader.read_to_string(&mut said).expect("read");
                    assert_eq!(said, "true 2 0");
                    assert!(
                        child
                            .reap(Deadline::never())
                            .expect("reap")
                            .is_some_and(|end| end.success())
                    );
                    assert_eq!(before.join().expect("join"), 5);
                }
            }
        },
        0,
    );
}
