//! A client that shares the server's memory, in a process of its own.
//!
//! It says a line when it has come to the point that the scenario waits for.

use crate::again;
use crate::crashes;
use crate::raw::Raw;
use crate::running::{Running, builder};
use procession_ipc::byte_queue::{ByteQueue, Got};
use procession_ipc::message::PICKLE;
use procession_ipc::{Lock, Shareable};
use procession_manager::memory::{self, NotShared};
use procession_manager::transport::Address;
use procession_shm::{Family, Handle};
use procession_sys::{Deadline, crash};
use procession_wire::value::Value;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) const ROLES: &[(&str, fn())] = &[
    ("put", put),
    ("get", get),
    ("hold", hold),
    ("put_after", put_after),
    ("why_not", why_not),
    ("ask_and_stay", ask_and_stay),
    ("serve", serve),
    ("live", crashes::live),
    ("meet_no_server", crashes::meet_no_server),
    ("serve_all", crashes::serve),
];

/// How many items a putter puts.
pub(crate) const ITEMS: u64 = 5_000;

/// A client that runs as another process.
pub(crate) struct Client {
    process: Child,
    says: BufReader<ChildStdout>,
    hears: ChildStdin,
}

impl Client {
    /// Starts one in that role, at an object.
    pub(crate) fn start(role: &str, address: &Address, ident: &str, number: u64) -> Self {
        Self::run(again(role), address, ident, number)
    }

    /// Starts one that is killed at a named step.
    pub(crate) fn doomed(point: &str, role: &str, address: &Address) -> Self {
        let mut command = again(role);
        command.env(crash::VARIABLE, point);
        Self::run(command, address, "", 0)
    }

    fn run(mut command: Command, address: &Address, ident: &str, number: u64) -> Self {
        command.env("ADDRESS", address.to_string()).env("IDENT", ident);
        command.env("NUMBER", number.to_string());
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a client");
        let says = BufReader::new(process.stdout.take().expect("its output"));
        let hears = process.stdin.take().expect("its input");
        Self { process, says, hears }
    }

    /// Waits for the next thing that it says.
    pub(crate) fn hear(&mut self) -> String {
        let mut line = String::new();
        self.says.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    pub(crate) fn tell(&mut self) {
        self.hears.write_all(b"go on\n").expect("it listens");
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }

    pub(crate) fn kill(mut self) {
        self.process.kill().expect("it can be killed");
        self.process.wait().expect("it can be reaped");
    }

    /// Waits for its end, which is to be that of its step.
    pub(crate) fn expect_killed(mut self) {
        let status = self.process.wait().expect("it can be reaped");
        assert_eq!(status.signal(), Some(9), "a client that was to be killed: {status}");
    }

    /// Waits for its end, which is to be a good one.
    pub(crate) fn join(mut self) {
        drop(self.hears);
        let status = self.process.wait().expect("it can be reaped");
        assert!(status.success(), "a client: {status}");
    }
}

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name).expect("what the scenario says")
}

fn number() -> u64 {
    variable("NUMBER").parse().expect("a number")
}

pub(crate) fn say(text: impl std::fmt::Display) {
    println!("{text}");
    std::io::stdout().flush().expect("somebody hears");
}

pub(crate) fn wait_to_be_told() {
    std::io::stdin().read_line(&mut String::new()).expect("a line");
}

/// Joins the family of the server at `address`.
pub(crate) fn join(address: &Address) -> Result<&'static Family, NotShared> {
    memory::join(&Raw::known(address).0, Deadline::never())
}

/// The object of that name, in the arena.
pub(crate) fn attach<T: Shareable>(raw: &mut Raw, family: &'static Family, ident: &str) -> T {
    let Value::Tuple(place) = raw.ask(None, "handle", &[ident.into()]).value() else {
        panic!("{ident} is not in the arena");
    };
    let handle = place[0].as_int().and_then(|bits| Handle::from_bits(bits as u64));
    T::attach(family, handle.expect("a handle")).expect("an object")
}

/// A connection, and the object that the scenario is about.
fn object<T: Shareable>() -> (Raw, T) {
    let address: Address = variable("ADDRESS").parse().expect("an address");
    let family = join(&address).expect("the server's memory");
    let mut raw = Raw::ours(&address);
    let object = attach(&mut raw, family, &variable("IDENT"));
    (raw, object)
}

pub(crate) fn pickle(number: u64) -> Vec<u8> {
    procession_wire::pickle::to_vec(&number).expect("a number can be pickled")
}

/// Gets one number.
pub(crate) fn get_number(queue: &ByteQueue, deadline: Deadline) -> Option<u64> {
    let mut bytes = Vec::new();
    match queue.get(&mut bytes, None, deadline) {
        Ok(Got::Message { format: PICKLE, .. }) => {
            Some(procession_wire::pickle::from_slice(&bytes).expect("a number"))
        }
        Err(error) if error.is_timeout() => None,
        other => panic!("{other:?}"),
    }
}

/// Puts numbers from `NUMBER` on.
fn put() {
    let (_raw, queue) = object::<ByteQueue>();
    for item in number()..number() + ITEMS {
        queue.put_one(PICKLE, &pickle(item), Deadline::never()).expect("room");
    }
}

/// Gets numbers, and says them, until it gets `NUMBER`.
fn get() {
    let (_raw, queue) = object::<ByteQueue>();
    say("ready");
    while let Some(item) = get_number(&queue, Deadline::never()) {
        say(item);
        if item == number() {
            return;
        }
    }
}

/// Takes a lock, says so, and gives it back when it is told.
fn hold() {
    let (_raw, lock) = object::<Lock>();
    lock.acquire();
    say("held");
    wait_to_be_told();
    lock.release().expect("it is held");
    say("given back");
    wait_to_be_told();
}

/// Puts `NUMBER` when it is told, which may be after the server's end, and says how many items there are.
fn put_after() {
    let (_raw, queue) = object::<ByteQueue>();
    say("ready");
    wait_to_be_told();
    queue.put_one(PICKLE, &pickle(number()), Deadline::never()).expect("room");
    say(queue.len());
    wait_to_be_told();
}

/// Says why it does not share the memory, and that a call over the socket works all the same.
fn why_not() {
    let address: Address = variable("ADDRESS").parse().expect("an address");
    match join(&address) {
        Ok(_) => say("shared"),
        Err(NotShared::Memory(procession_shm::Error::ForeignNamespace)) => say("foreign"),
        Err(error) => say(error),
    }
    let size = Raw::ours(&address).call(&variable("IDENT"), "qsize", &[]);
    say(size);
}

/// Asks for the memory and does not join.
fn ask_and_stay() {
    let address: Address = variable("ADDRESS").parse().expect("an address");
    let mut raw = Raw::known(&address);
    raw.tell(None, "arena", &[]);
    raw.receive().expect("an answer");
    say("asked");
    wait_to_be_told();
}

/// Is no client but a server.
fn serve() {
    let _server = Running::start(builder(), &variable("ADDRESS"));
    say("serving");
    wait_to_be_told();
}
