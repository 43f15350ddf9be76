//! What must hold.

use crate::client::{Client, ITEMS, attach, get_number, join, pickle};
use crate::crashes;
use crate::raw::{Raw, Said};
use crate::running::{Running, builder};
use crate::typed;
use procession_ipc::byte_queue::{ByteQueue, Got};
use procession_ipc::message::PICKLE;
use procession_ipc::{Array, Lock, Shareable};
use procession_manager::memory::{Cell, NotShared, TICKET};
use procession_shm::Handle;
use procession_sys::Deadline;
use procession_testkit::wait_until;
use procession_wire::message::Token;
use procession_wire::value::Value;
use std::collections::BTreeSet;

pub(crate) const ALL: &[(&str, fn())] = &[
    ("sharers_and_others_on_one_queue_lose_and_double_nothing", mixed),
    ("a_sharer_killed_while_it_waits_takes_nothing", waiting_sharer_takes_nothing),
    ("the_lock_of_a_killed_sharer_goes_to_one_who_waits_over_the_socket", killed_holder),
    ("a_lock_that_a_sharer_gives_back_goes_to_one_who_waits_over_the_socket", lock_goes_over),
    ("the_lock_of_an_ended_connection_goes_to_a_sharer", ended_connection),
    ("a_sharer_lets_those_who_wait_over_the_socket_go_on", lines_are_served),
    ("a_full_queue_takes_more_when_a_sharer_gets", room_is_heard_of),
    ("sharers_go_on_without_the_server", without_the_server),
    ("a_process_of_another_namespace_goes_on_over_the_socket", other_namespace),
    ("a_server_that_shares_nothing_says_so", not_shared),
    ("an_object_goes_with_its_last_holder", memory_returns),
    ("an_item_that_did_not_arrive_is_in_the_queue_again", undelivered),
    ("what_names_an_object_is_kept_by_the_server", tickets),
    ("values_and_arrays_are_the_same_on_both_ways", data),
    ("a_seat_that_nobody_took_is_withdrawn", unused_seat),
    ("typed_proxies_use_the_memory_and_do_as_over_the_socket", typed::proxies),
    ("batches_of_typed_proxies_keep_their_order", typed::batches),
    ("a_typed_proxy_of_an_array_does_as_over_the_socket", typed::arrays),
    ("a_typed_proxy_says_that_the_server_is_gone", typed::without_the_server),
    ("a_sharer_killed_at_any_step_leaves_nothing_and_takes_nothing", crashes::sharers),
    ("sharers_go_on_if_the_server_is_killed_at_any_step", crashes::servers),
];

pub(crate) fn start(name: &str) -> Running {
    Running::start(builder(), &format!("@procession-memory-{name}-{}", std::process::id()))
}

/// A queue, and two ways to it.
fn queue(server: &Running, args: &[Value]) -> (Raw, String, ByteQueue) {
    let family = join(&server.address).expect("the server's memory");
    let mut raw = Raw::ours(&server.address);
    let ident = raw.create("Queue", args);
    let queue = attach(&mut raw, family, &ident);
    (raw, ident, queue)
}

fn mixed() {
    let server = start("mixed");
    let (mut raw, ident, queue) = queue(&server, &[100.into()]);
    let last = 3 * ITEMS;
    let mut getters: Vec<Client> =
        (0..2).map(|_| Client::start("get", &server.address, &ident, last)).collect();
    assert!(getters.iter_mut().all(|getter| getter.hear() == "ready"));
    let putters: Vec<Client> =
        (0..2).map(|at| Client::start("put", &server.address, &ident, at * ITEMS)).collect();
    let (mut found, mut expected) = (BTreeSet::new(), 0);
    let mut note = |number: u64| {
        expected += 1;
        assert!(found.insert(number), "{number} came twice");
    };
    // Over the socket, one thread puts and one gets, both waiting as long as they must. The last number is for each
    // who gets.
    let got: Vec<u64> = std::thread::scope(|scope| {
        let there = scope.spawn(|| {
            let mut raw = Raw::stock(&server.address);
            for number in 2 * ITEMS..last {
                raw.call(&ident, "put", &[number.into()]);
            }
        });
        let here = scope.spawn(|| {
            let mut raw = Raw::stock(&server.address);
            let got = std::iter::repeat_with(|| raw.call(&ident, "get", &[]).as_int().unwrap());
            got.map(|number| number as u64).take_while(|number| *number != last).collect()
        });
        putters.into_iter().for_each(Client::join);
        there.join().unwrap();
        for _ in 0..3 {
            queue.put_one(PICKLE, &pickle(last), Deadline::never()).unwrap();
        }
        here.join().unwrap()
    });
    assert!(!got.is_empty());
    got.into_iter().for_each(&mut note);
    for mut getter in getters {
        loop {
            let number = getter.hear().parse().unwrap();
            if number == last {
                break;
            }
            note(number);
        }
        getter.join();
    }
    assert_eq!((expected, found.last()), (last, Some(&(last - 1))));
    assert_eq!(raw.call(&ident, "qsize", &[]), 0.into());
}

