//! Rows: a manager that serves Rust clients, beside CPython's with its own.

use crate::child::Child;
use crate::figure::Unit;
use crate::memory::proportional_set_size;
use crate::row::{Effort, Outcome, Peer, Row};
use crate::sample::{Sample, Stopwatch, timed};
use crate::stock_manager as stock;
use procession::manager::{Address, Manager, Queue, Server, Typed};
use procession::{Barrier, Process};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many there are in a crowd.
pub(crate) const CLIENTS: u64 = 16;
const KEY: &str = "bench";
/// Calls that are sent ahead at a time.
const AHEAD: u64 = 1000;
const WHY_CROWD: &str = "a call for which its client waits costs 13 µs of CPU, server and client together, most of it the kernel's sockets and wake-ups, and 17 processes share two cores; calls in the manager's memory, or sent ahead, do without";
const STOCK: &str = "CPython's manager and client, Unix socket";

/// The rows of this room.
pub(crate) fn rows() -> Vec<Row> {
    let row = |work, unit, ours, peer| Row {
        work,
        unit,
        ours: Some(ours),
        limit: None,
        peers: vec![peer],
    };
    vec![
        row(
            "manager, put and get in turn, Rust client, in the manager's memory, p50",
            Unit::Seconds,
            in_memory,
            Peer::new(STOCK, stock::turns).with_target(0.02, ""),
        ),
        row(
            "manager, put and get in turn, Rust client, Unix socket, p50",
            Unit::Seconds,
            over_socket,
            Peer::new(STOCK, stock::turns),
        ),
        row(
            "manager, calls sent ahead, Rust client, Unix socket",
            Unit::PerSecond,
            sent_ahead,
            Peer::new(STOCK, stock::one_client).with_target(30.0, ""),
        ),
        row(
            "manager, put and get in turn, 16 Rust clients at once, Unix socket, calls",
            Unit::PerSecond,
            many_clients,
            Peer::new(STOCK, stock::many_clients).with_target(8.0, WHY_CROWD),
        ),
        row(
            "memory of the manager for an idle connection, of 2000; CPython's of 200",
            Unit::Bytes,
            connection,
            Peer::new("CPython's manager", stock::connection),
        ),
    ]
}

/// The role of the process that serves: at that address, with its memory shared or not.
pub(crate) const SERVER: &str = "manager";

/// Serves until it is killed.
pub(crate) fn serve(arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let [address, shares] = arguments else {
        return Err("an address, and whether to share".into());
    };
    let server = Server::builder().authkey(KEY).share_memory(*shares == "true");
    let server = server.bind(&address.parse()?)?;
    println!("serving");
    std::io::stdout().flush()?;
    Ok(server.run()?)
}

struct Serving {
    child: Child,
    address: Address,
}

impl Serving {
    fn start(shares: bool) -> Result<Self, Box<dyn Error>> {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("@procession-bench-{}-{}", std::process::id(), SERVERS.fetch_add(1, Relaxed));
        let mut child = Child::start(SERVER, &[&name, &shares.to_string()])?;
        let mut line = String::new();
        BufReader::new(child.output()?).read_line(&mut line)?;
        Ok(Self { child, address: name.parse()? })
    }

    fn connect(&self) -> Result<Manager, Box<dyn Error>> {
        Ok(Manager::connect(self.address.clone(), KEY)?)
    }
}

fn in_memory(effort: Effort) -> Outcome {
    in_turn(true, effort.count(100_000))
}

fn over_socket(effort: Effort) -> Outcome {
    in_turn(false, effort.count(10_000))
}

fn in_turn(shares: bool, count: u64) -> Outcome {
    let serving = Serving::start(shares)?;
    let queue: Queue<u64> = serving.connect()?.queue()?;
    queue.put(&7)?;
    queue.get()?;
    let (watch, mut times) = (Stopwatch::start(), Vec::with_capacity(count as usize));
    for number in 0..count {
        let (time, got) = timed(|| queue.put(&number).and_then(|()| queue.get()));
        if got? != number {
            return Err("another number came back".into());
        }
        times.push(time);
    }
    Ok(watch.middle(times))
}

fn sent_ahead(effort: Effort) -> Outcome {
    let serving = Serving::start(false)?;
    let manager = serving.connect()?;
    let queue: Queue<u64> = manager.queue()?;
    let rounds = effort.count(200);
    let watch = Stopwatch::start();
    for _ in 0..rounds {
        let mut pipeline = manager.pipeline();
        for number in 0..AHEAD / 2 {
            pipeline.call(queue.proxy(), "put", (number,))?;
            pipeline.call(queue.proxy(), "get", ())?;
        }
        let mut answers = pipeline.run()?;
        for number in 0..AHEAD / 2 {
            answers.next::<()>()?;
            if answers.next::<u64>()? != number {
                return Err("another number came back".into());
            }
        }
    }
    Ok(watch.rate(rounds * AHEAD))
}

fn many_clients(effort: Effort) -> Outcome {
    let serving = Serving::start(false)?;
    let each = effort.count(5_000);
    let turns = Barrier::new(CLIENTS as usize + 1)?;
    let start = |_| {
        let call = |(address, turns, each): (String, Barrier, u64)| {
            let manager = Manager::connect(address.as_str(), KEY).expect("it serves");
            let queue: Queue<u64> = manager.queue().expect("it serves");
            turns.wait().expect("all are there");
            for number in 0..each {
                queue.put(&number).expect("it serves");
                assert_eq!(queue.get().expect("it serves"), number);
            }
            turns.wait().expect("all are there");
        };
        Process::spawn(call, (serving.address.to_string(), turns.clone(), each))
    };
    let clients = (0..CLIENTS).map(start).collect::<Result<Vec<_>, _>>()?;
    turns.wait()?;
    let watch = Stopwatch::start();
    turns.wait()?;
    let sample = watch.rate(2 * each * CLIENTS);
    for client in clients {
        client.join()?;
    }
    Ok(sample)
}

fn connection(effort: Effort) -> Outcome {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let serving = Serving::start(false)?;
    let _first = serving.connect()?;
    let before = proportional_set_size(serving.child.id())?;
    let count = effort.count(2_000);
    let crowd = (0..count).map(|_| serving.connect()).collect::<Result<Vec<_>, _>>()?;
    let taken = proportional_set_size(serving.child.id())? - before;
    drop(crowd);
    setrlimit(Resource::Nofile, limit)?;
    Ok(Sample::figure(taken / count as f64))
}
