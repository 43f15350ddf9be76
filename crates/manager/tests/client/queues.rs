//! Queues, item by item and many at once.

use crate::servers::{Kind, each, every};
use procession_manager::client::{JoinableQueue, ManagerError, Queue, Typed};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(60);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Task {
    name: String,
    numbers: Vec<i64>,
    weight: f64,
    kind: Kinds,
    parent: Option<u64>,
    labels: BTreeMap<String, bool>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Kinds {
    Plain,
    Sized { width: u32 },
}

fn task(number: i64) -> Task {
    Task {
        name: format!("task {number} ü"),
        numbers: vec![number, -number, i64::MAX, i64::MIN],
        weight: 0.5,
        kind: if number % 2 == 0 { Kinds::Plain } else { Kinds::Sized { width: 7 } },
        parent: None,
        labels: BTreeMap::from([("on".to_owned(), true)]),
    }
}

#[test]
fn what_was_put_comes_out_in_its_order() {
    every(|server| {
        let manager = server.connect();
        let queue: Queue<Task> = manager.get("get_task_queue").unwrap();
        for number in 0..3 {
            queue.put(&task(number)).unwrap();
        }
        assert_eq!(queue.qsize().unwrap(), 3);
        assert_eq!(queue.get().unwrap(), task(0));
        assert_eq!(queue.get_timeout(LONG).unwrap(), task(1));
        assert_eq!(queue.try_get().unwrap(), task(2));
        assert!(queue.empty().unwrap() && !queue.full().unwrap());
    });
}

#[test]
fn an_empty_queue_and_a_full_one_say_so_after_the_time() {
    every(|server| {
        let manager = server.connect();
        let queue: Queue<u32> = manager.get("get_small_queue").unwrap();
        assert!(matches!(queue.try_get(), Err(ManagerError::Empty)));
        let start = Instant::now();
        let error = queue.get_timeout(SHORT).unwrap_err();
        assert!(error.is_timeout() && start.elapsed() >= SHORT, "{error:?}");
        queue.put(&1).unwrap();
        assert!(matches!(queue.try_put(&2), Err(ManagerError::Full)));
        assert!(queue.put_timeout(&2, SHORT).unwrap_err().is_timeout());
        assert_eq!(queue.get().unwrap(), 1);
    });
}

#[test]
fn many_are_put_and_got_in_their_order() {
    each(|server| {
        let manager = server.connect();
        let queue: Queue<u64> = manager.get("get_task_queue").unwrap();
        // More requests than a socket holds: answers are read while requests go out.
        let count = 20_000;
        assert_eq!(queue.put_many(0..count).unwrap() as u64, count);
        let mut got = Vec::new();
        while (got.len() as u64) < count {
            got.extend(queue.get_many(7_000).unwrap());
        }
        assert!(got.into_iter().eq(0..count));
        assert!(queue.get_many_timeout(5, SHORT).unwrap_err().is_timeout());
        queue.put(&1).unwrap();
        assert_eq!(queue.get_many(5).unwrap(), [1]);
    });
}

#[test]
fn calls_of_a_pipeline_are_answered_in_their_order() {
    each(|server| {
        let manager = server.connect();
        let queue: Queue<u64> = manager.get("get_task_queue").unwrap();
        let mut pipeline = manager.pipeline();
        for number in 0..500_u64 {
            pipeline.call(queue.proxy(), "put", (number,)).unwrap();
            pipeline.call(queue.proxy(), "get", ()).unwrap();
        }
        pipeline.call(queue.proxy(), "get", (false,)).unwrap();
        let mut answers = pipeline.run().unwrap();
        for number in 0..500_u64 {
            answers.next::<()>().unwrap();
            assert_eq!(answers.next::<u64>().unwrap(), number);
        }
        assert!(answers.next::<u64>().unwrap_err().is("queue", "Empty"));
        assert!(answers.is_empty());
    });
}

#[test]
fn a_thread_that_waits_holds_up_no_other() {
    each(|server| {
        let manager = server.connect();
        let queue: Queue<String> = manager.get("get_task_queue").unwrap();
        thread::scope(|scope| {
            let waiter = scope.spawn(|| queue.get());
            assert_eq!(queue.qsize().unwrap(), 0);
            queue.put(&"woken".to_owned()).unwrap();
            assert_eq!(waiter.join().unwrap().unwrap(), "woken");
        });
    });
}

#[test]
fn a_joinable_queue_is_joined_when_all_is_done() {
    each(|server| {
        let manager = server.connect();
        let queue: JoinableQueue<u8> = manager.joinable_queue().unwrap();
        queue.put_many([1, 2]).unwrap();
        thread::scope(|scope| {
            let joined = scope.spawn(|| queue.join());
            while queue.try_get().is_ok() {
                queue.task_done().unwrap();
            }
            joined.join().unwrap().unwrap();
        });
        assert!(queue.task_done().unwrap_err().is("builtins", "ValueError"));
    });
}

#[test]
fn a_queue_that_was_shut_down_is_closed() {
    each(|server| {
        let queue: Queue<u8> = server.connect().queue().unwrap();
        queue.put(&1).unwrap();
        match (queue.shutdown(), server.kind()) {
            (Err(ManagerError::Failed { .. }), Kind::Stock(3, ..=12)) => return,
            (shut, _) => shut.unwrap(),
        }
        assert!(matches!(queue.put(&2), Err(ManagerError::Closed)));
        assert_eq!(queue.get().unwrap(), 1);
        assert!(queue.get().unwrap_err().is_closed());
    });
}
