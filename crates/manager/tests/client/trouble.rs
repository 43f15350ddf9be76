//! Keys that differ, managers that go and come back, calls that fail.

use crate::servers::{KEY, Ours, Serves, Stock, each, every, every_stock};
use procession_manager::client::{List, Manager, ManagerError, Proxy, Queue, Typed};
use procession_testkit::{free_port, guard, interpreters};
use rustix::net::{AddressFamily, SocketType, bind, getsockname, socket};
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(50);

#[test]
fn another_key_is_refused() {
    every(|server| {
        let error = Manager::connect(server.address(), "another key").unwrap_err();
        assert!(error.is_refused(), "{error:?}");
        assert!(
            error.to_string().contains(&format!("127.0.0.1:{}", server.address().1)),
            "{error}"
        );
    });
}

#[test]
fn a_manager_that_is_not_there_is_named() {
    let _guard = guard();
    // Bound, so that it is nobody else's, and not listening.
    let bound = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    bind(&bound, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0)).unwrap();
    let nobody = SocketAddr::try_from(getsockname(&bound).unwrap()).unwrap();
    let error = Manager::connect(nobody.to_string().as_str(), KEY).unwrap_err();
    assert!(matches!(error, ManagerError::Connect { .. }), "{error:?}");
    assert!(error.to_string().contains(&nobody.to_string()), "{error}");
    let error = Manager::connect("nowhere", KEY).unwrap_err().to_string();
    assert!(error.contains("nowhere") && error.contains("host:port"), "{error}");
}

#[test]
fn somebody_who_says_nothing_is_given_up() {
    let _guard = guard();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let start = Instant::now();
    let way = Manager::builder().connect_timeout(SHORT);
    let error = way.connect(silent.local_addr().unwrap().to_string().as_str(), KEY).unwrap_err();
    assert!(error.is_timeout() && start.elapsed() >= SHORT, "{error:?}");
}

#[test]
fn somebody_who_speaks_otherwise_is_no_manager() {
    let _guard = guard();
    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = web.local_addr().unwrap().to_string();
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut socket, _) = web.accept().unwrap();
            std::io::Write::write_all(&mut socket, b"\0\0\0\x04helo").unwrap();
            let _ = socket.read_to_end(&mut Vec::new());
        });
        let error = Manager::connect(address.as_str(), KEY).unwrap_err();
        assert!(error.is_refused() && error.to_string().contains(&address), "{error:?}");
    });
}

#[test]
fn an_exception_is_data() {
    each(|server| {
        let manager = server.connect();
        let list: Proxy = manager.create("list", ()).unwrap();
        let error = list.call::<()>("pop", ()).unwrap_err();
        assert!(error.is("builtins", "IndexError"), "{error:?}");
        assert_eq!(error.to_string(), "IndexError: pop from empty list");
        let error = list.call::<()>("__getitem__", ("x",)).unwrap_err();
        assert!(error.is("builtins", "TypeError"), "{error:?}");
    });
}

#[test]
fn what_the_manager_does_not_have_is_named() {
    each(|server| {
        let manager = server.connect();
        let error = manager.get::<Proxy>("get_nothing").unwrap_err();
        assert!(matches!(&error, ManagerError::Failed { .. }), "{error:?}");
        let list: Proxy = manager.create("list", ([1],)).unwrap();
        let error = list.call::<()>("fly", ()).unwrap_err();
        assert!(
            matches!(&error, ManagerError::Failed { method, .. } if method == "fly"),
            "{error:?}"
        );
        // A call that failed leaves the connection as it was.
        assert_eq!(list.call::<usize>("__len__", ()).unwrap(), 1);
        let error = manager.get::<List<u8>>("get_task_queue").unwrap_err();
        assert!(matches!(error, ManagerError::OtherType { .. }), "{error:?}");
        assert!(error.to_string().starts_with("get_task_queue is no list"), "{error}");
    });
}

#[test]
fn named_arguments_are_a_map_or_a_struct() {
    each(|server| {
        let manager = server.connect();
        let queue: Proxy = manager.get("get_small_queue").unwrap();
        queue
            .call_with::<()>(
                "put",
                (1,),
                &[("block", false)].into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            )
            .unwrap();
        let error = queue
            .call_with::<()>("put", (2,), &std::collections::BTreeMap::from([("timeout", 0.01)]))
            .unwrap_err();
        assert!(error.is("queue", "Full"), "{error:?}");
        let error = queue.call_with::<()>("put", (2,), &[1]).unwrap_err().to_string();
        assert!(error.contains("a map or a struct"), "{error}");
    });
}

