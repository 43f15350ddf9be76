//! A death at each named step of the hand-over, and of what is done in the memory; the steps are in the README of the crate.

use crate::client::{Client, attach, get_number, join, pickle, say, variable, wait_to_be_told};
use crate::raw::{Raw, Said};
use crate::running::{KEY, Running, builder};
use procession_ipc::Lock;
use procession_ipc::byte_queue::ByteQueue;
use procession_ipc::message::PICKLE;
use procession_manager::Type;
use procession_manager::client::{self, Manager, ManagerError, Queue, Value};
use procession_manager::server::Builder;
use procession_manager::transport::Address;
use procession_shm::Family;
use procession_sys::Deadline;
use procession_testkit::wait_until;
use procession_wire::message::Token;
use procession_wire::value;

/// A server with one object of each kind that is shared.
fn with_objects() -> Builder {
    builder()
        .register("get_value", Type::Value, vec!["i".into(), 5.into()])
        .register("get_array", Type::Array, vec!["h".into(), value::Value::List(vec![1.into()])])
        .register("get_lock", Type::Lock, vec![])
}

fn address(name: &str) -> Address {
    format!("@procession-memory-{name}-{}", std::process::id()).parse().expect("an address")
}

/// The server itself, in a process of its own.
pub(crate) fn serve() {
    let _server = Running::start(with_objects(), &variable("ADDRESS"));
    say("serving");
    wait_to_be_told();
}

/// A sharer that goes through all steps, and is killed at one.
pub(crate) fn live() {
    let manager = Manager::connect(variable("ADDRESS").as_str(), KEY).unwrap();
    let tasks: Queue<u64> = manager.get("get_task_queue").unwrap();
    let results: Queue<()> = manager.get("get_result_queue").unwrap();
    let value: Value<u64> = manager.get("get_value").unwrap();
    let array: client::Array<i64> = manager.get("get_array").unwrap();
    let lock: client::Lock = manager.get("get_lock").unwrap();
    let own = manager.queue::<String>().unwrap();
    own.put(&"x".repeat(1 << 20)).unwrap();
    lock.acquire().unwrap();
    tasks.put(&1).unwrap();
    value.set(&6).unwrap();
    array.set(0, &10).unwrap();
    results.get_payload().unwrap();
    tasks.put(&2).unwrap();
    drop(own);
    lock.release().unwrap();
    say("done");
}

/// What a sharer had done when it was killed.
struct Done {
    tasks: u64,
    value: u64,
    number: i64,
    results: usize,
}

const NOTHING: Done = Done { tasks: 0, value: 5, number: 1, results: 0 };

/// The objects as a client over the socket sees them.
struct Other {
    raw: Raw,
    tasks: String,
    results: String,
    value: String,
    array: String,
    lock: String,
}

impl Other {
    fn new(server: &Running) -> Self {
        let mut raw = Raw::ours(&server.address);
        let mut get = |name| raw.create(name, &[]);
        let (tasks, results) = (get("get_task_queue"), get("get_result_queue"));
        let (value, array, lock) = (get("get_value"), get("get_array"), get("get_lock"));
        Self { raw, tasks, results, value, array, lock }
    }

    fn objects(&mut self) -> value::Value {
        self.raw.ask(None, "number_of_objects", &[]).value()
    }

    /// Takes everything out of a queue: how many items that were.
    fn drain(&mut self, queue: &str) -> Vec<Said> {
        let got = std::iter::repeat_with(|| self.raw.ask(Some(queue), "get_nowait", &[]));
        got.take_while(|said| *said != Said::Raised("queue.Empty".to_owned())).collect()
    }

    /// Puts two payloads that the server keeps, as they name an object of its own.
    fn put_tickets(&mut self, list: &str) {
        let token = Token { typeid: "list".into(), address: value::Value::None, id: list.into() };
        for _ in 0..2 {
            self.raw.call(&self.results, "put", &[token.to_value()]);
        }
    }

    /// That it is as the sharer left it, and as it was before for the next one.
    fn expect(&mut self, point: &str, done: &Done) {
        // The burial gives the lock back, and who waits for it goes on.
        assert_eq!(self.raw.call(&self.lock, "acquire", &[]), value::Value::Bool(true));
        self.raw.call(&self.lock, "release", &[]);
        let (tasks, results) = (self.tasks.clone(), self.results.clone());
        let expected: Vec<_> = (1..=done.tasks).map(|task| Said::Returned(task.into())).collect();
        assert_eq!(self.drain(&tasks), expected, "{point}");
        assert_eq!(self.drain(&results).len(), 2 - done.results, "{point}");
        assert_eq!(self.raw.call(&self.value, "get", &[]), done.value.into(), "{point}");
        assert_eq!(self.raw.call(&self.array, "__getitem__", &[0.into()]), done.number.into());
        self.raw.call(&self.value, "set", &[5.into()]);
        self.raw.call(&self.array, "__setitem__", &[0.into(), 1.into()]);
    }
}