fn waiting_sharer_takes_nothing() {
    let server = start("waiting");
    let (mut raw, ident, _) = queue(&server, &[]);
    let mut sharer = Client::start("get", &server.address, &ident, 1);
    assert_eq!(sharer.hear(), "ready");
    sharer.kill();
    raw.call(&ident, "put", &["item".into()]);
    assert_eq!(raw.call(&ident, "get", &[]), "item".into());
}

fn killed_holder() {
    let server = start("killed-holder");
    let mut raw = Raw::ours(&server.address);
    let ident = raw.create("Lock", &[]);
    let mut sharer = Client::start("hold", &server.address, &ident, 0);
    assert_eq!(sharer.hear(), "held");
    raw.tell(Some(&ident), "acquire", &[]);
    wait_until("it waits", || server.counters.read().waiting == 1);
    sharer.kill();
    assert_eq!(raw.hear(), Said::Returned(Value::Bool(true)));
}

fn lock_goes_over() {
    let server = start("lock-goes-over");
    let mut raw = Raw::stock(&server.address);
    let mut ours = Raw::ours(&server.address);
    let ident = ours.create("Lock", &[]);
    let mut sharer = Client::start("hold", &server.address, &ident, 0);
    assert_eq!(sharer.hear(), "held");
    assert_eq!(raw.call(&ident, "acquire", &[false.into()]), Value::Bool(false));
    raw.tell(Some(&ident), "acquire", &[]);
    wait_until("it waits", || server.counters.read().waiting == 1);
    sharer.tell();
    assert_eq!(raw.hear(), Said::Returned(Value::Bool(true)));
    assert_eq!(sharer.hear(), "given back");
    // Anybody may release it, and only once.
    ours.call(&ident, "release", &[]);
    let refused = ours.ask(Some(&ident), "release", &[]);
    assert_eq!(refused, Said::Raised("RuntimeError: release unlocked lock".to_owned()));
    sharer.join();
}

fn ended_connection() {
    let server = start("ended-connection");
    let family = join(&server.address).unwrap();
    let (mut raw, mut holder) = (Raw::ours(&server.address), Raw::ours(&server.address));
    let ident = raw.create("Lock", &[]);
    let lock: Lock = attach(&mut raw, family, &ident);
    holder.call(&ident, "acquire", &[]);
    assert!(!lock.try_acquire());
    drop(holder);
    lock.acquire();
    // It is the sharer's now, whatever else ends.
    let mut other = Raw::ours(&server.address);
    assert_eq!(other.call(&ident, "acquire", &[false.into()]), Value::Bool(false));
    drop(other);
    assert!(lock.is_locked());
    lock.release().unwrap();
}

fn lines_are_served() {
    let server = start("lines");
    let (raw, ident, queue) = queue(&server, &[]);
    let (mut getter, mut joiner) = (Raw::stock(&server.address), Raw::stock(&server.address));
    getter.tell(Some(&ident), "get", &[]);
    wait_until("it waits", || server.counters.read().waiting == 1);
    queue.put_one(PICKLE, &pickle(7), Deadline::now()).unwrap();
    assert_eq!(getter.hear(), Said::Returned(7.into()));
    joiner.tell(Some(&ident), "join", &[]);
    wait_until("it waits", || server.counters.read().waiting == 1);
    queue.task_done().unwrap();
    assert_eq!(joiner.hear(), Said::Returned(Value::None));
    getter.tell(Some(&ident), "get", &[true.into(), Value::Float(0.02)]);
    assert_eq!(getter.hear(), Said::Raised("queue.Empty".to_owned()));
    getter.tell(Some(&ident), "get", &[]);
    wait_until("it waits", || server.counters.read().waiting == 1);
    queue.shut();
    assert_eq!(getter.hear(), Said::Raised("queue.ShutDown".to_owned()));
    drop(raw);
}