#[test]
fn an_argument_that_cannot_be_sent_names_its_place_and_nothing_is_sent() {
    each(|server| {
        let manager = server.connect();
        let queue: Queue<(u8, Option<Option<u8>>)> = manager.get("get_task_queue").unwrap();
        let error = queue.put(&(1, Some(None))).unwrap_err().to_string();
        assert!(error.starts_with("cannot send the arguments of put: [1]: Some(None)"), "{error}");
        assert!(queue.empty().unwrap());
        let (put, error) = queue.put_many([(1, None), (2, Some(None)), (3, None)]).unwrap_err();
        assert!(put == 1 && matches!(error, ManagerError::Encode { .. }), "{error:?}");
        assert_eq!(queue.qsize().unwrap(), 1);
        queue.get().unwrap();
    });
}

#[test]
fn a_manager_that_is_killed_is_lost_until_reconnected() {
    every_stock(|stock| {
        let manager = stock.connect();
        let queue: Queue<u32> = manager.get("get_task_queue").unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| queue.get());
            let peer = manager.address().to_string();
            queue.put(&1).unwrap();
            assert_eq!(waiter.join().unwrap().unwrap(), 1);
            let waiter = scope.spawn(|| queue.get());
            stock.kill();
            for error in [waiter.join().unwrap().unwrap_err(), queue.qsize().unwrap_err()] {
                // Whoever calls for the first time finds nobody to connect to.
                let is_named = error.to_string().contains(&peer);
                assert!(
                    is_named
                        && matches!(
                            error,
                            ManagerError::Lost { .. } | ManagerError::Connect { .. }
                        ),
                    "{error:?}"
                );
            }
            assert!(queue.qsize().unwrap_err().is_peer_dead());
            assert!(matches!(manager.reconnect(), Err(ManagerError::Connect { .. })));
            assert!(queue.qsize().unwrap_err().is_peer_dead());
        });
    });
}

#[test]
fn after_a_reconnect_old_proxies_say_so_and_new_ones_work() {
    each(|server| {
        let manager = server.connect();
        let old: Queue<u32> = manager.get("get_task_queue").unwrap();
        old.put(&5).unwrap();
        manager.reconnect().unwrap();
        let error = old.get().unwrap_err();
        assert!(matches!(error, ManagerError::Stale { .. }), "{error:?}");
        assert!(manager.pipeline().call(old.proxy(), "get", ()).is_err());
        let new: Queue<u32> = manager.get("get_task_queue").unwrap();
        assert_eq!(new.get().unwrap(), 5);
    });
}

#[test]
fn a_restarted_manager_is_not_taken_for_the_old_one_by_any_thread() {
    let _guard = guard();
    let server = Ours::start_at(&format!("127.0.0.1:{}", free_port()), None);
    let (address, manager) = (server.address.to_string(), server.connect());
    let old: Queue<u32> = manager.get("get_task_queue").unwrap();
    drop(server);
    let _server = Ours::start_at(&address, None);
    thread::scope(|scope| {
        for error in [scope.spawn(|| old.qsize()).join().unwrap(), old.qsize()] {
            let error = error.unwrap_err();
            assert!(matches!(error, ManagerError::Lost { .. }), "{error:?}");
        }
        assert!(matches!(manager.number_of_objects(), Err(ManagerError::Lost { .. })));
    });
    manager.reconnect().unwrap();
    assert!(matches!(old.qsize(), Err(ManagerError::Stale { .. })));
    let new: Queue<u32> = manager.get("get_task_queue").unwrap();
    assert_eq!(new.qsize().unwrap(), 0);
}

#[test]
fn a_manager_that_is_stopped_does_not_answer_in_time() {
    let _guard = guard();
    let Some(python) = interpreters().last() else { return };
    let stock = Stock::start(python);
    let way = Manager::builder().answer_timeout(SHORT);
    // It may be slow to begin with: only then does it have to be quick once.
    let queue = loop {
        let manager = way.clone().connect(stock.address(), KEY);
        let queue = manager.and_then(|manager| manager.get::<Queue<u32>>("get_task_queue"));
        match queue.and_then(|queue| queue.put(&1).map(|()| queue)) {
            Ok(queue) => break queue,
            Err(error) => assert!(error.is_timeout() || error.is_closed(), "{error:?}"),
        }
    };
    stock.stop();
    let error = queue.get_timeout(SHORT).unwrap_err();
    stock.go_on();
    assert!(matches!(error, ManagerError::Lost { .. }), "{error:?}");
    assert!(error.to_string().contains("did not answer in time"), "{error}");
}
