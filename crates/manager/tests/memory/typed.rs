//! Proxies with types, which use the memory by themselves.

use crate::client::Client;
use crate::raw::{Raw, Said};
use crate::running::{KEY, Running};
use crate::scenarios::start;
use procession_manager::client::{self, Manager, ManagerError};
use procession_testkit::wait_until;
use procession_wire::message::Token;
use procession_wire::value::Value;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;
use std::time::Duration;

/// Calls that the server has carried out since then.
fn calls_since(server: &Running, before: u64) -> u64 {
    server.counters.read().calls - before
}

pub(crate) fn proxies() {
    const SHORT: Duration = Duration::from_millis(20);
    let server = start("typed");
    let manager = Manager::connect(server.address.clone(), KEY).unwrap();
    let queue: client::JoinableQueue<String> = manager.create("Queue", (2,)).unwrap();
    let lock = manager.lock().unwrap();
    let value: client::Value<u64> = manager.create("Value", ("i", 5)).unwrap();
    let before = server.counters.read().calls;
    let large = "x".repeat(1 << 20);
    queue.put(&"one".to_owned()).unwrap();
    queue.put(&large).unwrap();
    assert!(matches!(queue.try_put(&large), Err(ManagerError::Full)));
    assert!(queue.put_timeout(&large, SHORT).unwrap_err().is_timeout());
    assert!(queue.full().unwrap() && queue.qsize().unwrap() == 2);
    assert_eq!(queue.get().unwrap(), "one");
    assert_eq!(queue.get_many(5).unwrap(), [large]);
    assert!(matches!(queue.try_get(), Err(ManagerError::Empty)));
    assert!(queue.get_timeout(SHORT).unwrap_err().is_timeout());
    queue.task_done().unwrap();
    queue.task_done().unwrap();
    queue.join().unwrap();
    assert!(queue.task_done().unwrap_err().is("builtins", "ValueError"));
    {
        let _guard = lock.lock().unwrap();
        assert!(lock.try_lock().unwrap().is_none() && !lock.acquire_timeout(SHORT).unwrap());
    }
    assert!(lock.release().unwrap_err().is("builtins", "RuntimeError"));
    value.set(&(value.get().unwrap() + 1)).unwrap();
    assert_eq!(value.get().unwrap(), 6);
    assert_eq!(calls_since(&server, before), 0, "the server has nothing to do with it");

    // What only the server can, and what others do.
    let mut raw = Raw::stock(&server.address);
    let ident = client::Typed::proxy(&*queue).id().to_owned();
    raw.call(&ident, "put", &["from afar".into()]);
    assert_eq!(queue.get().unwrap(), "from afar");
    queue.shutdown().unwrap();
    assert!(matches!(queue.get(), Err(ManagerError::Closed)));
    assert!(matches!(queue.put(&String::new()), Err(ManagerError::Closed)));
    let words: client::Value<String> = manager.create("Value", ("i", "short")).unwrap();
    words.set(&"long".repeat(100)).unwrap();
    assert_eq!(words.get().unwrap().len(), 400);
}

pub(crate) fn batches() {
    const LARGE: usize = 100_000;
    let server = start("batches");
    let manager = Manager::connect(server.address.clone(), KEY).unwrap();
    let queue = manager.queue::<(u64, Option<String>)>().unwrap();
    let before = server.counters.read().calls;
    // Every so often one that goes by itself, between those that go together.
    let items: Vec<_> =
        (0..5_000).map(|number| (number, (number % 700 == 9).then(|| "x".repeat(LARGE)))).collect();
    assert_eq!(queue.put_many(&items).unwrap(), items.len());
    assert_eq!(queue.get_many(3).unwrap(), items[..3]);
    assert_eq!(queue.get_many(usize::MAX).unwrap(), items[3..]);
    assert!(queue.get_many_timeout(5, Duration::from_millis(1)).unwrap_err().is_timeout());
    assert_eq!(queue.get_many(0).unwrap(), []);
    assert_eq!(calls_since(&server, before), 0, "the server has nothing to do with it");

    // One waits for room as long as it must, while another takes many at once.
    let bounded = manager.queue_with_maxsize::<u64>(7).unwrap();
    let got = std::thread::scope(|scope| {
        let putter = bounded.clone();
        scope.spawn(move || assert_eq!(putter.put_many(0..1_000).unwrap(), 1_000));
        let mut got = Vec::new();
        while got.len() < 1_000 {
            got.extend(bounded.get_many(1_000 - got.len()).unwrap());
        }
        got
    });
    assert_eq!(got, (0..1_000).collect::<Vec<_>>());

    // What cannot be read takes those with it that came together with it, and what the server keeps for it.
    let mut raw = Raw::ours(&server.address);
    let ident = client::Typed::proxy(&bounded).id();
    let list = raw.create("list", &[]);
    let token = Token { typeid: "list".into(), address: Value::None, id: list };
    raw.call(ident, "put", &[1.into()]);
    raw.call(ident, "put", &[token.to_value()]);
    assert!(matches!(bounded.get_many(5), Err(ManagerError::Decode { .. })));
    assert_eq!(bounded.qsize().unwrap(), 0);
    assert!(matches!(raw.ask(None, "claim", &[ident.into(), 1.into()]), Said::Traceback(_)));

    // One that cannot be sent is told, and so is how many were put.
    queue.shutdown().unwrap();
    assert!(matches!(queue.put_many(&items), Err((0, ManagerError::Closed))));
    let deep = manager.queue::<Option<Option<u64>>>().unwrap();
    let put = deep.put_many([Some(Some(1)), Some(None), Some(Some(2))]);
    assert!(matches!(put, Err((1, ManagerError::Encode { .. }))), "{put:?}");
    assert_eq!(deep.qsize().unwrap(), 1);
}

