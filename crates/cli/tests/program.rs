//! `procession worker --program`, with this test as the program: its `main` begins with `init_with`, so it has no usual
//! harness.

#[path = "command/ran.rs"]
#[expect(dead_code, reason = "the other tests of the command use all of it")]
mod ran;
#[path = "command/served.rs"]
#[expect(dead_code, reason = "the other tests of the command use all of it")]
mod served;

use procession::Tasks;
use procession::manager::value::Value;
use procession::manager::{Payload, Queue};
use procession_testkit::guard;
use ran::run;
use rustix::process::Signal;
use served::{KEY, Served, key_file};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let tasks = Tasks::new()
        .add("square", |n: u64| n * n)
        .add("panics", |n: u64| -> u64 { panic!("no {n}") })
        .add("aborts", |_: u64| -> u64 { std::process::abort() });
    procession::init_with(tasks);
    let _guard = guard();
    let served = Served::start("program", None, &[]);
    results_are_what_the_task_returns(&served);
    println!("test results_are_what_the_task_returns ... ok");
    what_goes_wrong_in_a_task_is_told_and_the_worker_goes_on(&served);
    println!("test what_goes_wrong_in_a_task_is_told_and_the_worker_goes_on ... ok");
    served.signal(Signal::TERM);
    assert_eq!(served.ended().0, Some(0));
}

/// Has a worker do what is in the queue, with a task of this program; its summary.
fn work(served: &Served, task: &str) -> String {
    let key = key_file("program-key", KEY);
    let program = std::env::current_exe().expect("it runs");
    let (key, program) = (key.to_str().expect("text"), program.to_str().expect("text"));
    let address = served.address.to_string();
    let way = ["worker", "--connect", &address, "--authkey-file", key, "-n", "2"];
    let ran = run(&[&way[..], &["--idle", "0.1", "--program", program, task]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.lines.last().expect("a summary").clone()
}

fn results_are_what_the_task_returns(served: &Served) {
    let manager = served.manager();
    let tasks: Queue<u64> = manager.get("get_task_queue").unwrap();
    let results: Queue<u64> = manager.get("get_result_queue").unwrap();
    tasks.put_many(0..6).unwrap();
    assert!(work(served, "square").contains("6 returned, 0 raised, 0 lost"));
    let mut got = results.get_many(6).unwrap();
    got.sort_unstable();
    assert_eq!(got, [0, 1, 4, 9, 16, 25]);
}

fn what_goes_wrong_in_a_task_is_told_and_the_worker_goes_on(served: &Served) {
    let manager = served.manager();
    let tasks: Queue<()> = manager.get("get_task_queue").unwrap();
    let results: Queue<()> = manager.get("get_result_queue").unwrap();
    for (task, argument, says) in [
        ("panics", Value::from(7_u8), "no 7"),
        ("square", "text".into(), "cannot be decoded"),
        ("aborts", 7.into(), "SIGABRT"),
        ("nothing", 7.into(), "the program has no task `nothing`"),
    ] {
        tasks.put_payload(&Payload::of(&argument)).unwrap();
        assert!(work(served, task).contains("0 returned"));
        let told = results.get_payload_timeout(PATIENCE).unwrap().describe().unwrap();
        let Value::Object(told) = told else { panic!("{told}") };
        assert!(told.class.is("builtins", "RuntimeError"), "{told:?}");
        assert!(told.args[0].as_str().unwrap().contains(says), "{told:?}");
    }
}