pub(crate) fn sharers() {
    let server = Running::start(with_objects(), &address("sharers").to_string());
    let family = join(&server.address).unwrap();
    let mut other = Other::new(&server);
    let list = other.raw.create("list", &[]);
    let all = Done { tasks: 2, value: 6, number: 10, results: 1 };
    // One that lives, so that the queues have the memory that they keep.
    let whole = |other: &mut Other| {
        other.put_tickets(&list);
        let mut sharer = Client::start("live", &server.address, "", 0);
        assert_eq!(sharer.hear(), "done");
        sharer.join();
        other.expect("none", &all);
    };
    whole(&mut other);
    let is_alone = || family.members().iter().all(|member| member.pid == std::process::id());
    wait_until("its seat is free", is_alone);
    let (objects, used) = (other.objects(), family.arena().usage().0);

    let after = |tasks, value, number, results| Done { tasks, value, number, results };
    for (point, done) in [
        ("manager.join.asked", NOTHING),
        ("manager.join.received", NOTHING),
        ("manager.join.joined", NOTHING),
        ("manager.near.told", NOTHING),
        ("manager.near.held:3", NOTHING),
        ("manager.cell.locked", after(1, 5, 1, 0)),
        ("manager.numbers.locked", after(1, 6, 1, 0)),
        ("manager.numbers.before_release", after(1, 6, 10, 0)),
        ("manager.ticket.taken", after(1, 6, 10, 1)),
        ("manager.near.let_go", after(2, 6, 10, 1)),
    ] {
        other.put_tickets(&list);
        Client::doomed(point, "live", &server.address).expect_killed();
        other.expect(point, &done);
        wait_until("its seat is free", is_alone);
        wait_until("its references are dropped", || other.objects() == objects);
        wait_until("its memory is free", || family.arena().usage().0 <= used);
    }
    whole(&mut other);
}

/// A client that comes while the server is killed: it is told so.
pub(crate) fn meet_no_server() {
    let told = || -> Result<(), ManagerError> {
        let manager = Manager::connect(variable("ADDRESS").as_str(), KEY)?;
        manager.get::<Queue<u64>>("get_task_queue")?.put(&7)
    };
    let told = told();
    assert!(
        matches!(told, Err(ManagerError::Lost { .. } | ManagerError::Connect { .. })),
        "{told:?}"
    );
    say("told");
}

/// A server that is going to be killed, and what this process shares with it.
struct Doomed {
    address: Address,
    family: &'static Family,
    raw: Raw,
    queue: ByteQueue,
    lock: Lock,
    /// What the lock is called.
    ident: String,
    manager: Manager,
    tasks: Queue<u64>,
    results: Queue<()>,
}

impl Doomed {
    fn of(address: Address) -> Self {
        let family = join(&address).unwrap();
        let mut raw = Raw::ours(&address);
        let (tasks, ident) = (raw.create("get_task_queue", &[]), raw.create("get_lock", &[]));
        let queue = attach(&mut raw, family, &tasks);
        let lock = attach(&mut raw, family, &ident);
        let manager = Manager::connect(address.clone(), KEY).unwrap();
        let tasks = manager.get("get_task_queue").unwrap();
        let results = manager.get("get_result_queue").unwrap();
        Self { address, family, raw, queue, lock, ident, manager, tasks, results }
    }

    /// Puts what names an object of the server into the queue of results.
    fn put_ticket(&mut self) {
        let list = self.raw.create("list", &[]);
        let results = self.raw.create("get_result_queue", &[]);
        let token = Token { typeid: "list".into(), address: value::Value::None, id: list };
        self.raw.tell(Some(&results), "put", &[token.to_value()]);
    }

    /// Another client comes, and asks for the memory.
    fn meet(&mut self) {
        let mut client = Client::start("meet_no_server", &self.address, "", 0);
        assert_eq!(client.hear(), "told");
        client.join();
    }

    /// Asks for another object.
    fn ask_for_more(&mut self) {
        let more = self.manager.queue::<u64>().unwrap();
        assert!(matches!(more.put(&1), Err(ManagerError::Lost { .. })));
    }

    /// Has a client over the socket wait for an item.
    fn wait_for_item(&mut self) {
        let mut raw = Raw::stock(&self.address);
        let results = self.raw.create("get_result_queue", &[]);
        raw.tell(Some(&results), "get", &[]);
        assert!(raw.is_ended());
    }

    fn claim(&mut self) {
        self.put_ticket();
        assert_eq!(self.raw.hear(), Said::Returned(value::Value::None));
        let claimed = self.results.get_payload();
        assert!(matches!(claimed, Err(ManagerError::Lost { .. })), "{claimed:?}");
    }

    /// Has another sharer die with the lock.
    fn kill_holder(&mut self) {
        let mut holder = Client::start("hold", &self.address, &self.ident, 0);
        assert_eq!(holder.hear(), "held");
        assert!(!self.lock.try_acquire());
        holder.kill();
    }
}

pub(crate) fn servers() {
    // The passings before are of what this process asks for itself.
    for (point, bring_about) in [
        ("manager.offer.reserved:2", Doomed::meet as fn(&mut Doomed)),
        ("manager.offer.sent:2", Doomed::meet),
        ("manager.offer.placed:5", Doomed::ask_for_more),
        ("manager.bells.hung", Doomed::wait_for_item),
        ("manager.ticket.put", Doomed::put_ticket),
        ("manager.ticket.claimed", Doomed::claim),
        ("manager.offer.before_bury", Doomed::kill_holder),
    ] {
        let place = address(point.split(':').next().expect("a name"));
        let mut server = Client::doomed(point, "serve_all", &place);
        assert_eq!(server.hear(), "serving");
        let mut doomed = Doomed::of(place);
        doomed.tasks.put(&1).unwrap();
        bring_about(&mut doomed);
        server.expect_killed();

        let Doomed { family, queue, lock, tasks, .. } = doomed;
        // Whoever waits for it looks for the death.
        lock.acquire();
        lock.release().unwrap();
        wait_until("the death is known, and the seats are free", || {
            family.look_for_deaths();
            family.members().iter().all(|member| member.pid == std::process::id())
        });
        assert!(matches!(tasks.put(&2), Err(ManagerError::Lost { .. })), "{point}");
        // What is in the memory is there for those who are.
        queue.put_one(PICKLE, &pickle(3), Deadline::never()).unwrap();
        let got = [1, 2, 3].map(|_| get_number(&queue, Deadline::now()));
        assert_eq!(got, [Some(1), Some(3), None], "{point}");
    }
}
