//! `procession worker`, with Python processes that have the package: `PROCESSION_TEST_PYTHON` names the interpreter;
//! `cargo xtask test` does. Without it nothing is tested here.

#[path = "../command/ran.rs"]
#[expect(dead_code, reason = "the other tests of the command use all of it")]
mod ran;
#[path = "../command/served.rs"]
#[expect(dead_code, reason = "the other tests of the command use all of it")]
mod served;
#[path = "../command/worked.rs"]
mod worked;

use procession::manager::value::Value;
use procession::manager::{Address, Manager, Payload, Queue};
use procession_testkit::{free_port, guard, wait_until};
use rustix::process::Signal;
use served::{KEY, Served, key_file};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use worked::Worker;

const PATIENCE: Duration = Duration::from_secs(60);

macro_rules! tests {
    ($($name:ident)*) => { $(
        #[test]
        fn $name() {
            if std::env::var_os("PROCESSION_TEST_PYTHON").is_none() {
                eprintln!("skipped: PROCESSION_TEST_PYTHON names no interpreter");
                return;
            }
            let _guard = guard();
            list::$name();
        }
    )* };
}

tests! {
    results_are_what_the_function_returns_and_the_summary_counts_them
    objects_of_pythons_classes_go_through
    an_exception_is_a_result_and_its_traceback_is_on_stderr
    a_task_whose_process_died_is_told_of_and_the_next_is_done
    a_function_that_is_not_there_ends_the_worker
    a_wrong_key_and_a_name_that_is_not_there_end_the_worker
    a_result_waits_for_a_server_that_is_restarted
    told_to_end_it_ends_what_has_begun_and_told_twice_puts_it_back
}

