//! What `Process` promises, for every start method.
//!
//! Each entry of the list runs in a process of its own, which has one thread (as `fork` demands) and whose
//! environment, directory and streams it may change.

use std::io::{PipeReader, Read, Write};
use std::os::fd::AsFd;
use std::time::Duration;

use procession_ipc::Queue;
use procession_process::{
    Error, Process, ProcessBuilder, Signal, StartMethod, Stdio, active_children, current_process,
    parent_process,
};
use procession_shm::family;
use procession_sys::pidfd::Pidfd;
use procession_sys::stdio::{Stream, replace};
use procession_sys::{Deadline, environment, poll};
use procession_testkit::family::{Member, descendants};
use procession_testkit::{guard, wait_until};

const METHODS: [StartMethod; 3] = [StartMethod::Zygote, StartMethod::Exec, StartMethod::Fork];

/// A process of the method under test.
fn by(method: u8) -> ProcessBuilder {
    Process::builder().start_method(METHODS[usize::from(method)])
}

/// Runs an entry of the list in a process of its own and checks that nothing is left of it.
fn in_child(entry: fn(u8), method: u8) {
    // The zygote and its descriptors belong to the whole test program.
    Process::spawn(|()| (), ()).expect("spawn").join().expect("join");
    let _guard = guard();
    if let Err(error) = Process::spawn(entry, method).expect("spawn").join() {
        panic!("{error}\n{}", error.panic().and_then(|panic| panic.backtrace()).unwrap_or(""));
    }
}

