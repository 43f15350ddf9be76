//! What one can do with a process: wait for it, end it, ask for its name.

use crate::{by, read_pid, read_stdin, wait_for_ever};
use procession_ipc::Queue;
use procession_process::{Error, Signal, active_children, current_process, parent_process};
use procession_sys::{Deadline, poll};
use procession_testkit::family::Member;
use procession_testkit::wait_until;
use std::io::Write;
use std::time::Duration;

for_each_method! {
    join_that_times_out_can_be_repeated
    terminate_ends_it_with_sigterm_and_may_come_late
    another_thread_can_kill_what_one_joins
    sentinel_is_readable_when_it_has_ended_and_not_before
    child_knows_its_name_and_its_parent
    names_count_and_nest
    children_are_listed_until_they_end
    dropped_handle_leaves_no_zombie
    what_a_killed_child_held_is_returned
    many_run_at_a_time
}

fn join_that_times_out_can_be_repeated(m: u8) {
    let (reader, mut writer) = std::io::pipe().expect("pipe");
    let process = by(m).stdin(reader).spawn(|()| read_stdin(), ()).expect("spawn");
    let error = process.join_timeout(Duration::ZERO).expect_err("still runs");
    assert!(error.is_timeout(), "{error:?}");
    assert!(process.join_timeout(Duration::from_millis(30)).is_err_and(|error| error.is_timeout()));
    assert!(process.is_alive());
    assert_eq!(process.exitcode(), None);
    writer.write_all(b"go\n").expect("write");
    drop(writer);
    assert_eq!(process.join().expect("join"), "go\n");
}

fn terminate_ends_it_with_sigterm_and_may_come_late(m: u8) {
    let process = by(m).spawn(wait_for_ever, ()).expect("spawn");
    process.terminate().expect("terminate");
    let error = process.join().expect_err("terminated");
    assert!(matches!(error, Error::Killed { signal: Signal::TERM, .. }), "{error:?}");
    assert_eq!(process.exitcode(), Some(-15));
    process.terminate().expect("nothing to terminate is no error");
    process.kill().expect("nothing to kill is no error");
}

fn another_thread_can_kill_what_one_joins(m: u8) {
    let process = by(m).spawn(wait_for_ever, ()).expect("spawn");
    std::thread::scope(|scope| {
        let joins = [scope.spawn(|| process.join()), scope.spawn(|| process.join())];
        process.kill().expect("kill");
        let errors = joins.map(|join| join.join().expect("no panic").expect_err("killed"));
        assert!(errors.iter().any(|error| matches!(error, Error::Killed { .. })), "{errors:?}");
        assert!(errors.iter().any(|error| matches!(error, Error::Taken { .. })), "{errors:?}");
    });
    assert_eq!(process.exitcode(), Some(-9));
}

fn sentinel_is_readable_when_it_has_ended_and_not_before(m: u8) {
    let process = by(m).spawn(wait_for_ever, ()).expect("spawn");
    assert!(!poll::readable(process.sentinel(), Deadline::now()).expect("poll"));
    process.kill().expect("kill");
    assert!(poll::readable(process.sentinel(), Deadline::never()).expect("poll"));
    assert_eq!(process.exitcode(), Some(-9), "who sees the sentinel sees the code");
}

fn child_knows_its_name_and_its_parent(m: u8) {
    let process = by(m).name("worker").daemon(true).spawn(
        |()| {
            let (me, parent) = (current_process(), parent_process().expect("a parent"));
            let parent = (parent.name().to_owned(), parent.pid(), parent.is_alive());
            (me.name().to_owned(), me.pid(), me.is_daemon(), parent)
        },
        (),
    );
    let process = process.expect("spawn");
    assert_eq!((process.name(), process.is_daemon()), ("worker", true));
    let me = current_process();
    let parent = (me.name().to_owned(), me.pid(), true);
    assert_eq!(process.join().expect("join"), ("worker".to_owned(), process.pid(), true, parent));
}

fn names_count_and_nest(m: u8) {
    let mine = current_process().name().to_owned();
    let outer = by(m).spawn(
        |m| {
            let inner = by(m).spawn(|()| current_process().name().to_owned(), ()).expect("spawn");
            inner.join().expect("join")
        },
        m,
    );
    let outer = outer.expect("spawn");
    assert_eq!(outer.name(), format!("{mine}:1"));
    assert_eq!(outer.join().expect("join"), format!("{mine}:1:1"));
    assert_eq!(by(m).spawn(|()| (), ()).expect("spawn").name(), format!("{mine}:2"));
}

fn children_are_listed_until_they_end(m: u8) {
    assert!(active_children().is_empty());
    let one = by(m).name("one").spawn(wait_for_ever, ()).expect("spawn");
    let two = by(m).name("two").spawn(wait_for_ever, ()).expect("spawn");
    let names =
        || active_children().iter().map(|child| child.name().to_owned()).collect::<Vec<_>>();
    assert_eq!(names(), ["one", "two"]);
    one.kill().expect("kill");
    one.join().expect_err("killed");
    assert_eq!(names(), ["two"]);
    active_children()[0].kill().expect("kill");
    assert!(matches!(two.join(), Err(Error::Killed { .. })));
    assert!(names().is_empty());
}

fn dropped_handle_leaves_no_zombie(m: u8) {
    let pids: Vec<i32> = (0..4).map(|_| by(m).spawn(|()| (), ()).expect("spawn").pid()).collect();
    wait_until("the children have gone", || {
        active_children().is_empty()
            && pids.iter().all(|pid| Member::read(*pid).is_none_or(|child| !child.is_zombie()))
    });
}

fn what_a_killed_child_held_is_returned(m: u8) {
    let family = procession_shm::family().expect("family");
    by(m).spawn(|()| (), ()).expect("spawn").join().expect("join");
    let blocks = || family.arena().blocks().count();
    let seats = || family.members().iter().filter(|member| member.name == "holder").count();
    let before = blocks();
    for _ in 0..3 {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        let process = by(m).name("holder").stdout(writer).spawn(
            |()| {
                let _held: Vec<_> = (0..5).map(|_| Queue::<u8>::new().expect("queue")).collect();
                println!("{}", std::process::id());
                wait_for_ever(());
            },
            (),
        );
        let process = process.expect("spawn");
        read_pid(&mut reader);
        assert_eq!(seats(), 1);
        process.kill().expect("kill");
        process.join().expect_err("killed");
        drop(process);
        assert_eq!(seats(), 0);
    }
    // Other tests of this program come and go in the same arena, with fewer blocks than were held.
    wait_until("the queues have gone", || blocks() <= before + 5);
}

fn many_run_at_a_time(m: u8) {
    let all: Vec<_> = (0..40_u64).map(|n| by(m).spawn(|n| n * n, n).expect("spawn")).collect();
    for (n, process) in (0..).zip(all) {
        assert_eq!(process.join().expect("join"), n * n);
    }
}