fn room_is_heard_of() {
    let server = start("room");
    let (mut raw, ident, queue) = queue(&server, &[1.into()]);
    raw.call(&ident, "put", &[1.into()]);
    assert_eq!(raw.call(&ident, "full", &[]), Value::Bool(true));
    let mut putter = Raw::stock(&server.address);
    putter.tell(Some(&ident), "put", &[2.into()]);
    wait_until("it waits", || server.counters.read().waiting == 1);
    assert_eq!(get_number(&queue, Deadline::never()), Some(1));
    assert_eq!(putter.hear(), Said::Returned(Value::None));
    assert_eq!(get_number(&queue, Deadline::never()), Some(2));
}

fn without_the_server() {
    let server = start("without");
    let (raw, ident, queue) = queue(&server, &[]);
    let mut sharer = Client::start("put_after", &server.address, &ident, 9);
    assert_eq!(sharer.hear(), "ready");
    drop((raw, server));
    sharer.tell();
    assert_eq!(sharer.hear(), "1");
    assert_eq!(get_number(&queue, Deadline::never()), Some(9));
    sharer.join();
}

fn other_namespace() {
    use std::os::unix::process::ExitStatusExt;
    let server = start("namespace");
    let (_raw, ident, _) = queue(&server, &[]);
    let shell = std::process::Command::new("unshare")
        .args(["--user", "--map-root-user", "--pid", "--fork"])
        .arg(std::env::current_exe().unwrap())
        .env(crate::ROLE, "why_not")
        .env("ADDRESS", server.address.to_string())
        .env("IDENT", &ident)
        .env("NUMBER", "0")
        .output();
    let Ok(output) = shell else { return eprintln!("skipped: there is no unshare here") };
    if output.status.code() == Some(1) && output.stdout.is_empty() {
        return eprintln!("skipped: {}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(output.status.signal(), None);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "foreign\n0\n");
}

fn not_shared() {
    let name = format!("@procession-memory-not-{}", std::process::id());
    let server = Running::start(builder().share_memory(false), &name);
    assert!(matches!(join(&server.address), Err(NotShared::Refused)));
    let mut raw = Raw::ours(&server.address);
    let ident = raw.create("Queue", &[]);
    assert_eq!(raw.ask(None, "handle", &[ident.as_str().into()]), Said::Returned(Value::None));
    let far = Running::tcp();
    assert!(matches!(join(&far.address), Err(NotShared::Refused | NotShared::Connection(_))));
}

fn memory_returns() {
    let server = start("returns");
    let (mut raw, ident, queue) = queue(&server, &[]);
    let (family, handle) = (queue.held().family(), queue.handle());
    let mut sharer = Client::start("get", &server.address, &ident, 0);
    assert_eq!(sharer.hear(), "ready");
    raw.ask(None, "decref", &[ident.as_str().into()]).value();
    let gone = raw.ask(Some(&ident), "qsize", &[]);
    assert_eq!(gone, Said::Traceback(format!("KeyError: '{ident}'\n")));
    drop(queue);
    let exists = |handle: Handle| family.nature(handle).is_some();
    assert!(exists(handle), "the other sharer has it");
    let pid = sharer.pid();
    sharer.kill();
    wait_until("the server has buried it", || !exists(handle));
    assert!(family.members().iter().all(|member| member.pid != pid));
}

fn undelivered() {
    let server = start("undelivered");
    let (mut raw, ident, queue) = queue(&server, &[]);
    let mut lazy = Raw::ours(&server.address);
    let large = Value::Bytes(vec![7; 1 << 20]);
    for _ in 0..3 {
        raw.call(&ident, "put", std::slice::from_ref(&large));
    }
    // Its socket does not take all of what it asks for and does not read.
    lazy.tell(Some(&ident), "get", &[]);
    wait_until("it was taken for it", || queue.len() == 2);
    drop(lazy);
    wait_until("it is there again", || queue.len() == 3);
    assert_eq!(queue.unfinished(), 3, "it is counted once");
    for _ in 0..3 {
        assert_eq!(raw.call(&ident, "get", &[]), large);
    }
}

fn tickets() {
    let server = start("tickets");
    let (mut raw, ident, queue) = queue(&server, &[]);
    let list = raw.create("list", &[]);
    let token = Token { typeid: "list".into(), address: Value::None, id: list.clone() };
    let proxy = token.to_value();
    for _ in 0..2 {
        raw.call(&ident, "put", std::slice::from_ref(&proxy));
    }
    raw.ask(None, "decref", &[list.as_str().into()]).value();
    assert_eq!(raw.call(&list, "__len__", &[]), 0.into(), "what is in the queue keeps it");
    let mut bytes = Vec::new();
    let got = queue.get(&mut bytes, None, Deadline::now()).unwrap();
    assert!(matches!(got, Got::Message { format: TICKET, len: 8 }));
    let ticket = u64::from_ne_bytes(bytes.try_into().unwrap());
    let claim = [ident.as_str().into(), ticket.into()];
    assert!(matches!(raw.ask(None, "claim", &claim), Said::Returned(_)));
    assert!(matches!(raw.ask(None, "claim", &claim), Said::Traceback(_)), "only once");
    assert!(matches!(raw.ask(Some(&ident), "get", &[]), Said::Returned(_)));
    assert_eq!(
        raw.ask(Some(&list), "__len__", &[]),
        Said::Returned(0.into()),
        "whoever took it has it until it asks for more"
    );
    assert!(matches!(raw.ask(Some(&list), "__len__", &[]), Said::Traceback(_)));
}

fn data() {
    let server = start("data");
    let family = join(&server.address).unwrap();
    let mut raw = Raw::ours(&server.address);
    let ident = raw.create("Value", &["i".into(), 5.into()]);
    let place = raw.ask(None, "handle", &[ident.as_str().into()]).value();
    let Value::Tuple(place) = place else { panic!("{place}") };
    let handle = Handle::from_bits(place[0].as_int().unwrap() as u64).unwrap();
    let cell = Cell::attach(family, handle).unwrap();
    let mut bytes = Vec::new();
    assert!(cell.get(&mut bytes, Deadline::never(), || false).unwrap());
    assert_eq!(procession_wire::pickle::from_slice::<u64>(&bytes).unwrap(), 5);
    assert!(cell.set(&pickle(6), Deadline::never(), || false).unwrap());
    assert_eq!(raw.call(&ident, "get", &[]), 6.into());
    let long = Value::from("x".repeat(100).as_str());
    raw.call(&ident, "set", std::slice::from_ref(&long));
    assert!(!cell.get(&mut bytes, Deadline::never(), || false).unwrap(), "it is with the server");
    assert_eq!(raw.call(&ident, "get", &[]), long);

    let numbers = Value::List(vec![1.into(), 2.into(), 3.into()]);
    let ident = raw.create("Array", &["h".into(), numbers]);
    let array: Array<i16> = attach(&mut raw, family, &ident);
    assert_eq!(array.to_vec(), [1, 2, 3]);
    array.set(1, 20).unwrap();
    raw.call(&ident, "__setitem__", &[0.into(), 10.into()]);
    assert_eq!(raw.call(&ident, "__getitem__", &[1.into()]), 20.into());
    assert_eq!(array.to_vec(), [10, 20, 3]);
    let refused = raw.ask(Some(&ident), "__setitem__", &[0.into(), 70_000.into()]);
    assert!(matches!(refused, Said::Raised(text) if text.starts_with("OverflowError")));
}

fn unused_seat() {
    let server = start("seat");
    let family = join(&server.address).unwrap();
    let before = family.members().len();
    let mut asker = Client::start("ask_and_stay", &server.address, "", 0);
    assert_eq!(asker.hear(), "asked");
    assert_eq!(family.members().len(), before + 1);
    asker.kill();
    wait_until("the seat is free", || family.members().len() == before);
}