fn start(key: &Path, connect: &str, more: &[&str]) -> Worker {
    let python = std::env::var("PROCESSION_TEST_PYTHON").expect("looked at before");
    Worker::start(key, connect, &[&["--python", &python], more].concat(), |command| {
        command.env("PYTHONPATH", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python"));
    })
}

fn start_for(served: &Served, more: &[&str]) -> Worker {
    start(&key_file("worker-key", KEY), &served.address.to_string(), more)
}

fn queues<A, R>(manager: &Manager) -> (Queue<A>, Queue<R>) {
    let get = "the server has the names of the tutorial";
    (manager.get("get_task_queue").expect(get), manager.get("get_result_queue").expect(get))
}

fn end(served: Served) {
    served.signal(Signal::TERM);
    assert_eq!(served.ended().0, Some(0));
}

fn path(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    for path in [path.clone(), begun(&path)] {
        let _ = fs::remove_file(path);
    }
    path
}

fn begun(path: &Path) -> PathBuf {
    path.with_extension("begun")
}

mod list {
    use super::*;

    pub(super) fn results_are_what_the_function_returns_and_the_summary_counts_them() {
        let served = Served::start("worker-results", None, &[]);
        let (tasks, results) = queues::<u64, String>(&served.manager());
        tasks.put_many(0..50).unwrap();
        let worker = start_for(&served, &["-n", "2", "--idle", "0.5", "jobs:square"]);
        let mut got: Vec<_> = (0..50).map(|_| results.get_timeout(PATIENCE).unwrap()).collect();
        got.sort_unstable();
        let mut expected: Vec<_> = (0..50).map(|n| format!("{n} * {n} = {}", n * n)).collect();
        expected.sort_unstable();
        assert_eq!(got, expected);
        let (code, said, errors) = worker.ended();
        assert_eq!((code, errors.as_str()), (Some(0), ""));
        assert!(
            said.starts_with("50 tasks in ") && said.contains(": 50 returned, 0 raised"),
            "{said}"
        );
        end(served);
    }

    pub(super) fn objects_of_pythons_classes_go_through() {
        let served = Served::start("worker-objects", None, &[]);
        let (tasks, results) = queues::<(), ()>(&served.manager());
        let point = |x: u8| {
            let state = Value::Dict(vec![("x".into(), x.into())]);
            Value::object("jobs", "Point", state)
        };
        tasks.put_payload(&Payload::of(&point(7))).unwrap();
        let worker = start_for(&served, &["-n", "1", "--idle", "0.5", "jobs:moved"]);
        let moved = results.get_payload_timeout(PATIENCE).unwrap().describe().unwrap();
        assert_eq!(moved, point(8));
        assert_eq!(worker.ended().0, Some(0));
        end(served);
    }

    pub(super) fn an_exception_is_a_result_and_its_traceback_is_on_stderr() {
        let served = Served::start("worker-raises", None, &[]);
        let (tasks, results) = queues::<u64, ()>(&served.manager());
        for (function, class, text) in
            [("boom", "ValueError", "boom 7"), ("unpicklable", "RuntimeError", "Local: local")]
        {
            tasks.put(&7).unwrap();
            let function = format!("jobs:{function}");
            let worker = start_for(&served, &["-n", "1", "--idle", "0.5", &function]);
            let raised = results.get_payload_timeout(PATIENCE).unwrap().describe().unwrap();
            let Value::Object(raised) = raised else { panic!("{raised}") };
            assert!(raised.class.is("builtins", class), "{raised:?}");
            assert!(raised.args[0].as_str().unwrap().contains(text), "{raised:?}");
            let (code, said, errors) = worker.ended();
            assert_eq!(code, Some(0));
            assert!(said.contains("0 returned, 1 raised"), "{said}");
            assert!(errors.contains("Traceback") && errors.contains("jobs.py"), "{errors}");
        }
        end(served);
    }

    pub(super) fn a_task_whose_process_died_is_told_of_and_the_next_is_done() {
        let served = Served::start("worker-dies", None, &[]);
        let (tasks, results) = queues::<u64, ()>(&served.manager());
        tasks.put_many(0..2).unwrap();
        let worker = start_for(&served, &["-n", "1", "--idle", "0.5", "jobs:die"]);
        for _ in 0..2 {
            let told = results.get_payload_timeout(PATIENCE).unwrap().describe().unwrap();
            let Value::Object(told) = told else { panic!("{told}") };
            assert!(told.class.is("builtins", "RuntimeError"), "{told:?}");
            assert!(told.args[0].as_str().unwrap().contains("SIGKILL"), "{told:?}");
        }
        let (code, said, _) = worker.ended();
        assert_eq!(code, Some(0));
        assert!(said.contains("0 returned, 0 raised, 2 lost"), "{said}");
        end(served);
    }

    pub(super) fn a_function_that_is_not_there_ends_the_worker() {
        let served = Served::start("worker-nothing", None, &[]);
        for function in ["jobs:nothing", "nowhere:nothing", "jobs"] {
            let (code, _, errors) = start_for(&served, &["-n", "2", function]).ended();
            assert_eq!(code, Some(1), "{errors}");
            assert!(
                errors.contains(function.rsplit(':').next().unwrap()) || errors.contains("nowhere"),
                "{errors}"
            );
        }
        end(served);
    }

    pub(super) fn a_wrong_key_and_a_name_that_is_not_there_end_the_worker() {
        let served = Served::start("worker-wrong", None, &[]);
        let address = served.address.to_string();
        let wrong = key_file("worker-wrong-key", "another");
        let (code, _, errors) = start(&wrong, &address, &["jobs:square"]).ended();
        assert_eq!(code, Some(1));
        assert!(errors.contains(&address) && errors.contains("key"), "{errors}");
        let (code, _, errors) = start_for(&served, &["--tasks", "get_none", "jobs:square"]).ended();
        assert!(code == Some(1) && errors.contains("get_none"), "{errors}");
        end(served);
    }

    pub(super) fn a_result_waits_for_a_server_that_is_restarted() {
        let address = Address::Tcp("127.0.0.1".to_owned(), free_port());
        let served = Served::start("worker-restart", Some(&address), &[]);
        let path = path("restart");
        let (tasks, _) = queues::<String, String>(&served.manager());
        tasks.put(&path.to_str().unwrap().to_owned()).unwrap();
        let mut worker = start_for(&served, &["-n", "1", "jobs:wait_for"]);
        wait_until("the task has begun", || begun(&path).exists());
        end(served);
        fs::write(&path, "").unwrap();
        worker.until("is lost");
        worker.until("again in");
        let served = Served::start("worker-restarted", Some(&address), &[]);
        let (_, results) = queues::<String, String>(&served.manager());
        assert_eq!(results.get_timeout(PATIENCE).unwrap(), "ended");
        worker.signal(Signal::TERM);
        let (code, said, _) = worker.ended();
        assert_eq!(code, Some(0));
        assert!(said.contains("1 returned") && said.contains("connected again 1 times"), "{said}");
        end(served);
    }

    pub(super) fn told_to_end_it_ends_what_has_begun_and_told_twice_puts_it_back() {
        let served = Served::start("worker-stops", None, &[]);
        let (tasks, results) = queues::<String, String>(&served.manager());
        for twice in [false, true] {
            let path = path(&format!("stop-{twice}"));
            let task = path.to_str().unwrap().to_owned();
            tasks.put(&task).unwrap();
            let mut worker = start_for(&served, &["-n", "1", "jobs:wait_for"]);
            wait_until("the task has begun", || begun(&path).exists());
            worker.signal(Signal::INT);
            worker.until("once more puts them back");
            if twice {
                worker.signal(Signal::INT);
                assert_eq!(worker.ended().0, Some(0));
                assert_eq!(tasks.get_timeout(PATIENCE).unwrap(), task);
            } else {
                fs::write(&path, "").unwrap();
                assert_eq!(results.get_timeout(PATIENCE).unwrap(), "ended");
                assert_eq!(worker.ended().0, Some(0));
            }
        }
        end(served);
    }
}
