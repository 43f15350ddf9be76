//! `procession worker --program`, with this test as the program: its `main` begins with `init_with`, so it has no usual
//! harness.

#[path = "command/ran.rs"]
#[expect(dead_code, reason = "the other tests of the command use all of it")]
mod ran;
#[path = "command/served.rs"]
#[expect(dead_code, reason = "the other tests of the command use all of it")]
mod served;
#[path = "command/worked.rs"]
mod worked;

use procession::Tasks;
use procession::manager::value::Value;
use procession::manager::{Payload, Queue};
use procession_testkit::{guard, wait_until};
use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process};
use served::{KEY, Served, key_file};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::time::Duration;
use worked::Worker;

const PATIENCE: Duration = Duration::from_secs(60);

macro_rules! tests {
    ($($name:ident)*) => { [$((stringify!($name), $name as fn())),*] };
}

fn main() {
    procession::init_with(
        Tasks::new()
            .add("square", |n: u64| n * n)
            .add("panics", |n: u64| -> u64 { panic!("no {n}") })
            .add("odd", |n: u64| if n % 2 == 1 { n } else { std::process::abort() })
            .add("nested", |()| Some(None::<u8>))
            .add("large", |length: usize| "x".repeat(length))
            .add("pid", |()| std::process::id())
            .add("meet", meet),
    );
    let tests = tests! {
        results_are_what_the_task_returns_and_few_processes_do_all
        what_goes_wrong_in_a_task_is_told_and_the_same_process_goes_on
        a_task_whose_process_died_is_told_of_and_another_process_does_the_next
        a_task_is_not_lost_with_a_process_that_was_killed_before_it_came
        a_task_or_a_program_that_is_not_there_ends_the_worker_and_takes_nothing
        a_result_waits_for_a_server_that_is_restarted
        after_ctrl_c_what_has_begun_ends_and_after_two_it_goes_back
    };
    let word = std::env::args().skip(1).find(|word| !word.starts_with('-')).unwrap_or_default();
    for (name, run) in tests.iter().filter(|(name, _)| name.contains(&word)) {
        let _guard = guard();
        run();
        println!("test {name} ... ok");
    }
}

/// Tells the test that it runs, and goes on when that lets go.
fn meet(address: String) -> String {
    let mut test = TcpStream::connect(address).expect("the test waits");
    write!(test, "{}", std::process::id()).expect("it is heard");
    test.shutdown(std::net::Shutdown::Write).expect("that is all");
    let mut heard = String::new();
    test.read_to_string(&mut heard).expect("it lets go");
    "met".to_owned()
}

/// Where the test meets a task.
struct Meeting(TcpListener);

impl Meeting {
    fn new() -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound").to_string();
        (Self(listener), address)
    }

    /// Waits until the task runs: its process, and what it is let go by.
    fn begun(&self) -> (Pid, TcpStream) {
        let (mut task, _) = self.0.accept().expect("the task comes");
        let mut pid = String::new();
        task.read_to_string(&mut pid).expect("it says its number");
        (Pid::from_raw(pid.parse().expect("a number")).expect("a process"), task)
    }
}

/// A server, with its two queues.
struct Scene<A, R> {
    served: Served,
    tasks: Queue<A>,
    results: Queue<R>,
}

impl<A, R> Scene<A, R> {
    fn start(name: &str) -> Self {
        Self::of(Served::start(name, None, &[]))
    }

    fn of(served: Served) -> Self {
        let manager = served.manager();
        let get = "the server has the names of the tutorial";
        let tasks = manager.get("get_task_queue").expect(get);
        Self { tasks, results: manager.get("get_result_queue").expect(get), served }
    }

    /// A worker with a task of this program.
    fn worker(&self, more: &[&str]) -> Worker {
        let program = std::env::current_exe().expect("it runs");
        self.worker_of(program.to_str().expect("text"), more)
    }

    fn worker_of(&self, program: &str, more: &[&str]) -> Worker {
        let more = [&["--program", program], more].concat();
        let address = self.served.address.to_string();
        // In a group of its own, as one that a shell starts.
        Worker::start(&key_file("program-key", KEY), &address, &more, |command| {
            command.process_group(0);
        })
    }

    fn end(self) {
        self.served.signal(Signal::TERM);
        assert_eq!(self.served.ended().0, Some(0));
    }
}

