//! One process serves, and others work for it, on this machine or any other. The tutorial's `07_manager_master.py` and
//! `07_manager_worker.py`.

use super::work::random_number;
use crate::say;
use procession::manager::{Address, Manager, Queue, Server, Type};
use procession::subprocess::{Command, Popen, SpawnError};
use procession::{Error, Process};
use std::thread;
use std::time::Duration;

/// How long a worker waits for a task before it ends; the tutorial has 2 seconds.
const PATIENCE: Duration = Duration::from_millis(500);

/// The tutorial's worker for an interpreter that has nothing of ours.
const WORKER: &str = include_str!("distributed_worker.py");

/// The tutorial's worker in Rust.
fn worker(address: String) {
    let work = || {
        let manager = Manager::connect(address.as_str(), "abc")?;
        let task: Queue<u64> = manager.get("get_task_queue")?;
        let result: Queue<String> = manager.get("get_result_queue")?;
        loop {
            match task.get_timeout(PATIENCE) {
                Ok(n) => result.put(&format!("{n} * {n} = {}", n * n))?,
                Err(error) if error.is_timeout() => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    };
    work().expect("the manager serves until the workers have ended");
    say!("worker exit");
}

/// Two workers.
enum Workers {
    Python(Vec<Popen>),
    Rust(Vec<Process<()>>),
}

impl Workers {
    /// In stock Python, if it is there.
    fn start(address: &Address) -> Result<Self, Error> {
        let Address::Tcp(host, port) = address else { unreachable!("it was bound to a port") };
        let port = port.to_string();
        let start = || Command::new("python3").args(["-c", WORKER, host, &port]).spawn();
        match start() {
            Ok(one) => {
                Ok(Self::Python(vec![one, start().map_err(procession::subprocess::Error::from)?]))
            }
            Err(SpawnError::MissingProgram { .. }) => {
                say!("(python3 is not installed here; the workers are in Rust)");
                let start = || Process::spawn(worker, address.to_string());
                Ok(Self::Rust(vec![start()?, start()?]))
            }
            Err(error) => Err(procession::subprocess::Error::from(error).into()),
        }
    }

    fn join(self) -> Result<(), Error> {
        match self {
            Self::Python(workers) => {
                workers.iter().try_for_each(|worker| Ok(worker.wait().map(drop)?))
            }
            Self::Rust(workers) => workers.iter().try_for_each(|worker| Ok(worker.join()?)),
        }
    }
}

pub(super) fn run() -> Result<(), Error> {
    let server = Server::builder()
        .authkey("abc")
        .register("get_task_queue", Type::Queue, vec![])
        .register("get_result_queue", Type::Queue, vec![])
        // The tutorial takes port 8888 of all addresses, for workers on other machines.
        .bind(&Address::from(("127.0.0.1", 0)))?;
    let address = server.address().clone();
    let serving = thread::spawn(move || server.run());

    let manager = Manager::connect(&address, "abc")?;
    let task: Queue<u64> = manager.get("get_task_queue")?;
    let result: Queue<String> = manager.get("get_result_queue")?;
    for _ in 0..10 {
        let n = random_number(100_000);
        say!("Put task {n}...");
        task.put(&n)?;
    }
    // Not before the tasks: a worker that finds none for a while ends.
    let workers = Workers::start(&address)?;
    say!("Try get result...");
    for _ in 0..10 {
        let r = result.get_timeout(Duration::from_secs(10))?;
        say!("Redult,{r}:");
    }
    // A manager that goes under its workers is an error for them.
    workers.join()?;
    manager.shutdown()?;
    let _ = serving.join();
    say!("master exit");
    Ok(())
}
