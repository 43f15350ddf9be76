//! A guest beside the server: here one that has counters, and takes over lists and dicts.

use crate::raw::{Raw, Said, control};
use crate::running::{KEY, Running};
use procession_manager::Type;
use procession_manager::server::guest::{Errand, Made};
use procession_manager::server::{Errands, Server};
use procession_testkit::{guard, wait_until};
use procession_wire::message::{Exception, Scanner, Token, answer};
use procession_wire::value::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// What the guest has, by name, and what it was told.
#[derive(Default)]
struct Host {
    counters: HashMap<String, i128>,
    adopted: HashMap<String, Vec<Value>>,
    forgotten: Vec<String>,
    ended: usize,
}

fn reply(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes);
    bytes
}

impl Host {
    fn made(&mut self, ident: &str) -> Made {
        self.counters.entry(ident.to_owned()).or_insert(0);
        Made {
            ident: ident.to_owned(),
            typeid: "Counter".to_owned(),
            exposed: vec!["add".to_owned(), "child".to_owned()],
        }
    }

    fn create(&mut self, ident: String) -> (Vec<u8>, Option<Made>) {
        let made = self.made(&ident);
        let exposed = made.exposed.iter().map(|name| name.as_str().into()).collect();
        let value = Value::Tuple(vec![ident.into(), Value::Tuple(exposed)]);
        (reply(|to| answer::returned(to, &value)), Some(made))
    }

    fn call(&mut self, ident: &str, request: &[u8], fresh: &str) -> (Vec<u8>, Option<Made>) {
        let mut scanner = Scanner::new();
        let request = scanner.request(request).unwrap();
        if let Some(items) = self.adopted.get_mut(ident) {
            assert_eq!(request.method, "sort");
            items.sort_by_key(|item| format!("{item:?}"));
            return (reply(|to| answer::returned(to, &Value::None)), None);
        }
        let count = self.counters.get_mut(ident).unwrap();
        match request.method {
            "add" => {
                *count += request.args[0].value().unwrap().as_int().unwrap();
                let value = Value::from(*count);
                (reply(|to| answer::returned(to, &value)), None)
            }
            "child" => {
                let made = self.made(fresh);
                let exposed: Vec<_> = made.exposed.iter().map(String::as_str).collect();
                let token =
                    Token { typeid: "Counter".into(), address: Value::None, id: fresh.into() };
                (reply(|to| answer::proxy(to, &exposed, &token)), Some(made))
            }
            _ => {
                let error = Exception::new("builtins", "ValueError", vec![]);
                (reply(|to| answer::raised(to, &error)), None)
            }
        }
    }

    fn adopt(&mut self, ident: String, contents: &[u8]) {
        let mut scanner = Scanner::new();
        let procession_wire::message::Reply::Return(value) = scanner.reply(contents).unwrap()
        else {
            panic!("no contents");
        };
        let Value::List(items) = value.describe().unwrap() else { panic!("no list") };
        self.adopted.insert(ident, items);
    }
}

/// Does errands until there are no more.
fn work(errands: &Errands, host: &Mutex<Host>) {
    let shared = errands.ident();
    while let Some(errand) = errands.next() {
        let mut host = host.lock().unwrap();
        match errand {
            Errand::Create { connection, typeid, .. } => {
                let ident = if typeid == "shared" { shared.clone() } else { errands.ident() };
                let (reply, made) = host.create(ident);
                errands.answer(connection, reply, made);
            }
            Errand::Call { connection, ident, request } => {
                let (reply, made) = host.call(&ident, &request, &errands.ident());
                errands.answer(connection, reply, made);
            }
            Errand::Adopt { ident, kind, contents } => {
                assert_eq!(kind, Type::List);
                host.adopt(ident, &contents);
            }
            Errand::Forget { ident, .. } => {
                host.counters.remove(&ident);
                host.adopted.remove(&ident);
                host.forgotten.push(ident);
            }
            Errand::Describe { connection, .. } => {
                let text = Value::from("described by the guest");
                errands.answer(connection, reply(|to| answer::returned(to, &text)), None);
            }
            Errand::Ended { .. } => host.ended += 1,
        }
    }
}

struct Hosting {
    host: Arc<Mutex<Host>>,
    guest: Option<JoinHandle<()>>,
    server: Running,
}

impl Hosting {
    fn start() -> Self {
        let builder = Server::builder().authkey(KEY).guest("Counter").guest("shared");
        let mut server = builder.bind(&"127.0.0.1:0".parse().unwrap()).unwrap();
        let errands = server.errands().unwrap();
        assert!(server.errands().is_none());
        let host = Arc::new(Mutex::new(Host::default()));
        let theirs = Arc::clone(&host);
        let guest = Some(std::thread::spawn(move || work(&errands, &theirs)));
        Self { host, guest, server: Running::run(server) }
    }
}

impl Drop for Hosting {
    fn drop(&mut self) {
        self.server.stopper.stop();
        self.guest.take().unwrap().join().unwrap();
    }
}