/// An array of that code, with numbers of type `T`.
fn array<T>(server: &Running, manager: &Manager, code: &str)
where
    T: Serialize + DeserializeOwned + From<u8> + PartialEq + Debug,
{
    let numbers = |numbers: [u8; 3]| numbers.map(T::from);
    let array = manager.array(code, &numbers([1, 2, 3])).unwrap();
    let before = server.counters.read().calls;
    assert_eq!((array.len().unwrap(), array.is_empty().unwrap()), (3, false));
    array.set(-1, &100.into()).unwrap();
    assert_eq!(array.get(2).unwrap(), Some(100.into()), "{code}");
    assert_eq!(array.get(-3).unwrap(), Some(1.into()), "{code}");
    assert_eq!((array.get(3).unwrap(), array.get(-4).unwrap()), (None, None));
    assert_eq!(array.to_vec().unwrap(), numbers([1, 2, 100]), "{code}");
    assert!(array.set(3, &1.into()).unwrap_err().is("builtins", "IndexError"));
    assert_eq!(calls_since(server, before), 0, "the server has nothing to do with it");
    let mut raw = Raw::stock(&server.address);
    let ident = client::Typed::proxy(&array).id();
    let there = raw.call(ident, "__getitem__", &[2.into()]);
    assert_eq!(there.as_float(), Some(100.0), "{code}");
    raw.call(ident, "__setitem__", &[0.into(), 7.into()]);
    assert_eq!(array.get(0).unwrap(), Some(7.into()), "{code}");
}

pub(crate) fn arrays() {
    let server = start("typed-arrays");
    let near = Manager::connect(server.address.clone(), KEY).unwrap();
    for code in ["b", "B", "h", "H", "i", "I", "l", "L", "q", "Q"] {
        array::<i64>(&server, &near, code);
    }
    for code in ["f", "d"] {
        array::<f64>(&server, &near, code);
    }
    // The errors are those of the server.
    let narrow: client::Array<i64> = near.array("h", &[0]).unwrap();
    for (number, class) in [(32_768, "OverflowError"), (-32_769, "OverflowError")] {
        assert!(narrow.set(0, &number).unwrap_err().is("builtins", class));
    }
    assert!(near.array::<i64>("h", &[]).unwrap().is_empty().unwrap());
    let words: client::Array<String> = near.create("Array", ("d", vec![1.5])).unwrap();
    assert!(words.set(0, &"text".to_owned()).unwrap_err().is("builtins", "TypeError"));
    assert!(matches!(words.get(0), Err(ManagerError::Decode { .. })));
    // Characters are with the server.
    let letters: client::Array<char> = near.array("w", &['a', 'b']).unwrap();
    let before = server.counters.read().calls;
    assert_eq!(letters.get(1).unwrap(), Some('b'));
    assert_eq!(calls_since(&server, before), 1);
}

/// The server is a process of its own here, which is killed.
pub(crate) fn without_the_server() {
    let address = format!("@procession-memory-gone-{}", std::process::id());
    let mut server = Client::start("serve", &address.parse().unwrap(), "", 0);
    assert_eq!(server.hear(), "serving");
    let manager = Manager::connect(address.as_str(), KEY).unwrap();
    let queue: client::Queue<u64> = manager.create("Queue", ()).unwrap();
    queue.put(&1).unwrap();
    let waiting = std::thread::scope(|scope| {
        let getter = queue.clone();
        let waiter = scope.spawn(move || (getter.get(), getter.get()));
        wait_until("it waits", || queue.qsize().unwrap_or(1) == 0);
        server.kill();
        waiter.join().unwrap()
    });
    assert!(matches!(waiting, (Ok(1), Err(ManagerError::Lost { .. }))), "{waiting:?}");
    assert!(matches!(queue.put(&2), Err(ManagerError::Lost { .. })));
}
