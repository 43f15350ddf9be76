//! The tasks that the Python tests have Rust run: `python/tests/test_rust.py`.
#![forbid(unsafe_code)]

use procession::{
    Array, Event, JoinableQueue, Lock, Process, Queue, RLock, Semaphore, Tasks, Value,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
struct Order {
    number: i64,
    word: Option<String>,
    kind: Kind,
}

#[derive(Serialize, Deserialize)]
enum Kind {
    Plain,
    Sized(u32, u32),
    Named { name: String },
}

type Data = (Option<u8>, bool, i128, f64, String, Vec<u8>, Vec<Vec<i32>>, BTreeMap<i64, (u8, u8)>);

fn main() {
    procession::init_with(
        Tasks::new()
            .add("nothing", |()| ())
            .add("data", |data: Data| data)
            .add("one", |order: Order| order)
            .add("add", |(a, b): (i64, i64)| a + b)
            .add("panics", |message: String| -> () { panic!("{message}") })
            .add("lost_option", |()| (1, Some(None::<u8>)))
            .add("exits", |code: i32| -> () { std::process::exit(code) })
            .add("aborts", |()| -> () { std::process::abort() })
            .add("serve", serve)
            .add("touch", touch)
            .add("hold", hold)
            .add("sleep", |ready: Event| {
                ready.set();
                let _ = Queue::<u8>::new().expect("a queue").get();
            })
            .add("done", |queue: JoinableQueue<u8>| {
                for _ in 0..3 {
                    queue.get().expect("an item");
                    queue.task_done().expect("it was not done");
                }
            })
            .add("child", |queue: Queue<String>| {
                let put = |queue: Queue<String>| queue.put(&"from a child".to_owned()).is_ok();
                let child = Process::spawn(put, queue).expect("a start");
                child.join().expect("a result")
            })
            .add("surroundings", |variable: String| {
                let name = procession::current_process().name().to_owned();
                (name, std::env::var(variable).ok(), std::env::current_dir().ok())
            }),
    );
}

/// Doubles what comes until `None` does; how many that was.
fn serve((orders, results): (Queue<Option<Order>>, Queue<Order>)) -> usize {
    let mut count = 0;
    while let Ok(Some(order)) = orders.get() {
        results.put(&Order { number: order.number * 2, ..order }).expect("an open queue");
        count += 1;
    }
    count
}

type Shared = (Lock, RLock, Semaphore, Event, Value<i64>, Array<f64>);

fn touch((lock, again, semaphore, event, value, array): Shared) -> Vec<f64> {
    lock.acquire();
    again.acquire();
    for _ in 0..1000 {
        *value.lock() += 1;
    }
    array.set(1, 2.5).expect("it is long enough");
    again.release().expect("it is mine");
    lock.release().expect("it is mine");
    semaphore.release().expect("it has no bound");
    event.set();
    array.to_vec()
}

fn hold((lock, ready): (Lock, Event)) {
    lock.acquire();
    ready.set();
    let _ = Queue::<u8>::new().expect("a queue").get();
}
