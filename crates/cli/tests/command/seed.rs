//! The tutorial's master and workers, ours and stock's, with each other.

use crate::served::Served;
use procession::manager::{Address, Manager, ManagerError, Queue};
use procession_testkit::interpreters::Interpreter;
use procession_testkit::{free_port, guard, interpreters};
use rustix::process::Signal;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

const MASTER: &str = include_str!("../../../../examples/seed/07_manager_master.py");
const FORKS: &str = "import multiprocessing; multiprocessing.set_start_method('fork')\n";
const WORKER: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/seed/07_manager_worker.py");
const PATIENCE: Duration = Duration::from_secs(30);

/// A worker in Rust, as the tutorial's. Where the master is stock's, it ends with the last result under its workers, and
/// before one that comes late: that is an error of any call here.
fn worker(address: &str) -> Result<(), ManagerError> {
    let manager = Manager::connect(address, "abc")?;
    let task: Queue<u64> = manager.get("get_task_queue")?;
    let result: Queue<String> = manager.get("get_result_queue")?;
    loop {
        let n = task.get_timeout(Duration::from_secs(2))?;
        result.put(&format!("{n} * {n} = {}", n * n))?;
    }
}

fn stock_worker(python: &Interpreter, port: u16) -> Child {
    let mut command = python.command();
    command.args([WORKER, "127.0.0.1", &port.to_string()]);
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the interpreter runs")
}

/// Two workers, stock's first, at a manager on that port.
fn work(python: &Interpreter, port: u16, stock: usize) {
    let address = format!("127.0.0.1:{port}");
    thread::scope(|scope| {
        let workers: Vec<_> = (0..stock).map(|_| stock_worker(python, port)).collect();
        for _ in stock..2 {
            scope.spawn(|| worker(&address));
        }
        for mut worker in workers {
            worker.wait().expect("it is our child");
        }
    });
}

/// Runs a test with each CPython that is found, all of them at once, and with none, one and two workers of it.
fn with_each(test: impl Fn(&Interpreter, usize) + Sync) {
    if interpreters().is_empty() {
        return eprintln!("skipped: no CPython here");
    }
    thread::scope(|scope| {
        for python in interpreters() {
            let test = &test;
            let name = format!("{:?} as {}", python.version, python.path.display());
            let run = move || (0..=2).for_each(|stock| test(python, stock));
            thread::Builder::new().name(name).spawn_scoped(scope, run).expect("a thread");
        }
    });
}

/// The tutorial's master, on another port, and with more patience: all versions run at the same time.
///
/// It has lambdas in its manager, which only a forked one can have, and 3.14 forks where it is told to.
fn master(port: u16) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("master-{port}.py"));
    let changes = [("8888", port.to_string()), ("timeout=10", "timeout=60".to_owned())];
    let program = changes.iter().fold(MASTER.to_owned(), |program, (theirs, ours)| {
        assert!(program.contains(theirs));
        program.replace(theirs, ours)
    });
    fs::write(&path, FORKS.to_owned() + &program).expect("the directory is there");
    path
}

#[test]
fn a_stock_master_has_its_tasks_done_by_workers_of_either_kind() {
    let _guard = guard();
    with_each(|python, stock| {
        let port = free_port();
        let mut command = python.command();
        let master = command.arg("-u").arg(master(port)).stdout(Stdio::piped()).spawn();
        let mut master = master.expect("the interpreter runs");
        let mut output = BufReader::new(master.stdout.take().expect("it is a pipe"));
        let mut said = String::new();
        // A worker that finds no task in two seconds goes: they come when all tasks are there.
        while !said.contains("Try get") {
            assert!(output.read_line(&mut said).expect("it is text") > 0, "{said}");
        }
        work(python, port, stock);
        output.read_to_string(&mut said).expect("it is text");
        assert!(master.wait().expect("it is our child").success());
        expect_master(&said);
    });
}

#[track_caller]
fn expect_master(said: &str) {
    let lines: Vec<_> = said.lines().collect();
    let put: Vec<u64> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("Put task ")?.strip_suffix("...")?.parse().ok())
        .collect();
    assert_eq!((put.len(), lines.last()), (10, Some(&"master exit")), "{said}");
    for n in put {
        let result = format!("Redult,{n} * {n} = {}:", n * n);
        assert!(lines.contains(&result.as_str()), "{result} in {said}");
    }
}

#[test]
fn a_master_of_ours_has_its_tasks_done_by_workers_of_either_kind() {
    let _guard = guard();
    with_each(|python, stock| {
        let (major, minor) = python.version;
        let served = Served::start(&format!("seed-master-{major}.{minor}"), None, &[]);
        let Address::Tcp(_, port) = served.address else { panic!("it has a port") };
        let manager = served.manager();
        let task: Queue<u64> = manager.get("get_task_queue").unwrap();
        let result: Queue<String> = manager.get("get_result_queue").unwrap();
        let put: Vec<u64> = (0..10).map(|n| n * 9_999).collect();
        task.put_many(&put).unwrap();
        work(python, port, stock);
        let mut got: Vec<_> = (0..10).map(|_| result.get_timeout(PATIENCE).unwrap()).collect();
        got.sort_unstable();
        let mut expected: Vec<_> = put.iter().map(|n| format!("{n} * {n} = {}", n * n)).collect();
        expected.sort_unstable();
        assert_eq!(got, expected);
        served.signal(Signal::TERM);
        assert_eq!(served.ended().0, Some(0));
    });
}