#[test]
fn a_guest_makes_calls_and_forgets_its_own_objects() {
    let _guard = guard();
    let hosting = Hosting::start();
    let mut raw = Raw::ours(&hosting.server.address);
    let counter = raw.create("Counter", &[]);
    assert_eq!(raw.call(&counter, "add", &[2.into()]), 2.into());
    assert_eq!(raw.call(&counter, "add", &[3.into()]), 5.into());
    assert_eq!(raw.ask(Some(&counter), "__str__", &[]), Said::Raised("ValueError".into()));
    assert!(matches!(raw.ask(Some(&counter), "hidden", &[]), Said::Traceback(_)));
    let described = control(&hosting.server.address, "debug_info", &[]);
    assert_eq!(described, Said::Returned("described by the guest".into()));
    let Said::Proxy(child, exposed) = raw.ask(Some(&counter), "child", &[]) else {
        panic!("no proxy");
    };
    assert_eq!(exposed, ["add", "child"]);
    assert_eq!(raw.call(&child, "add", &[1.into()]), 1.into());
    raw.ask(None, "decref", &[child.as_str().into()]).value();
    drop(raw);
    wait_until("everything is forgotten, and the connection over", || {
        let host = hosting.host.lock().unwrap();
        host.counters.is_empty() && host.ended == 2
    });
    assert_eq!(hosting.host.lock().unwrap().forgotten, [child, counter]);
}

#[test]
fn the_same_object_of_a_guest_has_the_same_name() {
    let _guard = guard();
    let hosting = Hosting::start();
    let mut raw = Raw::ours(&hosting.server.address);
    let (one, other) = (raw.create("shared", &[]), raw.create("shared", &[]));
    assert_eq!(one, other);
    let ident = [Value::from(one.as_str())];
    raw.ask(None, "decref", &ident).value();
    assert_eq!(raw.call(&one, "add", &[1.into()]), 1.into());
    raw.ask(None, "decref", &ident).value();
    wait_until("it is forgotten", || hosting.host.lock().unwrap().forgotten == [one.clone()]);
    // A stock client's short connection creates over the guest too.
    let Said::Returned(Value::Tuple(parts)) =
        control(&hosting.server.address, "create", &["shared".into()])
    else {
        panic!("no object");
    };
    assert_eq!(parts[0], one.as_str().into());
}

#[test]
fn a_guest_adopts_an_object_when_a_call_needs_its_contents() {
    let _guard = guard();
    let hosting = Hosting::start();
    let (mut raw, mut other) =
        (Raw::ours(&hosting.server.address), Raw::ours(&hosting.server.address));
    let list = raw.create("list", &[]);
    for name in ["b", "a"] {
        raw.call(&list, "append", &[Value::call("m", "Thing", vec![name.into()])]);
    }
    assert_eq!(raw.call(&list, "sort", &[]), Value::None);
    let expected = ["a", "b"].map(|name| Value::call("m", "Thing", vec![name.into()]));
    assert_eq!(hosting.host.lock().unwrap().adopted[&list], expected);
    // For everybody, and under the same name.
    assert_eq!(other.call(&list, "sort", &[]), Value::None);
}

#[test]
fn what_needs_contents_is_a_type_error_without_a_guest() {
    let _guard = guard();
    let server = Running::tcp();
    let mut raw = Raw::ours(&server.address);
    let list = raw.create("list", &[]);
    for name in ["b", "a"] {
        raw.call(&list, "append", &[Value::call("m", "Thing", vec![name.into()])]);
    }
    let Said::Raised(text) = raw.ask(Some(&list), "sort", &[]) else { panic!("no exception") };
    assert!(text.starts_with("TypeError: comparing the items of a list needs"), "{text}");
    assert_eq!(raw.call(&list, "__len__", &[]), 2.into());
}

#[test]
fn a_guest_keeps_what_it_holds_and_its_end_is_told() {
    let _guard = guard();
    let mut server = Server::builder()
        .authkey(KEY)
        .guest("Counter")
        .bind(&"127.0.0.1:0".parse().unwrap())
        .unwrap();
    let errands = server.errands().unwrap();
    let server = Running::run(server);
    let (mut raw, mut waiting) = (Raw::ours(&server.address), Raw::ours(&server.address));
    let list = raw.create("list", &[]);
    errands.hold(&list);
    wait_until("it is held", || {
        let Said::Returned(text) = control(&server.address, "debug_info", &[]) else { panic!() };
        text.as_str().unwrap().contains("refcount=2")
    });
    raw.ask(None, "decref", &[list.as_str().into()]).value();
    assert_eq!(raw.call(&list, "__len__", &[]), 0.into());
    waiting.tell(None, "create", &["Counter".into()]);
    wait_until("it waits for the guest", || server.counters.read().waiting == 1);
    drop(errands);
    let ended = "RuntimeError: the program that hosts this object in the server has ended\n";
    assert_eq!(waiting.hear(), Said::Traceback(ended.to_owned()));
    assert_eq!(raw.ask(None, "create", &["Counter".into()]), Said::Traceback(ended.to_owned()));
    wait_until("what it held is gone", || server.counters.read().objects == 0);
}
