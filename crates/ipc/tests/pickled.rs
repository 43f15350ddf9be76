//! A queue in which Python takes part.

use procession_ipc::byte_queue::{ByteQueue, Got};
use procession_ipc::{Error, Lock, Queue, Shareable, message};
use procession_sys::Deadline;
use procession_testkit::guard_after;
use serde::{Deserialize, Serialize};

const PICKLE: u8 = 3;

#[derive(Serialize, Deserialize, Debug, PartialEq, Clone)]
struct Order {
    name: String,
    size: Option<u32>,
}

fn order() -> Order {
    Order { name: "a".into(), size: Some(3) }
}

/// The queue, and the same as bytes.
fn queue<T>() -> (Queue<T>, ByteQueue) {
    let queue = Queue::new().unwrap();
    let bytes = ByteQueue::attach(queue.held().family(), queue.handle()).unwrap();
    (queue, bytes)
}

fn guard() -> procession_testkit::guard::Guard {
    guard_after(|| drop(Queue::<u8>::new().unwrap()))
}

#[test]
fn values_are_put_as_pickles_from_then_on_and_all_are_got() {
    let _guard = guard();
    let (queue, bytes) = queue();
    assert!(!bytes.speaks_pickle());
    queue.put(&order()).unwrap();
    bytes.speak_pickle();
    assert!(bytes.speaks_pickle());
    queue.put(&order()).unwrap();
    queue.put_many([order(), order()]).unwrap();
    assert_eq!(queue.get().unwrap(), order());
    let mut message = Vec::new();
    let got = bytes.get(&mut message, None, Deadline::now()).unwrap();
    assert!(matches!(got, Got::Message { format: PICKLE, .. }));
    assert_eq!(message, b"\x80\x04}(\x8c\x04name\x8c\x01a\x8c\x04sizeK\x03u.");
    assert_eq!(queue.get_many(2).unwrap(), [order(), order()]);
}

#[test]
fn a_large_value_is_a_parcel_with_a_pickle() {
    let _guard = guard();
    let (queue, bytes) = queue();
    bytes.speak_pickle();
    let large = "x".repeat(100_000);
    queue.put(&large).unwrap();
    queue.put_many([&large]).unwrap();
    let Ok(Got::Parcel(parcel)) = bytes.get(&mut Vec::new(), None, Deadline::now()) else {
        panic!("no parcel");
    };
    assert_eq!((parcel.format(), parcel.len()), (PICKLE, 100_008));
    assert_eq!(queue.get().unwrap(), large);
}

#[test]
fn what_python_puts_is_read_as_the_type_or_is_an_error_with_its_place() {
    let _guard = guard();
    let (queue, bytes) = queue::<Vec<Order>>();
    let put = |pickle: &[u8]| bytes.put_one(PICKLE, pickle, Deadline::now()).unwrap();
    // pickle.dumps([{"name": "a", "size": None}], 4)
    put(b"\x80\x04\x95\x1a\0\0\0\0\0\0\0]\x94}\x94(\x8c\x04name\x94\x8c\x01a\x94\x8c\x04size\x94Nua.");
    assert_eq!(queue.get().unwrap(), [Order { size: None, ..order() }]);
    put(b"\x80\x04](}(\x8c\x04nameK\x01ue.");
    let error = queue.get().unwrap_err();
    assert!(matches!(error, Error::Decode { .. }));
    assert!(error.to_string().contains("[0].name: invalid type: integer `1`"), "{error}");
}

#[test]
fn what_python_could_not_have_is_refused_and_nothing_is_put() {
    let _guard = guard();
    let (nested, bytes) = queue::<(u8, Option<Option<u8>>)>();
    bytes.speak_pickle();
    nested.put(&(1, Some(Some(2)))).unwrap();
    let error = nested.put(&(1, Some(None))).unwrap_err();
    assert!(error.to_string().contains("[1]: Some(None) would arrive as None"), "{error}");
    assert_eq!(nested.qsize(), 1);
}

#[test]
fn a_shared_object_does_not_travel_in_a_message_to_python() {
    let _guard = guard();
    let (queue, bytes) = queue::<(u8, Lock)>();
    let lock = Lock::new().unwrap();
    queue.put(&(1, lock.clone())).unwrap();
    bytes.speak_pickle();
    let error = queue.put(&(1, lock.clone())).unwrap_err().to_string();
    assert!(
        error.contains("[1]: a shared object travels to Python only in the arguments"),
        "{error}"
    );
    let (_, none) = queue.get().unwrap();
    assert_eq!(none.handle(), lock.handle());
    // Nor does a number from Python become one.
    let mut forged = Vec::new();
    let format = message::encode_for_python(&(1, lock.handle().to_bits()), &mut forged).unwrap();
    bytes.put_one(format, &forged, Deadline::now()).unwrap();
    let error = queue.get().unwrap_err().to_string();
    assert!(
        error.contains("[1]: a shared object travels to Python only in the arguments"),
        "{error}"
    );
}