/// What the `RuntimeError` says that came as a result.
fn told<A, R>(scene: &Scene<A, R>) -> String {
    let told = scene.results.get_payload_timeout(PATIENCE).unwrap().describe().unwrap();
    let Value::Object(told) = told else { panic!("{told}") };
    assert!(told.class.is("builtins", "RuntimeError"), "{told:?}");
    told.args[0].as_str().unwrap().to_owned()
}

fn results_are_what_the_task_returns_and_few_processes_do_all() {
    let scene = Scene::<u64, u64>::start("program-results");
    scene.tasks.put_many(0..200).unwrap();
    let worker = scene.worker(&["-n", "2", "--idle", "0.1", "square"]);
    let mut got: Vec<u64> =
        (0..200).map(|_| scene.results.get_timeout(PATIENCE).unwrap()).collect();
    got.sort_unstable();
    assert_eq!(got, (0..200).map(|n| n * n).collect::<Vec<_>>());
    let (code, said, errors) = worker.ended();
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    assert!(
        said.starts_with("200 tasks in ") && said.contains(": 200 returned, 0 raised"),
        "{said}"
    );

    let nothing = Payload::of(&Value::None);
    (0..50).for_each(|_| scene.tasks.put_payload(&nothing).unwrap());
    let worker = scene.worker(&["-n", "2", "--idle", "0.1", "pid"]);
    assert_eq!(worker.ended().0, Some(0));
    let processes: BTreeSet<u64> = scene.results.get_many(50).unwrap().into_iter().collect();
    assert!((1..=2).contains(&processes.len()), "{processes:?}");
    scene.end();
}

fn what_goes_wrong_in_a_task_is_told_and_the_same_process_goes_on() {
    let scene = Scene::<(), String>::start("program-wrong");
    for (task, argument, says) in [
        ("panics", Value::from(7_u8), "no 7"),
        ("square", "text".into(), "its arguments cannot be decoded"),
        ("nested", Value::None, "its result cannot be sent"),
    ] {
        let payload = Payload::of(&argument);
        (0..2).for_each(|_| scene.tasks.put_payload(&payload).unwrap());
        let worker = scene.worker(&["-n", "1", "--idle", "0.1", task]);
        for _ in 0..2 {
            let told = told(&scene);
            assert!(told.contains(says), "{told}");
        }
        let (code, said, errors) = worker.ended();
        assert_eq!(code, Some(0));
        assert!(said.contains("0 returned, 2 raised, 0 lost"), "{said}");
        assert!(errors.contains(says), "{errors}");
    }
    // Neither too large for a message, nor too small for the arena.
    scene.tasks.put_payload(&Payload::of(&1_000_000_u64.into())).unwrap();
    let worker = scene.worker(&["-n", "1", "--idle", "0.1", "large"]);
    assert_eq!(scene.results.get_timeout(PATIENCE).unwrap().len(), 1_000_000);
    assert_eq!(worker.ended().0, Some(0));
    scene.end();
}

fn a_task_whose_process_died_is_told_of_and_another_process_does_the_next() {
    let scene = Scene::<u64, u64>::start("program-dies");
    scene.tasks.put_many([1, 2, 3, 4, 5]).unwrap();
    let worker = scene.worker(&["-n", "1", "--idle", "0.1", "odd"]);
    for number in 1..=5 {
        if number % 2 == 1 {
            assert_eq!(scene.results.get_timeout(PATIENCE).unwrap(), number);
        } else {
            let told = told(&scene);
            assert!(told.contains("SIGABRT"), "{told}");
        }
    }
    let (code, said, errors) = worker.ended();
    assert_eq!(code, Some(0));
    assert!(said.contains("3 returned, 0 raised, 2 lost"), "{said}");
    assert!(errors.contains("its process ended in this task"), "{errors}");
    scene.end();

    // Killed from outside, while another process is in a task of its own.
    let scene = Scene::<String, String>::start("program-killed");
    let (meeting, address) = Meeting::new();
    (0..3).for_each(|_| scene.tasks.put(&address).unwrap());
    let worker = scene.worker(&["-n", "2", "--idle", "0.1", "meet"]);
    let ((first, _held), (second, other)) = (meeting.begun(), meeting.begun());
    kill_process(first, Signal::KILL).unwrap();
    let told = told(&scene);
    assert!(told.contains("SIGKILL") && told.contains(&first.to_string()), "{told}");
    let (third, last) = meeting.begun();
    assert!(third != first && third != second, "{first:?} {second:?} {third:?}");
    drop((other, last));
    for _ in 0..2 {
        assert_eq!(scene.results.get_timeout(PATIENCE).unwrap(), "met");
    }
    assert!(worker.ended().1.contains("2 returned, 0 raised, 1 lost"));
    scene.end();
}

