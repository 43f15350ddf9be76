//! A manager and its workers on hosts of their own, of which one is cut off and comes back.

use crate::hosts::Hosts;
use crate::served::{KEY, Served};
use procession::manager::{Address, Manager, ManagerError, Queue};
use procession_testkit::{guard, interpreters};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(200);
const PATIENCE: Duration = Duration::from_secs(60);

/// A stock worker. A task is a file that is read to its end; the result says who read it.
const WORKER: &str = r#"
import sys
from multiprocessing.managers import BaseManager
host, port, key, me = sys.argv[1:]
for name in "get_task_queue", "get_result_queue":
    BaseManager.register(name)
manager = BaseManager((host, int(port)), key.encode())
manager.connect()
tasks, results = manager.get_task_queue(), manager.get_result_queue()
for task in iter(tasks.get, None):
    with open(task) as file:
        file.read()
    results.put((me, task))
"#;

/// A file that is read to its end when this one says so.
struct Gate(PathBuf);

impl Gate {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_file(&path);
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).expect("the directory is there");
        Self(path)
    }

    fn task(&self) -> String {
        self.0.to_str().expect("it is text").to_owned()
    }

    /// Waits until somebody reads; what is returned holds them up until it is dropped.
    fn reader(&self) -> File {
        File::options().write(true).open(&self.0).expect("it is there")
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// The manager on the first host, as the others reach it.
struct Apart {
    hosts: Hosts,
    served: Served,
    port: u16,
}

impl Apart {
    /// `None` where this machine does not let us have hosts.
    fn new(name: &str) -> Option<Self> {
        let hosts = match Hosts::new() {
            Ok(hosts) => hosts,
            Err(why) => {
                eprintln!("skipped, since this machine gives us no networks of our own: {why}");
                return None;
            }
        };
        let everywhere = Address::Tcp("0.0.0.0".to_owned(), 0);
        let served = hosts.first.run(|| Served::start(name, Some(&everywhere), &[]));
        let Address::Tcp(_, port) = served.address else { panic!("it has a port") };
        Some(Self { hosts, served, port })
    }

    fn address_for(&self, other: usize) -> String {
        format!("{}:{}", self.hosts.first_seen_from(other), self.port)
    }

    fn worker(&self, other: usize) -> Child {
        let python = interpreters().last().expect("a CPython is here");
        let (host, port) = (self.hosts.first_seen_from(other), self.port.to_string());
        let mut command = python.command();
        command.args(["-c", WORKER, &host, &port, KEY, &other.to_string()]);
        command.stderr(Stdio::null());
        self.hosts.others[other].run(|| command.spawn().expect("the interpreter runs"))
    }
}

/// The two queues.
fn queues(manager: &Manager) -> (Queue<Option<String>>, Queue<(String, String)>) {
    let tasks = manager.get("get_task_queue").expect("it is registered");
    (tasks, manager.get("get_result_queue").expect("it is registered"))
}

#[test]
fn a_worker_that_is_cut_off_in_its_task_brings_the_result_when_it_is_back() {
    let _guard = guard();
    if interpreters().is_empty() {
        return eprintln!("skipped: no CPython here");
    }
    let Some(apart) = Apart::new("apart-cut") else { return };
    let gate = Gate::new("apart-gate");
    let mut workers = apart.hosts.first.run(|| {
        let (tasks, results) = queues(&apart.served.manager());
        let cut = apart.worker(0);
        tasks.put(&Some(gate.task())).unwrap();
        let reader = gate.reader();
        apart.hosts.cut(0);
        let other = apart.worker(1);
        for _ in 0..20 {
            tasks.put(&Some("/dev/null".to_owned())).unwrap();
        }
        for _ in 0..20 {
            let (who, task) = results.get_timeout(PATIENCE).unwrap();
            assert_eq!((who.as_str(), task.as_str()), ("1", "/dev/null"));
        }
        // Its result goes out into nothing, again and again.
        drop(reader);
        assert!(results.try_get().is_err());
        apart.hosts.mend(0);
        assert_eq!(results.get_timeout(PATIENCE).unwrap(), ("0".to_owned(), gate.task()));
        tasks.put(&None).unwrap();
        tasks.put(&None).unwrap();
        [cut, other]
    });
    for worker in &mut workers {
        assert!(worker.wait().expect("it is our child").success());
    }
    apart.served.signal(Signal::TERM);
    assert_eq!(apart.served.ended().0, Some(0));
}

#[test]
fn a_call_from_a_host_that_is_cut_off_ends_in_time_and_says_whom_it_lost() {
    let _guard = guard();
    let Some(apart) = Apart::new("apart-call") else { return };
    let address = apart.address_for(0);
    apart.hosts.others[0].run(|| {
        let way = Manager::builder().answer_timeout(SHORT).connect_timeout(SHORT);
        // Slow is not cut off: only what comes after the cut is short of time.
        let manager = Manager::connect(address.as_str(), KEY).unwrap();
        let slow: Queue<u32> = manager.get("get_task_queue").unwrap();
        slow.put(&1).unwrap();
        let (hasty, queue) = loop {
            let hasty = way.clone().connect(address.as_str(), KEY);
            match hasty.and_then(|hasty| Ok((hasty.get::<Queue<u32>>("get_result_queue")?, hasty)))
            {
                Ok((queue, hasty)) if matches!(queue.try_get(), Err(ManagerError::Empty)) => {
                    break (hasty, queue);
                }
                Ok(_) => {}
                Err(error) => assert!(error.is_timeout() || error.is_closed(), "{error:?}"),
            }
        };
        apart.hosts.cut(0);
        let start = Instant::now();
        let error = queue.get_timeout(SHORT).unwrap_err();
        assert!(start.elapsed() >= SHORT + SHORT);
        assert!(matches!(error, ManagerError::Lost { .. }), "{error:?}");
        assert!(error.to_string().contains(&address), "{error}");
        assert!(hasty.reconnect().unwrap_err().is_timeout());
        apart.hosts.mend(0);
        // The connection that asked for nothing meanwhile has not noticed.
        assert_eq!(slow.get().unwrap(), 1);
        manager.reconnect().unwrap();
        let again: Queue<u32> = manager.get("get_task_queue").unwrap();
        again.put(&2).unwrap();
        assert_eq!(again.get().unwrap(), 2);
    });
    apart.served.signal(Signal::TERM);
    assert_eq!(apart.served.ended().0, Some(0));
}

#[test]
fn a_manager_that_is_killed_and_started_again_hangs_nobody_on_other_hosts() {
    let _guard = guard();
    let Some(apart) = Apart::new("apart-killed") else { return };
    let (said, waits) = mpsc::channel();
    let (address, hosts) = (apart.address_for(0), &apart.hosts);
    let served = std::thread::scope(|scope| {
        let waiter = scope.spawn(|| {
            hosts.others[0].run(|| {
                let manager = Manager::connect(address.as_str(), KEY).unwrap();
                let (tasks, results) = queues(&manager);
                results.put(&("0".to_owned(), "here".to_owned())).unwrap();
                said.send(()).unwrap();
                let error = tasks.get().unwrap_err();
                assert!(matches!(error, ManagerError::Lost { .. }), "{error:?}");
                while let Err(error) = manager.reconnect() {
                    assert!(error.to_string().contains(&address), "{error}");
                }
                let error = results.qsize().unwrap_err();
                assert!(matches!(error, ManagerError::Stale { .. }), "{error:?}");
                let (tasks, results) = queues(&manager);
                let task = tasks.get().unwrap().expect("it is a task");
                results.put(&("0".to_owned(), task)).unwrap();
            });
        });
        waits.recv().unwrap();
        let everywhere = apart.served.address.clone();
        apart.served.signal(Signal::KILL);
        assert_eq!(apart.served.ended().0, None);
        let served = hosts.first.run(|| Served::start("apart-again", Some(&everywhere), &[]));
        hosts.first.run(|| {
            let (tasks, results) = queues(&served.manager());
            assert!(results.try_get().is_err(), "what a killed manager had is gone");
            tasks.put(&Some("once more".to_owned())).unwrap();
            let result = results.get_timeout(PATIENCE).unwrap();
            assert_eq!(result, ("0".to_owned(), "once more".to_owned()));
        });
        waiter.join().unwrap();
        served
    });
    served.signal(Signal::TERM);
    assert_eq!(served.ended().0, Some(0));
}