macro_rules! for_each_method {
    ($($name:ident)*) => {
        mod zygote { $(#[test] fn $name() { super::in_child(super::list::$name, 0); })* }
        mod exec { $(#[test] fn $name() { super::in_child(super::list::$name, 1); })* }
        mod fork { $(#[test] fn $name() { super::in_child(super::list::$name, 2); })* }
    };
}

for_each_method! {
    result_of_the_function_comes_back_typed
    large_arguments_and_results_arrive_whole
    panic_comes_back_with_message_location_and_backtrace
    signal_is_an_error_with_its_name
    code_of_an_early_exit_is_an_error
    error_of_the_function_is_a_value_like_any_other
    arguments_that_cannot_be_decoded_are_refused
    result_that_cannot_be_encoded_is_an_error
    join_that_times_out_can_be_repeated
    terminate_ends_it_with_sigterm_and_may_come_late
    another_thread_can_kill_what_one_joins
    result_is_given_once
    sentinel_is_readable_when_it_has_ended_and_not_before
    child_knows_its_name_and_its_parent
    names_count_and_nest
    child_has_the_environment_of_the_moment
    environment_of_the_builder_is_the_childs_alone
    child_has_the_directory_of_the_moment
    stdin_is_empty_unless_given
    stdout_of_the_moment_is_the_childs
    streams_of_the_builder_are_the_childs_alone
    what_the_child_printed_is_not_lost
    children_are_listed_until_they_end
    dropped_handle_leaves_no_zombie
    shared_objects_travel_in_arguments_and_results
    what_a_killed_child_held_is_returned
    many_run_at_a_time
    no_signal_is_blocked_in_a_child
    parent_waits_for_its_children_at_its_end
    call_of_exit_waits_for_children_as_well
    daemon_is_terminated_at_the_end_of_its_parent
    child_dies_with_a_killed_parent
    grandchild_dies_with_a_killed_grandparent
    child_that_may_outlives_its_parent_and_sees_it_go
}

mod list {
    use super::*;

    pub(super) fn result_of_the_function_comes_back_typed(m: u8) {
        fn half(x: f64) -> f64 {
            x / 2.0
        }
        let named = by(m).spawn(half, 5.0).expect("spawn");
        let closure = by(m).spawn(|(a, b): (u64, String)| vec![b; a as usize], (2, "x".to_owned()));
        assert_eq!(named.join().expect("join"), 2.5);
        assert_eq!(closure.expect("spawn").join().expect("join"), ["x", "x"]);
        assert_eq!(named.exitcode(), Some(0));
        assert!(!named.is_alive());
    }

    pub(super) fn large_arguments_and_results_arrive_whole(m: u8) {
        let sent: Vec<u32> = (0..2_000_000).collect();
        let reversed = by(m).spawn(
            |mut numbers: Vec<u32>| {
                numbers.reverse();
                numbers
            },
            sent.clone(),
        );
        let mut got = reversed.expect("spawn").join().expect("join");
        got.reverse();
        assert!(got == sent);
    }

    pub(super) fn panic_comes_back_with_message_location_and_backtrace(m: u8) {
        fn deep_inside(depth: u32) -> u32 {
            if depth == 0 {
                panic!("no luck with {}", 13)
            }
            std::hint::black_box(deep_inside(depth - 1)) + 1
        }
        let process = by(m).stderr(Stdio::Null).spawn(deep_inside, 3).expect("spawn");
        let error = process.join().expect_err("a panic");
        let panic = error.panic().expect("a panic");
        assert_eq!(panic.message(), "no luck with 13");
        assert!(panic.location().is_some_and(|at| at.contains("tests/process.rs:")), "{panic}");
        assert!(panic.backtrace().is_some_and(|trace| trace.contains("deep_inside")), "{panic:?}");
        assert_eq!(process.exitcode(), Some(101));
        assert!(error.to_string().contains("panicked at"), "{error}");
    }

    pub(super) fn signal_is_an_error_with_its_name(m: u8) {
        let process = by(m).spawn(die_of, Signal::SEGV.as_raw()).expect("spawn");
        let error = process.join().expect_err("a signal");
        assert!(matches!(error, Error::Killed { signal: Signal::SEGV, .. }), "{error:?}");
        assert!(error.to_string().contains("SIGSEGV"), "{error}");
        assert!(error.is_peer_dead());
        assert_eq!(process.exitcode(), Some(-11));
    }

    pub(super) fn code_of_an_early_exit_is_an_error(m: u8) {
        for code in [0, 7] {
            let process = by(m).spawn(|code: i32| -> () { std::process::exit(code) }, code);
            let process = process.expect("spawn");
            let error = process.join().expect_err("no result");
            assert!(matches!(error, Error::Exited { code: got, .. } if got == code), "{error:?}");
            assert_eq!(process.exitcode(), Some(code));
        }
    }

    pub(super) fn error_of_the_function_is_a_value_like_any_other(m: u8) {
        let process = by(m).spawn(|()| Err::<u8, String>("nope".into()), ()).expect("spawn");
        assert_eq!(process.join().expect("join"), Err("nope".to_owned()));
        assert_eq!(process.exitcode(), Some(0));
    }

    pub(super) fn arguments_that_cannot_be_decoded_are_refused(m: u8) {
        let error = by(m).spawn(|OneWay(_)| (), OneWay(true)).map(drop).expect_err("refused");
        assert!(error.to_string().contains("send the arguments"), "{error}");
        assert!(error.to_string().contains("only travels one way"), "{error}");
    }

    pub(super) fn result_that_cannot_be_encoded_is_an_error(m: u8) {
        let process = by(m).spawn(|()| OneWay(false), ()).expect("spawn");
        let error = process.join().expect_err("cannot be encoded");
        assert!(error.to_string().contains("its result cannot be sent"), "{error}");
    }

    pub(super) fn join_that_times_out_can_be_repeated(m: u8) {
        let (reader, mut writer) = std::io::pipe().expect("pipe");
        let process = by(m).stdin(reader).spawn(|()| read_stdin(), ()).expect("spawn");
        let error = process.join_timeout(Duration::ZERO).expect_err("still runs");
        assert!(error.is_timeout(), "{error:?}");
        assert!(
            process.join_timeout(Duration::from_millis(30)).is_err_and(|error| error.is_timeout())
        );
        assert!(process.is_alive());
        assert_eq!(process.exitcode(), None);
        writer.write_all(b"go\n").expect("write");
        drop(writer);
        assert_eq!(process.join().expect("join"), "go\n");
    }

    pub(super) fn terminate_ends_it_with_sigterm_and_may_come_late(m: u8) {
        let process = by(m).spawn(wait_for_ever, ()).expect("spawn");
        process.terminate().expect("terminate");
        let error = process.join().expect_err("terminated");
        assert!(matches!(error, Error::Killed { signal: Signal::TERM, .. }), "{error:?}");
        assert_eq!(process.exitcode(), Some(-15));
        process.terminate().expect("nothing to terminate is no error");
        process.kill().expect("nothing to kill is no error");
    }

    pub(super) fn another_thread_can_kill_what_one_joins(m: u8) {
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

    pub(super) fn result_is_given_once(m: u8) {
        let process = by(m).spawn(|()| 1, ()).expect("spawn");
        assert_eq!(process.join().expect("join"), 1);
        assert!(matches!(process.join(), Err(Error::Taken { .. })));
    }

    pub(super) fn sentinel_is_readable_when_it_has_ended_and_not_before(m: u8) {
        let process = by(m).spawn(wait_for_ever, ()).expect("spawn");
        assert!(!poll::readable(process.sentinel(), Deadline::now()).expect("poll"));
        process.kill().expect("kill");
        assert!(poll::readable(process.sentinel(), Deadline::never()).expect("poll"));
        assert_eq!(process.exitcode(), Some(-9), "who sees the sentinel sees the code");
    }

    pub(super) fn child_knows_its_name_and_its_parent(m: u8) {
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
        assert_eq!(
            process.join().expect("join"),
            ("worker".to_owned(), process.pid(), true, parent)
        );
    }

    pub(super) fn names_count_and_nest(m: u8) {
        let mine = current_process().name().to_owned();
        let outer = by(m).spawn(
            |m| {
                let inner =
                    by(m).spawn(|()| current_process().name().to_owned(), ()).expect("spawn");
                inner.join().expect("join")
            },
            m,
        );
        let outer = outer.expect("spawn");
        assert_eq!(outer.name(), format!("{mine}:1"));
        assert_eq!(outer.join().expect("join"), format!("{mine}:1:1"));
        assert_eq!(by(m).spawn(|()| (), ()).expect("spawn").name(), format!("{mine}:2"));
    }

    pub(super) fn child_has_the_environment_of_the_moment(m: u8) {
        for value in [Some("one"), Some("two"), None] {
            assert!(environment::change(&[("PROCESSION_T".into(), value.map(Into::into))]));
            let seen = by(m).spawn(|()| std::env::var("PROCESSION_T").ok(), ()).expect("spawn");
            assert_eq!(seen.join().expect("join").as_deref(), value);
        }
    }

    pub(super) fn environment_of_the_builder_is_the_childs_alone(m: u8) {
        assert!(environment::change(&[("PROCESSION_T".into(), Some("mine".into()))]));
        let all = |()| std::env::vars().collect::<Vec<_>>();
        let cleared =
            by(m).env("LOST", "1").env_clear().env("KEPT", "2").spawn(all, ()).expect("spawn");
        assert_eq!(cleared.join().expect("join"), [("KEPT".to_owned(), "2".to_owned())]);
        let removed =
            by(m).env_remove("PROCESSION_T").spawn(all, ()).expect("spawn").join().expect("join");
        assert!(!removed.is_empty() && removed.iter().all(|(name, _)| name != "PROCESSION_T"));
        assert_eq!(std::env::var("PROCESSION_T").as_deref(), Ok("mine"));
        let later = by(m).spawn(|()| std::env::var("PROCESSION_T").ok(), ()).expect("spawn");
        assert_eq!(later.join().expect("join").as_deref(), Some("mine"));
    }

    pub(super) fn child_has_the_directory_of_the_moment(m: u8) {
        let here = |()| std::env::current_dir().expect("a directory");
        let given = by(m).current_dir("/proc").spawn(here, ()).expect("spawn");
        assert_eq!(given.join().expect("join").as_os_str(), "/proc");
        std::env::set_current_dir("/proc/sys").expect("chdir");
        let moved = by(m).spawn(here, ()).expect("spawn");
        assert_eq!(moved.join().expect("join").as_os_str(), "/proc/sys");
        let relative = by(m).current_dir("kernel").spawn(here, ()).expect("spawn");
        assert_eq!(relative.join().expect("join").as_os_str(), "/proc/sys/kernel");
        let wrong = by(m).current_dir("/no/such/place").spawn(here, ()).expect("spawn");
        let error = wrong.join().expect_err("no such directory");
        assert!(error.to_string().contains("/no/such/place"), "{error}");
    }

    pub(super) fn stdin_is_empty_unless_given(m: u8) {
        assert_eq!(by(m).spawn(|()| read_stdin(), ()).expect("spawn").join().expect("join"), "");
        let (reader, mut writer) = std::io::pipe().expect("pipe");
        let process = by(m).stdin(reader).spawn(|()| read_stdin(), ()).expect("spawn");
        writer.write_all(b"hello\n").expect("write");
        drop(writer);
        assert_eq!(process.join().expect("join"), "hello\n");
        let (reader, mut writer) = std::io::pipe().expect("pipe");
        replace(Stream::Stdin, reader).expect("replace");
        writer.write_all(b"mine\n").expect("write");
        drop(writer);
        let process = by(m).stdin(Stdio::Inherit).spawn(|()| read_stdin(), ()).expect("spawn");
        assert_eq!(process.join().expect("join"), "mine\n");
    }

    pub(super) fn stdout_of_the_moment_is_the_childs(m: u8) {
        by(m).spawn(|()| (), ()).expect("spawn").join().expect("join");
        for stream in [Stream::Stdout, Stream::Stderr] {
            let (mut reader, writer) = std::io::pipe().expect("pipe");
            replace(stream, writer).expect("replace");
            by(m).spawn(|()| print_both("after"), ()).expect("spawn").join().expect("join");
            replace(stream, procession_sys::stdio::null().expect("null")).expect("replace");
            let mut seen = String::new();
            reader.read_to_string(&mut seen).expect("read");
            assert_eq!(seen, "after");
        }
    }

    pub(super) fn streams_of_the_builder_are_the_childs_alone(m: u8) {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        let process = by(m).stdout(writer).stderr(Stdio::Null).spawn(|()| print_both("out"), ());
        process.expect("spawn").join().expect("join");
        let mut seen = String::new();
        reader.read_to_string(&mut seen).expect("read");
        assert_eq!(seen, "out");
    }

    pub(super) fn what_the_child_printed_is_not_lost(m: u8) {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        replace(Stream::Stdout, writer).expect("replace");
        print!("parent;");
        let process = by(m).spawn(|()| print!("child;"), ()).expect("spawn");
        process.join().expect("join");
        std::io::stdout().flush().expect("flush");
        replace(Stream::Stdout, procession_sys::stdio::null().expect("null")).expect("replace");
        let mut seen = String::new();
        reader.read_to_string(&mut seen).expect("read");
        assert_eq!(seen.matches("child;").count(), 1, "{seen}");
        assert_eq!(seen.matches("parent;").count(), 1, "{seen}");
    }

    pub(super) fn children_are_listed_until_they_end(m: u8) {
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

    pub(super) fn dropped_handle_leaves_no_zombie(m: u8) {
        let pids: Vec<i32> =
            (0..4).map(|_| by(m).spawn(|()| (), ()).expect("spawn").pid()).collect();
        wait_until("the children have gone", || {
            active_children().is_empty()
                && pids.iter().all(|pid| Member::read(*pid).is_none_or(|child| !child.is_zombie()))
        });
    }

    pub(super) fn shared_objects_travel_in_arguments_and_results(m: u8) {
        let queue = Queue::<String>::new().expect("queue");
        let process = by(m).spawn(
            |(queue, word): (Queue<String>, String)| {
                queue.put(&format!("{word} from the child")).expect("put");
                let answer = Queue::<u8>::new().expect("queue");
                answer.put(&9).expect("put");
                answer
            },
            (queue.clone(), "hello".to_owned()),
        );
        assert_eq!(queue.get().expect("get"), "hello from the child");
        let answer = process.expect("spawn").join().expect("join");
        assert_eq!(answer.get().expect("the maker is gone, the queue is not"), 9);
    }

    pub(super) fn what_a_killed_child_held_is_returned(m: u8) {
        let family = procession_shm::family().expect("family");
        by(m).spawn(|()| (), ()).expect("spawn").join().expect("join");
        let blocks = || family.arena().blocks().count();
        let seats = || family.members().iter().filter(|member| member.name == "holder").count();
        let before = blocks();
        for _ in 0..3 {
            let (mut reader, writer) = std::io::pipe().expect("pipe");
            let process = by(m).name("holder").stdout(writer).spawn(
                |()| {
                    let _held: Vec<_> =
                        (0..5).map(|_| Queue::<u8>::new().expect("queue")).collect();
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

    pub(super) fn many_run_at_a_time(m: u8) {
        let all: Vec<_> = (0..40_u64).map(|n| by(m).spawn(|n| n * n, n).expect("spawn")).collect();
        for (n, process) in (0..).zip(all) {
            assert_eq!(process.join().expect("join"), n * n);
        }
    }

    pub(super) fn no_signal_is_blocked_in_a_child(m: u8) {
        let masks = |()| {
            let status = std::fs::read_to_string("/proc/self/status").expect("status");
            let line = status.lines().find(|line| line.starts_with("SigBlk:")).expect("SigBlk");
            line["SigBlk:".len()..].trim().to_owned()
        };
        let blocked = by(m).spawn(masks, ()).expect("spawn").join().expect("join");
        assert_eq!(blocked, "0000000000000000");
    }

    pub(super) fn parent_waits_for_its_children_at_its_end(m: u8) {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        let (gate, mut open) = std::io::pipe().expect("pipe");
        let parent = by(m).stdin(gate).stdout(writer).spawn(
            |m| {
                let late = by(m).stdin(Stdio::Inherit).spawn(
                    |()| {
                        read_stdin();
                        print!("late");
                    },
                    (),
                );
                drop(late.expect("spawn"));
            },
            m,
        );
        let parent = parent.expect("spawn");
        assert!(
            parent.join_timeout(Duration::from_millis(50)).is_err_and(|error| error.is_timeout())
        );
        open.write_all(b"\n").expect("write");
        parent.join().expect("join");
        let mut seen = String::new();
        reader.read_to_string(&mut seen).expect("read");
        assert_eq!(seen, "late");
    }

    pub(super) fn call_of_exit_waits_for_children_as_well(m: u8) {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        let (gate, mut open) = std::io::pipe().expect("pipe");
        let parent = by(m).stdin(gate).stdout(writer).spawn(
            |m| {
                let late = |()| {
                    read_stdin();
                    print!("late");
                };
                by(m).stdin(Stdio::Inherit).spawn(late, ()).expect("spawn");
                std::process::exit(3);
            },
            m,
        );
        let parent: Process<()> = parent.expect("spawn");
        let early = parent.join_timeout(Duration::from_millis(50));
        assert!(early.is_err_and(|error| error.is_timeout()));
        open.write_all(b"\n").expect("write");
        assert!(matches!(parent.join(), Err(Error::Exited { code: 3, .. })));
        let mut seen = String::new();
        reader.read_to_string(&mut seen).expect("read");
        assert_eq!(seen, "late");
    }

    pub(super) fn daemon_is_terminated_at_the_end_of_its_parent(m: u8) {
        let parent = by(m).spawn(
            |m| {
                let daemon = by(m).daemon(true).spawn(wait_for_ever, ()).expect("spawn");
                daemon.pid()
            },
            m,
        );
        let daemon = parent.expect("spawn").join().expect("join");
        wait_until("the daemon has gone", || Member::read(daemon).is_none_or(|it| it.is_zombie()));
    }

    pub(super) fn child_dies_with_a_killed_parent(m: u8) {
        let (parent, mut said) = parent_and_child(m, false);
        let child = read_pid(&mut said);
        parent.kill().expect("kill");
        assert!(child.wait_ended(Deadline::never()).expect("wait"));
    }

    pub(super) fn grandchild_dies_with_a_killed_grandparent(m: u8) {
        let (mut reader, writer) = std::io::pipe().expect("pipe");
        let top = by(m).stdout(writer).spawn(
            |m| {
                let middle = by(m).spawn(
                    |m| {
                        let bottom = by(m).spawn(wait_for_ever, ()).expect("spawn");
                        println!("{}", bottom.pid());
                        bottom.join().expect("never");
                    },
                    m,
                );
                middle.expect("spawn").join().expect("never");
            },
            m,
        );
        let top = top.expect("spawn");
        let bottom = read_pid(&mut reader);
        top.kill().expect("kill");
        assert!(bottom.wait_ended(Deadline::never()).expect("wait"));
    }

    pub(super) fn child_that_may_outlives_its_parent_and_sees_it_go(m: u8) {
        let (parent, mut said) = parent_and_child(m, true);
        let child = read_pid(&mut said);
        parent.kill().expect("kill");
        parent.join().expect_err("killed");
        let mut last = String::new();
        said.read_to_string(&mut last).expect("read");
        assert_eq!(last, "orphan");
        assert!(child.wait_ended(Deadline::never()).expect("wait"));
    }

    /// A parent that waits for ever, and what its child says: its pid, and a word when the parent is gone.
    fn parent_and_child(m: u8, outlive: bool) -> (Process<()>, PipeReader) {
        let (reader, writer) = std::io::pipe().expect("pipe");
        let parent = by(m).stdout(writer).spawn(
            |(m, outlive)| {
                let child = by(m).outlive(outlive).spawn(
                    |()| {
                        let parent = parent_process().expect("a parent");
                        assert!(parent.is_alive());
                        println!("{}", std::process::id());
                        assert!(parent.join_timeout(Duration::from_secs(60)));
                        assert!(!parent.is_alive());
                        print!("orphan");
                    },
                    (),
                );
                child.expect("spawn").join().expect("never");
            },
            (m, outlive),
        );
        (parent.expect("spawn"), reader)
    }
}

fn read_pid(reader: &mut PipeReader) -> Pidfd {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        let mut byte = [0];
        reader.read_exact(&mut byte).expect("a line");
        line.push(byte[0]);
    }
    let pid = String::from_utf8_lossy(&line).trim().parse().expect("a pid");
    Pidfd::open(pid).expect("pidfd")
}

/// A value that encodes as a number and decodes as a text; `false` does not even encode.
#[derive(Debug)]
struct OneWay(bool);

impl serde::Serialize for OneWay {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            true => to.serialize_u8(1),
            false => Err(serde::ser::Error::custom("it only travels one way")),
        }
    }
}

impl<'de> serde::Deserialize<'de> for OneWay {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        u8::deserialize(from)?;
        Err(serde::de::Error::custom("it only travels one way"))
    }
}

fn wait_for_ever((): ()) {
    loop {
        std::thread::park();
    }
}

/// One line, and not all: a forked child holds the other end of the pipe as well.
fn read_stdin() -> String {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).expect("read");
    line
}

/// To the descriptors themselves: the test harness catches what `print!` writes.
fn print_both(text: &str) {
    for fd in [std::io::stdout().as_fd(), std::io::stderr().as_fd()] {
        let fd = fd.try_clone_to_owned().expect("clone");
        std::fs::File::from(fd).write_all(text.as_bytes()).expect("write");
    }
}

fn die_of(signal: i32) {
    let me = Pidfd::open(std::process::id() as i32).expect("pidfd");
    me.send_signal(Signal::from_raw(signal)).expect("signal");
    wait_for_ever(());
}

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
                            (format!("{joined:?}"), exitcode, used() - before)
                        },
                        (method, step.to_owned()),
                    );
                    let (joined, exitcode, left) = host.expect("spawn").join().expect("join");
                    assert_eq!((exitcode, left), (Some(-9), 0), "{step}");
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

#[test]
fn fork_beside_threads_is_refused() {
    // The test harness has a thread for each test.
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