fn a_task_is_not_lost_with_a_process_that_was_killed_before_it_came() {
    let scene = Scene::<(), i32>::start("program-idle");
    let mut worker = scene.worker(&["-n", "1", "pid"]);
    let pid = || {
        scene.tasks.put_payload(&Payload::of(&Value::None)).unwrap();
        scene.results.get_timeout(PATIENCE).unwrap()
    };
    let first = pid();
    assert_eq!(pid(), first, "it is the same process");
    kill_process(Pid::from_raw(first).expect("a process"), Signal::KILL).unwrap();
    let second = pid();
    assert_ne!(second, first);
    worker.until("SIGKILL");
    worker.signal(Signal::TERM);
    let (code, said, _) = worker.ended();
    assert_eq!(code, Some(0));
    assert!(said.contains("3 returned, 0 raised, 0 lost"), "{said}");
    scene.end();
}

fn a_task_or_a_program_that_is_not_there_ends_the_worker_and_takes_nothing() {
    let scene = Scene::<u64, u64>::start("program-nothing");
    scene.tasks.put(&7).unwrap();
    let (code, _, errors) = scene.worker(&["-n", "2", "nothing"]).ended();
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("the program has no task `nothing`; it has: square"), "{errors}");
    for (program, says) in [("/no-such-program", "No such file"), ("/bin/true", "init")] {
        let (code, _, errors) = scene.worker_of(program, &["-n", "1", "square"]).ended();
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains(says), "{errors}");
    }
    assert_eq!(scene.tasks.qsize().unwrap(), 1);
    scene.end();
}

fn a_result_waits_for_a_server_that_is_restarted() {
    let scene = Scene::<String, String>::start("program-restart");
    let served_at = scene.served.address.clone();
    let (meeting, address) = Meeting::new();
    scene.tasks.put(&address).unwrap();
    let mut worker = scene.worker(&["-n", "1", "meet"]);
    let (pid, task) = meeting.begun();
    scene.end();
    drop(task);
    worker.until("is lost");
    worker.until("again in");
    let scene =
        Scene::<String, String>::of(Served::start("program-restarted", Some(&served_at), &[]));
    assert_eq!(scene.results.get_timeout(PATIENCE).unwrap(), "met");
    scene.tasks.put(&address).unwrap();
    let (same, task) = meeting.begun();
    assert_eq!(same, pid, "its process goes on");
    drop(task);
    assert_eq!(scene.results.get_timeout(PATIENCE).unwrap(), "met");
    worker.signal(Signal::TERM);
    let (code, said, _) = worker.ended();
    assert_eq!(code, Some(0));
    assert!(said.contains("2 returned") && said.contains("connected again 1 times"), "{said}");
    scene.end();
}

fn after_ctrl_c_what_has_begun_ends_and_after_two_it_goes_back() {
    let scene = Scene::<String, String>::start("program-stops");
    for twice in [false, true] {
        let (meeting, address) = Meeting::new();
        scene.tasks.put(&address).unwrap();
        let mut worker = scene.worker(&["-n", "1", "meet"]);
        let (pid, task) = meeting.begun();
        // A terminal tells the whole group.
        kill_process_group(worker.pid(), Signal::INT).unwrap();
        worker.until("once more puts them back");
        if twice {
            kill_process_group(worker.pid(), Signal::INT).unwrap();
            assert_eq!(scene.tasks.get_timeout(PATIENCE).unwrap(), address);
        } else {
            drop(task);
            assert_eq!(scene.results.get_timeout(PATIENCE).unwrap(), "met");
        }
        assert_eq!(worker.ended().0, Some(0));
        wait_until("its process has ended", || test_kill_process(pid).is_err());
    }
    scene.end();
}
