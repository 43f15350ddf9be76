//! What has no meaning in Rust goes through unchanged; proxies in messages.

use crate::servers::{Kind, Serves, each, every, every_stock};
use procession_manager::client::{Payload, Proxy, Queue, Typed};
use serde_bytes::ByteBuf;

#[test]
fn every_object_of_pythons_goes_through_unchanged() {
    every_stock(|stock| {
        let manager = stock.connect();
        let tasks: Queue<()> = manager.get("get_task_queue").unwrap();
        let results: Queue<()> = manager.get("get_result_queue").unwrap();
        let count: usize = stock.command("fill").parse().expect("it says how many");
        assert!(count >= 16, "{count}");
        for _ in 0..count {
            results.put_payload(&tasks.get_payload().unwrap()).unwrap();
        }
        let mut said = vec![stock.command("check")];
        while !said.last().is_some_and(|line| line == "done" || line.is_empty()) {
            said.push(stock.line());
        }
        assert_eq!(said.len(), count + 1, "{said:?}");
        assert_eq!(said.last().unwrap(), "done");
    });
}

#[test]
fn an_object_of_a_class_is_an_error_with_its_name_where_data_is_asked_for() {
    each(|server| {
        let manager = server.connect();
        let queue: Queue<Vec<u8>> = manager.get("get_task_queue").unwrap();
        let date = procession_wire::value::Value::call(
            "datetime",
            "date",
            vec![2026.into(), 11.into(), 28.into()],
        );
        queue.put_payload(&Payload::of(&date)).unwrap();
        let error = queue.get().unwrap_err().to_string();
        assert!(error.contains("get") && error.contains("datetime.date"), "{error}");
    });
}

#[test]
fn large_bytes_arrive_whole() {
    every(|server| {
        let manager = server.connect();
        let queue: Queue<ByteBuf> = manager.get("get_task_queue").unwrap();
        for length in [0, 1, 16_384, 16_385, 1 << 20, 5 << 20] {
            let bytes: Vec<u8> = (0..length).map(|at: usize| (at % 251) as u8).collect();
            queue.put(&ByteBuf::from(bytes.clone())).unwrap();
            assert!(queue.get().unwrap() == bytes, "{length} bytes");
        }
    });
}

#[test]
fn a_proxy_comes_out_of_its_own_queue() {
    every(|server| {
        let manager = server.connect();
        // 3.8 cannot take a proxy without a class of its own.
        if server.kind() == Kind::Stock(3, 8) {
            return;
        }
        let queue: Queue<u32> = manager.get("get_task_queue").unwrap();
        queue.put_payload(&queue.proxy().to_payload()).unwrap();
        let payload = queue.get_payload().unwrap();
        let again: Queue<u32> = manager.proxy_in(&payload).unwrap().expect("there is one");
        assert_eq!(again.proxy(), queue.proxy());
        again.put(&7).unwrap();
        drop(again);
        assert_eq!(queue.get().unwrap(), 7);
    });
}

#[test]
fn a_proxy_keeps_its_object_until_the_last_is_gone() {
    each(|server| {
        let manager = server.connect();
        let before = manager.number_of_objects().unwrap();
        let list = manager.list([1]).unwrap();
        let queue = manager.queue::<()>().unwrap();
        assert_eq!(manager.number_of_objects().unwrap(), before + 2);
        let payload = list.proxy().to_payload();
        let other: Proxy = manager.proxy_in(&payload).unwrap().expect("there is one");
        let clone = list.clone();
        drop((list, clone));
        assert_eq!(other.call::<usize>("__len__", ()).unwrap(), 1);
        drop((other, queue));
        assert_eq!(manager.number_of_objects().unwrap(), before);
    });
}
