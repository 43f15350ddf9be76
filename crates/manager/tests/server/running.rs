//! A server in a thread of the test.

use procession_manager::Type;
use procession_manager::server::{Builder, Counters, Server, Stopper};
use procession_manager::transport::Address;
use std::io;
use std::thread::JoinHandle;

pub(crate) const KEY: &[u8] = b"secret";

/// A server that runs until it is dropped.
pub(crate) struct Running {
    pub(crate) address: Address,
    pub(crate) counters: Counters,
    pub(crate) stopper: Stopper,
    thread: Option<JoinHandle<io::Result<()>>>,
}

/// What these tests ask of every server.
pub(crate) fn builder() -> Builder {
    Server::builder()
        .authkey(KEY)
        .register("get_task_queue", Type::Queue, vec![])
        .register("get_result_queue", Type::Queue, vec![])
        .register("get_small_queue", Type::Queue, vec![1.into()])
}

/// How many objects that are.
pub(crate) const REGISTERED: u64 = 3;

/// As the testkit's, where a server on a Unix socket has an arena, which stays with the process.
pub(crate) fn guard() -> procession_testkit::guard::Guard {
    procession_testkit::guard_after(|| drop(procession_shm::family()))
}

/// A name for a socket, which no other process has.
pub(crate) fn name(what: &str) -> String {
    format!("@procession-test-{what}-{}", std::process::id())
}

impl Running {
    pub(crate) fn start(builder: Builder, address: &str) -> Self {
        Self::run(builder.bind(&address.parse().unwrap()).unwrap())
    }

    /// With what `builder()` has, on a port of the loopback.
    pub(crate) fn tcp() -> Self {
        Self::start(builder(), "127.0.0.1:0")
    }

    pub(crate) fn run(server: Server) -> Self {
        let (address, counters) = (server.address().clone(), server.counters());
        let stopper = server.stopper();
        let thread = Some(std::thread::spawn(move || server.run()));
        Self { address, counters, stopper, thread }
    }

    /// Host and port, as words of a command.
    pub(crate) fn words(&self) -> [String; 2] {
        match &self.address {
            Address::Tcp(host, port) => [host.clone(), port.to_string()],
            other => panic!("{other} has no port"),
        }
    }

    /// Waits for its end.
    pub(crate) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stopper.stop();
        if let Some(thread) = self.thread.take()
            && !std::thread::panicking()
        {
            thread.join().unwrap().unwrap();
        }
    }
}
