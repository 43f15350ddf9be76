//! Managers of each kind.

use procession_manager::Type;
use procession_manager::client::Manager;
use procession_manager::server::{Builder, Server, Stopper};
use procession_manager::transport::{Address, TlsServer};
use procession_testkit::interpreters::Interpreter;
use procession_testkit::{guard, interpreters};
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::JoinHandle;

pub(crate) const KEY: &str = "secret";

/// The program that stock runs.
const PEER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/peer.py");

/// Whose manager it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    /// CPython's, of this version.
    Stock(u32, u32),
}

/// A manager with the names `get_task_queue`, `get_result_queue` and `get_small_queue`, whose bound is 1.
pub(crate) trait Serves {
    fn kind(&self) -> Kind;

    fn address(&self) -> (&str, u16);

    fn connect(&self) -> Manager {
        Manager::connect(self.address(), KEY).expect("the manager answers")
    }
}

/// A manager in a CPython of its own. It ends with its standard input.
#[derive(Debug)]
pub(crate) struct Stock {
    version: (u32, u32),
    port: u16,
    child: Child,
    commands: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Stock {
    pub(crate) fn start(python: &Interpreter) -> Self {
        let mut child = python
            .command()
            .args([PEER, "server", KEY])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the interpreter runs");
        let commands = child.stdin.take();
        let lines = BufReader::new(child.stdout.take().expect("it is a pipe"));
        let mut stock = Self { version: python.version, port: 0, child, commands, lines };
        stock.port = stock.line().parse().expect("it says its port first");
        stock
    }

    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("it prints text");
        line.trim_end().to_owned()
    }

    /// Has it do something; what it says of that.
    pub(crate) fn command(&mut self, command: &str) -> String {
        let commands = self.commands.as_mut().expect("it runs");
        writeln!(commands, "{command}").expect("it reads");
        self.line()
    }

    /// It lives, and does nothing from here on: the signal alone is not the stop.
    pub(crate) fn stop(&self) {
        self.signal(Signal::STOP);
        waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED).expect("it is ours");
    }

    pub(crate) fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("it is ours");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it is ours");
        self.child.wait().expect("it is ours");
    }
}

impl Drop for Stock {
    fn drop(&mut self) {
        drop(self.commands.take());
        if std::thread::panicking() {
            // It may be stopped.
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

impl Serves for Stock {
    fn kind(&self) -> Kind {
        Kind::Stock(self.version.0, self.version.1)
    }

    fn address(&self) -> (&str, u16) {
        ("127.0.0.1", self.port)
    }
}

/// A manager of ours, in a thread of the test.
pub(crate) struct Ours {
    pub(crate) address: Address,
    stopper: Stopper,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Ours {
    pub(crate) fn start() -> Self {
        Self::start_at("127.0.0.1:0", None)
    }

    pub(crate) fn start_at(address: &str, tls: Option<TlsServer>) -> Self {
        let builder = tls.into_iter().fold(Server::builder(), Builder::tls);
        let server = builder
            .authkey(KEY)
            .register("get_task_queue", Type::Queue, vec![])
            .register("get_result_queue", Type::Queue, vec![])
            .register("get_small_queue", Type::Queue, vec![1.into()])
            .bind(&address.parse().unwrap())
            .unwrap();
        let (address, stopper) = (server.address().clone(), server.stopper());
        Self { address, stopper, thread: Some(std::thread::spawn(move || server.run())) }
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.stopper.stop();
        let ended = self.thread.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            ended.expect("it ran").expect("it did not panic").expect("it could wait");
        }
    }
}

impl Serves for Ours {
    fn kind(&self) -> Kind {
        Kind::Ours
    }

    fn address(&self) -> (&str, u16) {
        match &self.address {
            Address::Tcp(host, port) => (host, *port),
            other => panic!("{other} has no port"),
        }
    }
}

/// Runs a test against the stock managers of all interpreters.
pub(crate) fn every_stock(test: impl Fn(&mut Stock)) {
    let _guard = guard();
    if interpreters().is_empty() {
        eprintln!("skipped: there is no CPython here");
    }
    for python in interpreters() {
        test(&mut Stock::start(python));
    }
}

/// Runs a test against a manager of ours, and the stock managers of all interpreters.
pub(crate) fn every(test: impl Fn(&dyn Serves)) {
    every_stock(|stock| test(stock));
    let _guard = guard();
    test(&Ours::start());
}

/// Runs a test against a manager of ours, and the stock managers of the oldest and the newest interpreter.
pub(crate) fn each(test: impl Fn(&dyn Serves)) {
    let _guard = guard();
    test(&Ours::start());
    let oldest = interpreters().first();
    let newest = interpreters().last().filter(|newest| Some(*newest) != oldest);
    for python in oldest.into_iter().chain(newest) {
        test(&Stock::start(python));
    }
}
